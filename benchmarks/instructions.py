"""Writes the table of instructions of docs/targets.md: ``make instructions`` runs every recipe on every emulator.

A count is of one inference, the mean over the recipe's vectors, and is the same on every computer that has the same
compiler. A run that is not exact stops this program; where a recipe does not fit, or the emulator is not installed, the
table has a dash.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tinyhil.errors import ExitCode
from tinyhil.targets import registry
from tinyhil.targets.model import Target

REPOSITORY = Path(__file__).parents[1]
PAGE = REPOSITORY / "docs/targets.md"
RECIPES = ("sine", "digits", "conv-digits")
HEAD = "| target | kernels | " + " | ".join(f"`{recipe}`" for recipe in RECIPES) + " |"
TABLE = re.compile(rf"^{re.escape(HEAD)}\n(\|.*\n)+", re.MULTILINE)
"""The table as it stands in the page."""


def emulators() -> list[Target]:
    """The shipped targets that count instructions and whose emulator is installed, the default one first."""
    shipped = [registry.get(path.stem) for path in sorted(registry.SHIPPED.glob("*.toml"))]
    counting = [target for target in shipped if target.emulator is not None and target.measure.unit == "instructions"]
    there = [target for target in counting if target.emulator and shutil.which(target.emulator.program)]
    return sorted(there, key=lambda target: (target.name != "qemu-m4", target.name))


def report_of(recipe: str, target: Target) -> dict[str, Any] | None:
    """The report of a run; None where the model does not fit onto the target.

    Raises:
        SystemExit: the run did not pass.
    """
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "out.json"
        argv = [sys.executable, "-m", "tinyhil", "run", recipe, "--target", target.name, "--json", str(place)]
        done = subprocess.run([*argv, "--build-dir", str(REPOSITORY / "build")], capture_output=True, text=True)
        if done.returncode == ExitCode.USAGE and "preflight" in done.stdout + done.stderr:
            return None
        if done.returncode:
            sys.exit(f"{recipe} on {target.name}:\n{done.stdout}{done.stderr}")
        found: dict[str, Any] = json.loads(place.read_text(encoding="utf-8"))
        return found


def row(target: Target) -> str:
    """The row of a target."""
    reports = [report_of(recipe, target) for recipe in RECIPES]
    kernels = next(report["kernels"] for report in reports if report is not None)
    counts = ["-" if report is None else f"{report['instructions_per_inference']:,.0f}" for report in reports]
    made = f"| `{target.name}` ({target.chip.cpu}) | {kernels.partition(', ')[2]} | {' | '.join(counts)} |"
    print(made, flush=True)
    return made


def main() -> None:
    """Runs everything, and puts the table into the page."""
    table = "\n".join([HEAD, "|---" * 2 + "|--:" * len(RECIPES) + "|", *map(row, emulators()), ""])
    text, count = TABLE.subn(lambda _: table, PAGE.read_text(encoding="utf-8"))
    if count != 1:
        sys.exit(f"{PAGE} has {count} tables that begin with {HEAD}")
    PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
