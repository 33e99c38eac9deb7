"""Measures a matrix of 3 recipes on 5 targets against the same runs one after the other, with everything built.

What counts is the ratio of the two times, which are taken by turns. It means something on two idle cores only; the load
is printed with it, and so is the time of the processor that each way takes, which tells how far a busy computer is off:
runs one after the other keep about one core busy, a matrix all of them.

    python benchmarks/matrix.py [ROUNDS] [BUILD_DIR]
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from itertools import product
from pathlib import Path

RECIPES = ("sine", "digits", "conv-digits")
TARGETS = ("qemu-m4", "qemu-m33", "qemu-m7", "native", "sim")
LIMIT = 0.6
"""Of the matrix' time to that of the runs one after the other, on two idle cores."""
TINYHIL = [sys.executable, "-m", "tinyhil", "run"]


@dataclass(frozen=True)
class Taken:
    """What one way took, in seconds.

    Attributes:
        wall: until it was done.
        processor: of all its processes.
    """

    wall: float
    processor: float


def taken(commands: list[list[str]]) -> Taken:
    """Runs commands one after the other.

    Raises:
        SystemExit: one of them did not pass.
    """
    before, started = _processor(), time.perf_counter()
    for argv in commands:
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(f"{' '.join(argv)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return Taken(time.perf_counter() - started, _processor() - before)


def _processor() -> float:
    """Seconds that all children that have ended have taken, with theirs."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Prints the table; exits with 1 if the limit is exceeded."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    build = ["--build-dir", sys.argv[2] if len(sys.argv) > 2 else str(Path(__file__).parents[1] / "build")]
    cores = len(os.sched_getaffinity(0))
    matrix = [[*TINYHIL, *RECIPES, "--target", ",".join(TARGETS), *build]]
    single = [[*TINYHIL, recipe, "--target", target, *build] for recipe, target in product(RECIPES, TARGETS)]
    taken(matrix)  # everything is made
    ways: dict[str, list[Taken]] = {"one after the other": [], f"matrix, {cores} at once": []}
    print(f"{len(single)} runs on {cores} cores, {rounds} rounds")
    for _ in range(rounds):
        for name, commands in zip(ways, (single, matrix), strict=True):
            load = os.getloadavg()[0]
            found = taken(commands)
            ways[name].append(found)
            print(
                f"{name:<24} {found.wall:6.1f} s, processor {found.processor:6.1f} s, load before {load:.1f}",
                flush=True,
            )
    wall, processor = (
        [statistics.median(getattr(each, name) for each in found) for found in ways.values()]
        for name in ("wall", "processor")
    )
    ratio = wall[1] / wall[0]
    print(f"ratio of the times {ratio:.2f}, limit {LIMIT} on two idle cores")
    print(
        f"by the processor's time alone {processor[1] / processor[0] / cores:.2f}: that of the matrix on {cores} cores"
    )
    sys.exit(ratio > LIMIT)


if __name__ == "__main__":
    main()
