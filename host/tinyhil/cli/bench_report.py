"""The command ``bench-report``: one file about a board and what it did, to be sent to us."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tinyhil.cli.options import TARGET
from tinyhil.cli.session import JsonOption, command
from tinyhil.options import Options


def bench_report(
    target: TARGET = Options.target,
    port: Annotated[
        str | None, typer.Option("--port", help="Check this port and the device behind it.", show_default=False)
    ] = None,
    build_dir: Annotated[Path, typer.Option("--build-dir", help="Where reports are.")] = Options.build_dir,
    output_file: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE.md", help="The file.  [default: bench-report-TARGET.md]"),
    ] = None,
    json: JsonOption = None,
) -> None:
    """Write one file about a board that says how it does, and nothing of who you are; please send it to us.

    It has versions, facts of the target, the USB id, what **tinyhil doctor --port** finds, and the figures of the last
    report of the target, as tables and as JSON. It has no names of user or computer, no serial numbers, no paths, and
    nothing that the device has printed. Read it before you send it: it is Markdown. What has failed is in it, and does
    not change the exit code.

    **Example**

    tinyhil bench-report --target nano33ble --port /dev/ttyACM0
    """
    with command(json) as output:
        import json as form

        from tinyhil.artifacts import store
        from tinyhil.errors import ConfigError
        from tinyhil.pipeline import board_report
        from tinyhil.targets import registry

        facts = registry.get(target)
        file = output_file or Path(f"bench-report-{target}.md")
        store.refuse_unwritable(file)
        if file.is_file() and not file.read_bytes().startswith(board_report.HEAD.encode()):
            raise ConfigError(
                f"{file} exists and is no such report, so it is not overwritten",
                hint="remove it, or name another file with --output",
            )
        made = board_report.board_report(facts, port, build_dir)
        store.write_text(file, board_report.in_markdown(made, form.dumps(made, indent=2)))
        failed = [each["name"] for each in made["checks"] if each["state"] == "failed"]
        said = f"failed: {', '.join(failed)}" if failed else f"{len(made['checks'])} checks, none failed"
        said = "the port was not checked: --port names it" if port is None else said
        report = "no report of a run" if made["report"] is None else f"last report: {made['report']['verdict']}"
        output.console.print(f"{said}; {report}", markup=False, soft_wrap=True, highlight=False)
        output.console.print(f"written: {file}", markup=False, soft_wrap=True, highlight=False)
        output.write_json(made)
