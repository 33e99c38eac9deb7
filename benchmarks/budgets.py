"""Checks the limits that stay: ``make budgets`` prints one table, and ends with 1 if a limit is exceeded.

Times are medians of several runs of whole processes, and mean something on two idle cores only; the load is printed
with them. Flash and instructions are those of a chip that is emulated exactly: they do not depend on the machine.
What ``make test`` took is read from the file that it leaves, if there is one.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from startup import seconds

REPOSITORY = Path(__file__).parents[1]
BUILD = REPOSITORY / "build"
TEST_TIME = BUILD / "test-seconds"
"""Written by ``make test``: how long it took, in seconds."""
RUNS = 5
TARGET = "qemu-m4"
TINYHIL = [sys.executable, "-m", "tinyhil"]

FLASH_BYTES = {"sine": 6_780, "digits": 20_840, "conv-digits": 12_060}
"""What was measured with gcc 12.2, and two per cent for another compiler."""
INSTRUCTIONS = {"sine": 4_500, "digits": 49_000, "conv-digits": 1_265_000}
"""Per inference, likewise."""
WARM_SECONDS = {"sine": 1.2, "digits": 4.0}
PAGE_BYTES = 250_000


@dataclass(frozen=True)
class Row:
    """One limit.

    Attributes:
        name: of what is limited.
        limit: the most that it may be.
        measured: what it is; None where it could not be measured.
        unit: of both.
        why: why it was not measured.
    """

    name: str
    limit: float
    measured: float | None
    unit: str
    why: str = ""

    @property
    def ok(self) -> bool:
        """Whether the limit is kept, as far as it was measured."""
        return self.measured is None or self.measured <= self.limit

    def line(self) -> str:
        """The row as text."""
        digits = ".2f" if self.unit == "s" else ",.0f"
        found = f"not measured: {self.why}" if self.measured is None else f"{self.measured:{digits}} {self.unit}"
        word = "-" if self.measured is None else "ok" if self.ok else "OVER"
        return f"{self.name:<40} {f'{self.limit:{digits}} {self.unit}':>18} {found:>22}  {word}"


def median(argv: list[str]) -> float:
    """Seconds of a command, after a first run that fills caches."""
    seconds(argv)
    return statistics.median(seconds(argv) for _ in range(RUNS))


def import_seconds() -> float:
    """Seconds that ``import tinyhil`` takes in a Python that has started."""
    code = "import time; t = time.perf_counter(); import tinyhil; print(time.perf_counter() - t)"
    times = [
        float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)
        for _ in range(RUNS + 1)
    ]
    return statistics.median(times[1:])


def of_recipe(recipe: str, place: Path) -> dict[str, Any]:
    """The report of a run of a recipe.

    Raises:
        SystemExit: it did not pass.
    """
    seconds([*TINYHIL, "run", recipe, "--target", TARGET, "--build-dir", str(BUILD), "--json", str(place)])
    found: dict[str, Any] = json.loads(place.read_text(encoding="utf-8"))
    return found


def rows() -> Iterator[Row]:
    """Every limit, measured."""
    with tempfile.TemporaryDirectory() as folder:
        reports = {recipe: of_recipe(recipe, Path(folder) / "out.json") for recipe in FLASH_BYTES}
    for recipe, report in reports.items():
        yield Row(f"{recipe} on {TARGET}: flash", FLASH_BYTES[recipe], report["size"]["flash_bytes"], "B")
        yield Row(f"{recipe} on {TARGET}: instructions", INSTRUCTIONS[recipe], report["instructions_per_inference"], "")
    for recipe in FLASH_BYTES:
        page = BUILD / recipe / TARGET / "report.html"
        yield Row(f"{recipe}: report page", PAGE_BYTES, page.stat().st_size, "B")
    for recipe, limit in WARM_SECONDS.items():
        argv = [*TINYHIL, "run", recipe, "--target", TARGET, "--build-dir", str(BUILD)]
        yield Row(f"warm tinyhil run {recipe} --target {TARGET}", limit, median(argv), "s")
    yield Row("tinyhil --help", 0.4, median([*TINYHIL, "--help"]), "s")
    yield Row("import tinyhil", 0.05, import_seconds(), "s")
    took = float(TEST_TIME.read_text()) if TEST_TIME.is_file() else None
    yield Row("make test", 600, took, "s", f"no {TEST_TIME.relative_to(REPOSITORY)}")


def main() -> None:
    """Prints the table; exits with 1 if a limit is exceeded."""
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    print(f"{'what':<40} {'limit':>18} {'measured':>22}")
    over = []
    for row in rows():
        print(row.line(), flush=True)
        if not row.ok:
            over.append(row.name)
    if over:
        sys.exit(f"over the limit: {', '.join(over)}")


if __name__ == "__main__":
    main()
