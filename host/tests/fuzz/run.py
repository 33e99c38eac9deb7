"""Fuzzes the link: ``make fuzz``, or from the top of a checkout ``python -m host.tests.fuzz.run --help``.

Three fuzzers, one summary line each: libFuzzer on the device's decoder and on its server, side by side, then the
differential fuzzer on all cores. Exit code 0 if all is well, 1 after a crash, a sanitizer's report, a leak, a hang, a
divergence, or kinds of events that were never reached, and 3 if something is missing.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import time
from pathlib import Path

from tinyhil.link.frames import FRAME_TYPES, Reason

from . import libfuzzer, pool, programs
from .libfuzzer import Limit

FUZZERS = ("decoder", "server", "differential")

MUST_BE_REACHED = frozenset(
    {f"frame 0x{type_:02x}" for type_ in FRAME_TYPES}
    | {name for reason in Reason for name in (reason.value, f"{reason.value}, text only")}
    | {"frame", "frame, text only", "frame behind text of its own"}
)
"""Kinds of events that a run of the differential fuzzer has to have seen, so that it cannot become blind unnoticed."""


def main() -> int:
    """Runs what the command line asks for and returns the exit code."""
    options = _options()
    folder: Path = options.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    limit = Limit(options.seconds, options.runs)
    native = [name for name in ("decoder", "server") if name in options.fuzzers]
    if native and (missing := programs.why_no_libfuzzer(folder)) is not None:
        print(missing, file=sys.stderr)
        return 3
    try:
        built = {
            name: programs.fuzzer(name, folder, options.firmware, preprocessing=not options.plain) for name in native
        }
        if options.minimise:
            for name, program in built.items():
                print(f"{name}: {libfuzzer.minimise(name, program, folder, options.longest)} bytes in the corpus")
            return 0
        print(f"seed {options.seed}", flush=True)
        sound = _run_native(built, folder, options.seed, limit)
        if "differential" in options.fuzzers:
            sound &= _run_differential(programs.library(folder, options.firmware), options.seed, limit, options.workers)
    except programs.BuildError as error:
        print(error, file=sys.stderr)
        return 3
    return 0 if sound else 1


def _run_native(built: dict[str, Path], folder: Path, seed: int, limit: Limit) -> bool:
    runs = {name: libfuzzer.Run(name, program, folder, seed, limit) for name, program in built.items()}
    sound = True
    try:
        for name, run in runs.items():
            result = run.wait()
            if result.problem:
                print(result.problem)
                sound = False
            print(f"{name}: {result.line}", flush=True)
    finally:
        for run in runs.values():
            run.stop()
    return sound


def _run_differential(library: Path, seed: int, limit: Limit, workers: int) -> bool:
    started = time.monotonic()
    try:
        outcome = pool.run(library, seed, limit, workers)
    except pool.WorkerError as error:
        print(f"differential: {error}")
        return False
    rate = outcome.cases / (time.monotonic() - started)
    for divergence in outcome.divergences:
        print(json.dumps(divergence.as_case(), indent=2))
    missed = sorted(MUST_BE_REACHED - {name for name, count in outcome.reached.items() if count})
    if missed:
        print(f"never reached: {', '.join(missed)}")
    seen = len(MUST_BE_REACHED) - len(missed)
    print(
        f"differential: {outcome.cases:,} cases, {rate:,.0f}/s, {outcome.bytes / 1e6:,.0f} MB, "
        f"{seen} of {len(MUST_BE_REACHED)} kinds of events reached: {len(outcome.divergences)} divergences"
    )
    return not missed and not outcome.divergences


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="fuzz", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("fuzzers", nargs="*", metavar="FUZZER", help=f"some of {', '.join(FUZZERS)} (default: all)")
    parser.add_argument("--seconds", type=int, default=600, help="how long each runs (default: 600)")
    parser.add_argument("--runs", type=int, help="instead of --seconds: executions, or batches of the differential")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().getrandbits(31), help="default: another one")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="of the differential fuzzer")
    parser.add_argument("--folder", type=Path, default=programs.CHECKOUT / "build" / "fuzz", help="for what is made")
    parser.add_argument("--firmware", type=Path, default=programs.FIRMWARE, help="sources under test")
    parser.add_argument("--plain", action="store_true", help="the server as compiled without TINYHIL_PREPROCESSING")
    parser.add_argument("--minimise", action="store_true", help="only renew the corpus in firmware/fuzz/corpus")
    parser.add_argument("--longest", type=int, default=1100, help="bytes of the largest input kept by --minimise")
    options = parser.parse_args()
    unknown = set(options.fuzzers) - set(FUZZERS)
    if unknown:
        parser.error(f"no such fuzzer: {', '.join(sorted(unknown))}")
    options.fuzzers = options.fuzzers or list(FUZZERS)
    return options


if __name__ == "__main__":
    sys.exit(main())
