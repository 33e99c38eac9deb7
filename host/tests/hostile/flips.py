"""Flips every byte of a .tflite file, one at a time, and runs each on ``sim`` from end to end, in workers that stay.

``python -m host.tests.hostile.flips MODEL.tflite``, or ``make flips`` for that of ``sine``. It prints a table and ends
with 1 if a file passes that the oracle forbids, or has two verdicts, or is a fault of ours. What is wrong is kept. All
flips of a file of 3.5 KB take two hours of one core: most of a run is the start of the processes that compute. A run
that was interrupted goes on where it was, as long as neither the file nor the code of tinyhil changes.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tinyhil.artifacts import hashing

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


class Outcomes:
    """What has become of each flip, in a file that is written as they are judged.

    Args:
        path: of that file; None keeps them in memory.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        lines = path.read_text(encoding="utf-8").splitlines() if path is not None and path.is_file() else []
        self._known = {(int(at), int(mask)): outcome for at, mask, outcome in (line.split() for line in lines)}

    def add(self, flip: tuple[int, int], outcome: str) -> None:
        """Keeps one; what the machine kept from being judged is not known, and is done again the next time."""
        self._known[flip] = outcome
        if self._path is not None and outcome != "blocked":
            with self._path.open("a", encoding="utf-8") as stream:
                stream.write(f"{flip[0]} {flip[1]} {outcome}\n")

    def __contains__(self, flip: tuple[int, int]) -> bool:
        return flip in self._known

    def counts(self, chosen: Sequence[tuple[int, int]]) -> Counter[str]:
        """How often each outcome is among those."""
        return Counter(self._known[flip] for flip in chosen if flip in self._known)


def table(
    content: bytes, chosen: Sequence[tuple[int, int]], folder: Path, twice: int = 1, outcomes: Outcomes | None = None
) -> Counter[str]:
    """How often each outcome was seen.

    Args:
        content: the file as it is.
        chosen: places and masks.
        folder: takes the files that lead to something wrong.
        twice: of so many files one is judged twice.
        outcomes: those that are known, which are not judged again.
    """
    outcomes = outcomes or Outcomes()
    oracle = Oracle()
    try:
        with tempfile.TemporaryDirectory(prefix="hostile-") as place, Resident("whole_worker", "sim") as resident:
            path, vectors = Path(place) / "m.tflite", Path(place) / "vectors.npz"
            for done, (at, mask) in enumerate(chosen, 1):
                if (at, mask) in outcomes:
                    continue
                path.write_bytes(content[:at] + bytes([content[at] ^ mask]) + content[at + 1 :])
                answer = judge("sim", resident, oracle, path, vectors, twice=done % twice == 0)
                outcomes.add((at, mask), answer["outcome"])
                if answer["outcome"] in BAD:
                    keep(folder, f"flip-{mask:02x}", at, path.read_bytes(), answer["told"])
                if done % _EVERY == 0:
                    sys.stderr.write(f"{done:,} of {len(chosen):,}: {dict(sorted(outcomes.counts(chosen).items()))}\n")
    finally:
        oracle.close()
    return outcomes.counts(chosen)


def main() -> int:
    """Runs what the command line asks for and returns the exit code."""
    parser = argparse.ArgumentParser(prog="flips", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("model", type=Path, metavar="MODEL.tflite")
    parser.add_argument("--count", type=int, help="so many, drawn (default: all)")
    parser.add_argument(
        "--part", type=int, nargs=2, default=(0, 1), metavar=("K", "N"), help="the Kth of N parts, from 0"
    )
    parser.add_argument("--seed", type=int, default=1, help="of what is drawn (default: 1)")
    parser.add_argument("--folder", type=Path, default=CHECKOUT / "build" / "flips", help="for what is wrong")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    content = options.model.read_bytes()
    part, parts = options.part
    code = hashing.of_sources(path for path in (CHECKOUT / "host" / "tinyhil").rglob("*") if path.is_dir())
    name = f"{hashing.of_bytes(content)[:8]}-{code[:8]}-{part}-of-{parts}.txt"
    chosen = flips(len(content), options.count, options.seed)[part::parts]
    counts = table(content, chosen, options.folder, outcomes=Outcomes(options.folder / name))
    for outcome, count in sorted(counts.items()):
        sys.stdout.write(f"{outcome:10} {count:7,}\n")
    return 1 if any(counts[each] for each in BAD) else 0


if __name__ == "__main__":
    sys.exit(main())
