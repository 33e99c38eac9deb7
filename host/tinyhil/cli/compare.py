"""The command ``compare``: two reports, folders, commits or branches side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tinyhil.cli.history import opened
from tinyhil.cli.session import JsonOption, command

_WHAT = "A report.json, a folder or archive of such, a commit, a branch, a target, or an engine"


def compare(
    before: Annotated[str, typer.Argument(metavar="A", help=f"{_WHAT}.", show_default=False)],
    after: Annotated[
        str | None,
        typer.Argument(metavar="[B]", help=f"{_WHAT}.  [default: the last runs]", show_default=False),
    ] = None,
    recipe: Annotated[
        list[str] | None, typer.Option("--recipe", metavar="NAME", help="Of this recipe only; may be given again.")
    ] = None,
    markdown: Annotated[
        Path | None, typer.Option("--markdown", metavar="FILE", help="Write it as a comment on a pull request.")
    ] = None,
    html: Annotated[Path | None, typer.Option("--html", metavar="FILE", help="Write it as a page.")] = None,
    json: JsonOption = None,
) -> None:
    """Show what got better, worse, stayed equal or cannot be compared, figure by figure and operator by operator.

    Accuracy needs the same test data; flash and instructions need the same target and compiler. What cannot be compared
    is shown with the reason. A file or folder comes before a branch of the same name, a branch before a commit; of a
    branch, a target and an engine the last judged runs of the history are taken. Exits with 0 whatever it finds:
    **tinyhil gate** judges.

    **Examples**

    tinyhil compare main

    tinyhil compare compiled tflm --recipe sine

    tinyhil compare old/report.json build/sine/qemu-m4/report.json --html changes.html
    """
    with command(json) as output:
        import contextlib
        from functools import cache

        from tinyhil.artifacts import store
        from tinyhil.cli import ci
        from tinyhil.compare.changes import changes
        from tinyhil.history import lookup
        from tinyhil.report import changes as shown

        for file in filter(None, (markdown, html)):
            store.refuse_unwritable(file)
        wanted = recipe or ()
        with contextlib.ExitStack() as stack:
            connection = cache(lambda: stack.enter_context(stack.enter_context(opened(output)).reading()))
            sides = [
                lookup.newest(connection(), wanted)
                if name is None
                else lookup.of_path(Path(name))
                if Path(name).exists()
                else lookup.of_name(connection(), name, wanted)
                for name in (before, after)
            ]
        pairs, notes = lookup.pairs(*sides)
        found = [changes(one.report, other.report) for one, other in pairs]
        said = sorted({f"{one.said or before} against {other.said or after}" for one, other in pairs})
        notes = [f"Of {', '.join(said)}", *notes]
        for line in [*notes, *(line for one in found for line in shown.lines(one))]:
            output.console.print(line, markup=False, soft_wrap=True, highlight=False)
        comment = shown.to_markdown(found, notes)
        output.afterwards.append(lambda: ci.tell_comparison(output, (before, after or ""), found, comment))
        if markdown is not None:
            store.write_text(markdown, comment)
        if html is not None:
            store.write_text(html, shown.to_html(found, notes))
        output.write_json(shown.as_values(found, notes))
