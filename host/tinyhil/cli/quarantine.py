"""The command ``quarantine``: boards that no run may use, by their USB serial numbers."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from tinyhil.cli import completion
from tinyhil.cli.session import JsonOption, Output, command


def quarantine(
    serial: Annotated[
        str | None,
        typer.Argument(
            metavar="SERIAL",
            help="USB serial number of the board, as tinyhil ports shows it.",
            show_default=False,
            autocompletion=completion.serial_numbers,
        ),
    ] = None,
    reason: Annotated[
        str | None, typer.Option("--reason", help="Why it is not to be used.", show_default=False)
    ] = None,
    until: Annotated[
        datetime | None,
        typer.Option(
            "--until",
            metavar="YYYY-MM-DD",
            formats=["%Y-%m-%d"],
            help="The last day, UTC; without it, until it is released.",
            show_default=False,
        ),
    ] = None,
    list_: Annotated[bool, typer.Option("--list", help="Show the quarantined boards.")] = False,
    release: Annotated[
        str | None,
        typer.Option(
            "--release",
            metavar="SERIAL",
            help="End the quarantine of this board.",
            show_default=False,
            autocompletion=completion.quarantined,
        ),
    ] = None,
    json: JsonOption = None,
) -> None:
    """Keep a board out of all runs, with a reason; or list such boards, or release one.

    A command that would open the port of a quarantined board is blocked (exit code 3) and says why. **tinyhil ports**
    shows it and does not talk to it; **tinyhil doctor --port** checks it. The list is one file:
    ~/.local/state/tinyhil/quarantine.json, or what TINYHIL_QUARANTINE names.

    **Examples**

    tinyhil quarantine 5A1B2C --reason "resets under load" --until 2031-01-31

    tinyhil quarantine --list

    tinyhil quarantine --release 5A1B2C
    """
    with command(json) as output:
        from tinyhil.errors import ConfigError
        from tinyhil.transport import quarantine as boards

        if sum((serial is not None, list_, release is not None)) > 1:
            raise ConfigError("SERIAL, --list and --release exclude one another", hint="give one of them")
        if serial is None and (reason is not None or until is not None):
            raise ConfigError("--reason and --until are for a SERIAL, and none is given", hint="give the serial number")
        if serial is not None:
            if reason is None:
                raise ConfigError("--reason is missing", hint='say why: --reason "resets under load"')
            entry = boards.add(serial, reason, None if until is None else until.date())
            output.console.print(entry.said, markup=False, soft_wrap=True, highlight=False)
            output.write_json(_as_json(entry))
        elif release is not None:
            entry = boards.release(release)
            output.console.print(f"released: {entry.serial_number}", markup=False, soft_wrap=True, highlight=False)
            output.write_json(_as_json(entry))
        else:
            _list(output)


def _list(output: Output) -> None:
    from tinyhil.transport import quarantine as boards

    found = boards.entries()
    for entry in found:
        end = f" until {entry.until}" if entry.until is not None else ""
        line = f"{entry.serial_number}  since {entry.since}{end}: {entry.reason}"
        output.console.print(line, markup=False, soft_wrap=True, highlight=False)
    if not found:
        output.console.print("no board is quarantined")
    output.console.print(f"{boards.path()}", style="dim", markup=False, soft_wrap=True, highlight=False)
    output.write_json([_as_json(entry) for entry in found])


def _as_json(entry: object) -> object:
    import msgspec

    return msgspec.to_builtins(entry)
