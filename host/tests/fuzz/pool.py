"""Runs batches of the differential fuzzer on all cores.

Each worker is a process of its own, and is told one seed at a time, so that it is known which batch a decoder has
crashed or hung in.
"""

from __future__ import annotations

import itertools
import multiprocessing
import time
from multiprocessing.connection import Connection, wait
from pathlib import Path

from .differential import DeviceDecoder, Outcome, batch
from .libfuzzer import Limit

_SECONDS_PER_BATCH = 60


class WorkerError(Exception):
    """A worker has died or does not end; the message says in which batch."""


def run(library: Path, seed: int, limit: Limit, workers: int) -> Outcome:
    """Runs the batches ``seed``, ``seed + 1`` ... up to the limit, whose runs are batches, or the first divergence.

    Raises:
        WorkerError: see there.
    """
    context = multiprocessing.get_context("spawn")
    seeds = itertools.count(seed) if limit.runs is None else iter(range(seed, seed + limit.runs))
    total = Outcome()
    busy: dict[Connection, int] = {}
    processes = []
    try:
        for _ in range(workers):
            ours, theirs = context.Pipe()
            process = context.Process(target=_work, args=(theirs, library), daemon=True)
            process.start()
            theirs.close()
            processes.append(process)
            busy[ours] = next(seeds, seed)
            ours.send(busy[ours])
        end = time.monotonic() + limit.seconds
        while busy:
            ready = wait(list(busy), timeout=_SECONDS_PER_BATCH)
            if not ready:
                raise WorkerError(f"a decoder hangs in one of the batches {sorted(busy.values())}")
            for pipe in ready:
                assert isinstance(pipe, Connection)
                total.add(_receive(pipe, busy.pop(pipe)))
                over = limit.runs is None and time.monotonic() >= end
                following = None if total.divergences or over else next(seeds, None)
                if following is not None:
                    busy[pipe] = following
                    pipe.send(following)
    finally:
        for process in processes:
            process.kill()
            process.join()
    return total


def _receive(pipe: Connection, seed: int) -> Outcome:
    try:
        outcome = pipe.recv()
    except (EOFError, ConnectionResetError):
        raise WorkerError(f"a decoder has crashed in batch {seed}") from None
    assert isinstance(outcome, Outcome)
    return outcome


def _work(pipe: Connection, library: Path) -> None:
    device = DeviceDecoder(library)
    while True:
        pipe.send(batch(device, pipe.recv()))
