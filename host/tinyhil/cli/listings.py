"""The commands that list what there is: targets, recipes, and what is installed."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.markup import escape

from tinyhil.cli.options import TARGET
from tinyhil.cli.session import JsonOption, command
from tinyhil.errors import ExitCode
from tinyhil.options import Options


def targets(json: JsonOption = None) -> None:
    """List the targets, and what the figures of each may be taken for.

    **Example**

    tinyhil targets
    """
    with command(json) as output:
        from tinyhil.targets import registry

        found = [registry.get(name) for name in registry.paths()]
        for target in found:
            output.console.print(f"[bold]{target.name}[/]  {target.title}", highlight=False)
            engines = ", ".join(target.engines)
            output.console.print(f"    engines: {engines}; reports {target.honest_about}", highlight=False)
        output.write_json(
            [
                {
                    "name": target.name,
                    "title": target.title,
                    "honest_about": target.honest_about,
                    "engines": list(target.engines),
                    "default_engine": target.default_engine,
                }
                for target in found
            ]
        )


def recipes(json: JsonOption = None) -> None:
    """List the recipes: the shipped ones, and yours in ./recipes.

    **Example**

    tinyhil recipes --json recipes.json
    """
    with command(json) as output:
        from tinyhil.config import recipe as known

        found = [(known.load(path), path) for path in known.paths().values()]
        for recipe, _ in found:
            output.console.print(f"[bold]{recipe.name}[/]  {recipe.title}", highlight=False)
        output.write_json([{"name": recipe.name, "title": recipe.title, "file": str(path)} for recipe, path in found])


def doctor(
    target: TARGET = Options.target,
    port: Annotated[
        str | None, typer.Option("--port", help="Check this port and the device behind it too.", show_default=False)
    ] = None,
    json: JsonOption = None,
) -> None:
    """Show what is installed, what each target would still need, and whether a device and its line work.

    With **--port**: permissions, USB id, control lines, greeting, every value of a byte, the longest request, what gets
    lost, goodput and resets. The device has to run tinyhil's firmware, of any model.

    Exits with 0 if the target can run, with 3 if something is missing for it; with **--port**, if a check has failed.

    **Examples**

    tinyhil doctor --target nano33ble

    tinyhil doctor --target nano33ble --port /dev/ttyACM0
    """
    with command(json) as output:
        from tinyhil.cli import doctor as view

        raise typer.Exit(view.show(output, target, port))


def ports(
    named: Annotated[
        list[str] | None,
        typer.Argument(metavar="[PORT]...", help="Ask these ports too, whatever they are.", show_default=False),
    ] = None,
    no_ask: Annotated[bool, typer.Option("--no-ask", help="Only list the ports, open none.")] = False,
    json: JsonOption = None,
) -> None:
    """Show which serial ports there are, which boards they may be, and what answers there.

    Only ports that may be a board of a known target are opened and asked, and none of a board that is quarantined
    (**tinyhil quarantine**). Exits with 0 if one answered (or with
    **--no-ask**), and else with 3.

    **Examples**

    tinyhil ports

    tinyhil ports /dev/ttyUSB0
    """
    with command(json) as output:
        from dataclasses import asdict

        from tinyhil.pipeline import ports as serial_ports
        from tinyhil.targets import registry

        found = serial_ports.survey([registry.get(name) for name in registry.paths()], named or [], asking=not no_ask)
        for port in found:
            kind = " or ".join(port.targets) or "no known board"
            number = f", serial number {port.serial_number}" if port.serial_number else ""
            about = f"{port.usb or 'no USB port'}{number}  {port.description}".rstrip()
            output.console.print(
                f"[bold]{escape(port.device)}[/]  {kind}  {escape(about)}", soft_wrap=True, highlight=False
            )
            said = port.why or port.state
            if port.state == serial_ports.ANSWERS:
                said = f"answers: engine {port.engine}, model {port.model_sha256[:16]}..., boot id {port.boot_id}"
            output.console.print(f"    {escape(said)}", soft_wrap=True, highlight=False)
            for line in port.said.splitlines():
                output.console.print(f"  | {line}", style="dim", markup=False, soft_wrap=True, highlight=False)
            if port.next_step:
                output.console.print(f"    [bold]next:[/] {escape(port.next_step)}", soft_wrap=True, highlight=False)
        if not found:
            output.console.print("no serial port is present")
        output.write_json([asdict(port) for port in found])
        if no_ask or any(port.state == serial_ports.ANSWERS for port in found):
            return
        if not any(port.next_step for port in found):
            step = "plug a board in, with a cable that carries data" if not found else "name a port to ask it"
            output.console.print(f"[bold]next:[/] {step}: tinyhil ports PORT", soft_wrap=True, highlight=False)
        raise typer.Exit(ExitCode.BLOCKED)
