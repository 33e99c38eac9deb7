"""The command ``doctor``: what is there, and what is missing for what."""

from __future__ import annotations

from dataclasses import asdict

from rich.markup import escape

from tinyhil.cli.session import Output
from tinyhil.errors import ExitCode
from tinyhil.targets import registry
from tinyhil.toolchain import doctor


def show(output: Output, wanted: str) -> ExitCode:
    """Prints one line a finding and one a target; BLOCKED if ``wanted`` lacks something.

    Raises:
        ConfigError: there is no target of that name.
    """
    registry.get(wanted)
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
    output.write_json([asdict(finding) for finding in findings])
    missing = [finding for finding in findings if finding.found_version is None]
    for target in targets:
        lacks = ", ".join(finding.name for finding in missing if target.name in finding.targets)
        line = f"[red]lacks[/] {escape(lacks)}" if lacks else "[green]has all its programs[/]"
        output.console.print(f"target    {target.name:<20} {line}", soft_wrap=True, highlight=False)
    blocking = [finding for finding in missing if not finding.targets or wanted in finding.targets]
    return ExitCode.BLOCKED if blocking else ExitCode.PASS
