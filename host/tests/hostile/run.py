"""Feeds hostile files to every reader: ``make hostile``, or ``python -m host.tests.hostile.run --help``.

Each reader gets so many seconds, or cases. What is wrong is kept in build/hostile: the file and what it led to. A call
that was interrupted goes on where it was; --again begins anew. Exit code 0 if nothing is wrong, else 1.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from pathlib import Path

from . import readers, seeds, whole, worker
from .pool import CHECKOUT, Resident

_EVERY = 50
"""Cases between two notes of how far it is."""
BAD = ("fault", "signal", "hang", "forbidden", "unsteady")


def main() -> int:
    """Runs what the command line asks for and returns the exit code."""
    options = _options()
    folder: Path = options.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    kept = folder / f"seeds-{seeds.VERSION}"
    seeds.make(kept)
    wrong = 0
    for name in options.readers:
        counts = reader(name, folder, kept, options)
        wrong += sum(counts[each] for each in BAD)
        told = ", ".join(f"{count:,} {outcome}" for outcome, count in sorted(counts.items()))
        print(f"{name}: {sum(counts.values()):,} cases: {told}", flush=True)
    return 1 if wrong else 0


def reader(name: str, folder: Path, kept: Path, options: argparse.Namespace) -> Counter[str]:
    """All cases of one reader, those of earlier calls included."""
    state = folder / f"{name}-{options.seed}.json"
    counts: Counter[str] = Counter()
    if state.is_file() and not options.again:
        counts.update(json.loads(state.read_text(encoding="utf-8")))
    if name in whole.TARGETS:
        return whole.run(name, folder, kept, options, counts, state)
    one = readers.READERS[name]
    good = one.good(kept)
    with Resident("worker", name, str(kept)) as resident:
        resident.ask({"case": options.seed}, patience=240)  # which also waits for its start
        until = time.monotonic() + options.seconds
        while time.monotonic() < until and (options.cases is None or sum(counts.values()) < options.cases):
            number = options.seed * 1_000_000_007 + sum(counts.values())
            answer = resident.ask({"case": number})
            counts[answer["outcome"]] += 1
            if answer["outcome"] in BAD:
                keep(folder, name, number, worker.case(one, good, number), answer["told"])
            if sum(counts.values()) % _EVERY == 0:
                state.write_text(json.dumps(counts), encoding="utf-8")
    state.write_text(json.dumps(counts), encoding="utf-8")
    return counts


def keep(folder: Path, name: str, number: int, content: bytes, told: str) -> None:
    """Keeps a file that has led to something wrong, and says so."""
    place = folder / "wrong" / f"{number}-{name}"
    place.parent.mkdir(exist_ok=True)
    place.write_bytes(content)
    place.with_name(f"{place.name}.txt").write_text(told, encoding="utf-8")
    last = told.strip().splitlines()[-1] if told.strip() else ""
    print(f"{name} {number}: {last[:200]}", flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="hostile", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    every = [*readers.READERS, *whole.TARGETS]
    parser.add_argument("readers", nargs="*", metavar="READER", help=f"some of {', '.join(every)} (default: all)")
    parser.add_argument("--seconds", type=float, default=600, help="for each (default: 600)")
    parser.add_argument("--cases", type=int, help="at most so many for each")
    parser.add_argument("--seed", type=int, default=1, help="of all cases (default: 1)")
    parser.add_argument("--again", action="store_true", help="begin anew")
    parser.add_argument("--folder", type=Path, default=CHECKOUT / "build" / "hostile", help="for what is made")
    options = parser.parse_args()
    unknown = set(options.readers) - set(every)
    if unknown:
        parser.error(f"no such reader: {', '.join(sorted(unknown))}")
    options.readers = options.readers or every
    return options


if __name__ == "__main__":
    sys.exit(main())
