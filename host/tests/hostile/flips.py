"""Flips every byte of a .tflite file, one at a time, and runs each on ``sim`` from end to end, in workers that stay.

``python -m host.tests.hostile.flips MODEL.tflite``, or ``make flips`` for that of ``sine``. It prints a table and ends
with 1 if a file passes that the oracle forbids, or has two verdicts, or is a fault of ours. What is wrong is kept. All
flips of a file of 3.5 KB take two hours of one core: most of a run is the start of the processes that compute.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from .pool import CHECKOUT, Resident
from .run import BAD, keep
from .whole import Oracle, judge

MASKS = (0x01, 0x80)
"""The lowest and the highest bit."""
_EVERY = 250
"""Files between two notes of how far it is."""


def flips(size: int, count: int | None = None, seed: int = 1) -> list[tuple[int, int]]:
    """Places and masks: all there are, or so many of them that are drawn."""
    every = [(at, mask) for at in range(size) for mask in MASKS]
    return every if count is None else sorted(random.Random(seed).sample(every, count))


def table(content: bytes, chosen: Sequence[tuple[int, int]], folder: Path, twice: int = 1) -> Counter[str]:
    """How often each outcome was seen.

    Args:
        content: the file as it is.
        chosen: places and masks.
        folder: takes the files that lead to something wrong.
        twice: of so many files one is judged twice.
    """
    counts: Counter[str] = Counter()
    oracle = Oracle()
    try:
        with tempfile.TemporaryDirectory(prefix="hostile-") as place, Resident("whole_worker", "sim") as resident:
            path, vectors = Path(place) / "m.tflite", Path(place) / "vectors.npz"
            for done, (at, mask) in enumerate(chosen, 1):
                path.write_bytes(content[:at] + bytes([content[at] ^ mask]) + content[at + 1 :])
                answer = judge("sim", resident, oracle, path, vectors, twice=done % twice == 0)
                counts[answer["outcome"]] += 1
                if answer["outcome"] in BAD:
                    keep(folder, f"flip-{mask:02x}", at, path.read_bytes(), answer["told"])
                if done % _EVERY == 0:
                    sys.stderr.write(f"{done:,} of {len(chosen):,}: {dict(sorted(counts.items()))}\n")
    finally:
        oracle.close()
    return counts


def main() -> int:
    """Runs what the command line asks for and returns the exit code."""
    parser = argparse.ArgumentParser(prog="flips", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("model", type=Path, metavar="MODEL.tflite")
    parser.add_argument("--count", type=int, help="so many, drawn (default: all)")
    parser.add_argument("--from", type=int, default=0, dest="first", help="leave out so many of them")
    parser.add_argument("--seed", type=int, default=1, help="of what is drawn (default: 1)")
    parser.add_argument("--folder", type=Path, default=CHECKOUT / "build" / "flips", help="for what is wrong")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    content = options.model.read_bytes()
    chosen = flips(len(content), options.count, options.seed)[options.first :]
    counts = table(content, chosen, options.folder)
    for outcome, count in sorted(counts.items()):
        sys.stdout.write(f"{outcome:10} {count:7,}\n")
    return 1 if any(counts[each] for each in BAD) else 0


if __name__ == "__main__":
    sys.exit(main())
