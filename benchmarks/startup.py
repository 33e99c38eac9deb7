"""Times the commands that should be quick, as whole processes, and prints them beside a bare interpreter's start.

Run it after ``make demo`` (the second command needs its artifacts): ``make bench``. Nothing is asserted: machines
differ. The budgets are printed for comparison.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

RUNS = 5
TINYHIL = str(Path(sys.executable).parent / "tinyhil")
COMMANDS = [
    ("python -c pass", [sys.executable, "-c", "pass"], None),
    ("tinyhil --help", [TINYHIL, "--help"], 0.4),
    ("tinyhil run sine, warm", [TINYHIL, "run", "sine", "--target", "qemu-m4"], 1.2),
]


def seconds(argv: list[str]) -> float:
    """Wall-clock seconds of one run.

    Raises:
        SystemExit: the command failed.
    """
    started = time.perf_counter()
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    elapsed = time.perf_counter() - started
    if done.returncode != 0:
        sys.exit(f"{' '.join(argv)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return elapsed


def main() -> None:
    """Prints the table."""
    print(f"{'command':<24} {'median':>8} {'min':>8} {'max':>8} {'budget':>8} {'x bare':>7}")
    bare = 0.0
    for name, argv, budget in COMMANDS:
        seconds(argv)  # the first run fills the file system's cache
        times = [seconds(argv) for _ in range(RUNS)]
        median = statistics.median(times)
        bare = bare or median
        allowed = "" if budget is None else f"{budget:.1f} s"
        print(
            f"{name:<24} {median:>6.2f} s {min(times):>6.2f} s {max(times):>6.2f} s {allowed:>8} {median / bare:>7.1f}"
        )


if __name__ == "__main__":
    main()
