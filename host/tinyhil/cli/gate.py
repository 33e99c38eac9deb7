"""The command ``gate``: whether the present runs are worse than the rules allow."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tinyhil.cli.history import opened
from tinyhil.cli.session import JsonOption, command
from tinyhil.errors import ExitCode

if TYPE_CHECKING:
    from tinyhil.history.gate import Held


def gate(
    reports: Annotated[
        Path | None,
        typer.Argument(
            metavar="[PATH]",
            help="The present reports: a report.json, or a folder of such.  [default: the runs of this commit]",
            show_default=False,
            readable=False,
        ),
    ] = None,
    against: Annotated[
        str, typer.Option("--against", metavar="NAME", help="The baseline: a branch, a commit, a file or a folder.")
    ] = "main",
    recipe: Annotated[
        list[str] | None, typer.Option("--recipe", metavar="NAME", help="Of this recipe only; may be given again.")
    ] = None,
    markdown: Annotated[
        Path | None, typer.Option("--markdown", metavar="FILE", help="Write it as a comment on a pull request.")
    ] = None,
    json: JsonOption = None,
) -> None:
    """Hold the runs of this commit against those of a branch, by the rules of tinyhil.toml.

    Without a file nothing may grow: flash, ram, arena, stack, instructions and mismatches; mae may by 5 %, top1 lose
    0.5 points. The table **[gate]** has other rules: **flash = "+64 B"**, **instructions = "+1 %"**,
    **top1 = "-1 points"**, **mae = "off"**. A regression is accepted by a line in tinyhil.accepted:
    COMMIT RECIPE TARGET METRIC AMOUNT # REASON.

    Exits with 0 if every rule is kept, 1 if one is broken, and 3 (blocked) if there is nothing to compare with, or a
    figure cannot be compared, such as after a change of the compiler.

    **Examples**

    tinyhil gate --against main

    tinyhil gate build --against baseline/report.json
    """
    with command(json) as output:
        import contextlib
        from functools import cache, partial

        from tinyhil.artifacts import store
        from tinyhil.cli import ci
        from tinyhil.errors import BlockedError
        from tinyhil.history import gate as gates
        from tinyhil.history import lookup
        from tinyhil.report import changes as shown
        from tinyhil.report.markdown import MARKS

        if markdown is not None:
            store.refuse_unwritable(markdown)
        by, known, wanted = gates.rules(), gates.accepted(), recipe or ()
        file = Path(against) if Path(against).exists() else None
        try:
            with contextlib.ExitStack() as stack:
                connection = cache(lambda: stack.enter_context(stack.enter_context(opened(output, new=True)).reading()))
                after = gates.of_reports(reports) if reports is not None else gates.present(connection(), wanted)
                before = (
                    lookup.of_path(file) if file is not None else gates.baseline(connection(), against, wanted, after)
                )
            held, notes = gates.hold(before, after, by, known)
        except BlockedError as error:
            output.afterwards.append(partial(ci.tell_no_gate, output, error, against))
            raise
        for line in [*notes, *(line for one in held for line in _lines(one))]:
            output.console.print(line, markup=False, soft_wrap=True, highlight=False)
        outcomes = {judged.outcome for one in held for judged in one.judged}
        verdict = ExitCode.FAIL if "broken" in outcomes else ExitCode.PASS
        if verdict is ExitCode.PASS and ("incomparable" in outcomes or not outcomes):
            verdict = ExitCode.BLOCKED
        said = {ExitCode.PASS: "PASS", ExitCode.FAIL: "FAIL", ExitCode.BLOCKED: "BLOCKED"}[verdict]
        summary = _summary(held, against)
        output.console.print(f"{said}  {summary}", markup=False, soft_wrap=True, highlight=False)
        lines = [line.strip() for one in held for line in _lines(one)]
        comment = shown.to_markdown([one.found for one in held], [*lines, *notes], f"{MARKS[said.lower()]}: {summary}")
        output.afterwards.append(lambda: ci.tell_gate(output, held, comment))
        if markdown is not None:
            store.write_text(markdown, comment)
        output.write_json({"verdict": said.lower(), "against": against, "notes": notes, "held": gates.as_values(held)})
        raise typer.Exit(verdict)


def _lines(one: Held) -> Iterator[str]:
    """What was not simply kept, and how much was."""
    from tinyhil.report import changes as shown

    of = f"{one.after.said or 'these reports'} against {one.before.said or 'the baseline'}"
    yield f"{shown.name(one.found.after)}, {of}: {len(one.of('kept'))} of {len(one.judged)} rules kept"
    yield from (f"  {shown.of_rule(judged)}" for judged in one.judged if judged.outcome != "kept")


def _summary(held: list[Held], against: str) -> str:
    counts = [
        f"{sum(len(one.of(outcome)) for one in held)} {said}"
        for outcome, said in (("broken", "broken"), ("incomparable", "not comparable"), ("accepted", "accepted"))
        if any(one.of(outcome) for one in held)
    ]
    total = sum(len(one.judged) for one in held)
    return f"{total} rules against {against}: {', '.join(counts) or 'all kept'}"
