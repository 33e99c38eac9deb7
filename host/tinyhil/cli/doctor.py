"""The command ``doctor``: what is there, and what is missing for what."""

from __future__ import annotations

from dataclasses import asdict

from rich.markup import escape

from tinyhil.cli.session import Output
from tinyhil.errors import ExitCode
from tinyhil.targets import registry
from tinyhil.toolchain import doctor


def show(output: Output) -> ExitCode:
    """Prints one line a finding; BLOCKED if one is missing."""
    findings = doctor.survey([registry.get(name) for name in registry.paths()])
    for finding in findings:
        if finding.found_version is not None:
            line = f"[green]ok[/]       {finding.name:<20} {escape(finding.found_version)}"
        else:
            line = (
                f"[red]missing[/]  {finding.name:<20} for {escape(finding.needed_for)}: {escape(finding.install_hint)}"
            )
        output.console.print(line, soft_wrap=True, highlight=False)
    output.write_json([asdict(finding) for finding in findings])
    missing = [finding for finding in findings if finding.found_version is None]
    return ExitCode.BLOCKED if missing else ExitCode.PASS
