"""The command ``explain``: what an error's id means, and what to do."""

from __future__ import annotations

from typing import Annotated

import typer

from tinyhil.cli import completion
from tinyhil.cli.session import JsonOption, command


def explain(
    id: Annotated[
        str | None,
        typer.Argument(
            metavar="[ID]",
            help="An id as an error shows it.  [default: list all]",
            show_default=False,
            autocompletion=completion.error_ids,
        ),
    ] = None,
    json: JsonOption = None,
) -> None:
    """Say what an error's id means, and what to do next; without an id, list all.

    **Example**

    tinyhil explain TH-111
    """
    with command(json) as output:
        from dataclasses import asdict

        from tinyhil import kinds
        from tinyhil.errors import ConfigError

        if id is None:
            for kind in kinds.all_kinds():
                output.console.print(f"[bold]{kind.id}[/]  {kind.title}", highlight=False)
            output.write_json([asdict(kind) for kind in kinds.all_kinds()])
            return
        found = kinds.of_id(id)
        if found is None:
            raise ConfigError(f"unknown error id {id!r}", hint="list all with tinyhil explain", kind=kinds.UNKNOWN_NAME)
        output.console.print(f"[bold]{found.id}  {found.title}[/]", highlight=False)
        output.console.print(f"\n{found.cause} Exit code {found.exit_code}.\n", markup=False, highlight=False)
        for step in found.steps:
            output.console.print(f"next:  {step}", markup=False, soft_wrap=True, highlight=False)
        output.write_json(asdict(found))
