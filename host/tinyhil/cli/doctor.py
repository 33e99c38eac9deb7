"""The command ``doctor``: what is there, what is missing for what, and whether a port and its device work."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from rich.markup import escape

from tinyhil.cli.session import Output
from tinyhil.errors import ExitCode
from tinyhil.plain_text import plain
from tinyhil.targets import registry
from tinyhil.toolchain import doctor

_STYLES = {"ok": "green", "warning": "yellow", "failed": "red", "skipped": "dim"}


def show(output: Output, wanted: str, port: str | None = None) -> ExitCode:
    """Prints one line a finding and one a target, and then one a check of the port.

    Returns:
        BLOCKED if ``wanted`` lacks something, or a check has failed. With a port, what is not installed for a build
        does not count.

    Raises:
        ConfigError: there is no target of that name.
    """
    registry.get(wanted)
    found: list[dict[str, Any]] = []
    blocking = _programs(output, wanted, found)
    if port is not None:
        blocking = _port(output, wanted, port, found)
    output.write_json(found)
    return ExitCode.BLOCKED if blocking else ExitCode.PASS


def _programs(output: Output, wanted: str, found: list[dict[str, Any]]) -> bool:
    """What is installed; whether something is missing for ``wanted``."""
    targets = [registry.get(name) for name in registry.paths()]
    findings = doctor.survey(targets)
    for finding in findings:
        if finding.found_version is not None:
            line = f"[green]ok[/]       {finding.name:<20} {escape(finding.found_version)}"
        else:
            line = (
                f"[red]missing[/]  {finding.name:<20} for {escape(finding.needed_for)}: {escape(finding.install_hint)}"
            )
        output.console.print(line, soft_wrap=True, highlight=False)
    found += map(asdict, findings)
    missing = [finding for finding in findings if finding.found_version is None]
    for target in targets:
        lacks = ", ".join(finding.name for finding in missing if target.name in finding.targets)
        line = f"[red]lacks[/] {escape(lacks)}" if lacks else "[green]has all its programs[/]"
        output.console.print(f"target    {target.name:<20} {line}", soft_wrap=True, highlight=False)
    return any(not finding.targets or wanted in finding.targets for finding in missing)


def _port(output: Output, wanted: str, port: str, found: list[dict[str, Any]]) -> bool:
    """What works at a port; whether something does not."""
    from tinyhil.pipeline.port_check import State, check

    failed = False
    for checked in check(registry.get(wanted), port):
        style, (first, *more) = _STYLES[checked.state], plain(checked.said).splitlines()
        id_ = f" ({checked.id})" if checked.id else ""
        line = f"[{style}]{checked.state:<8}[/] {checked.name:<20} {escape(first)}{id_}"
        output.console.print(line, soft_wrap=True, highlight=False)
        for text in more:
            output.console.print(f"  | {text}", style="dim", markup=False, soft_wrap=True, highlight=False)
        if checked.next_step:
            output.console.print(
                f"         [bold]next:[/] {escape(checked.next_step)}", soft_wrap=True, highlight=False
            )
        found.append(asdict(checked))
        failed = failed or checked.state is State.FAILED
    return failed
