"""Sends a million inferences through a line that is as bad as it may be, and counts what went wrong: nothing may.

The device is the firmware of the recipe ``sine`` on the target ``native``; the line is the shipped fault proxy; the
host is the session stage, as every run uses it. Both directions flip each bit with 1e-4 and lose and double each frame
with 1 %; the device is reset in the middle of a frame at least every 100,000 inferences.

**What is counted.** All 256 inputs, again and again, each time in another seeded order. The ledger that the session
fills is our own: it counts each vector's answers as they are accepted and compares them with the integer reference at
once. *Wrong* are outputs that differ there or in the capture that the session returns; *lost* are vectors without an
answer, or missing from the capture; *double* are vectors that were accepted more than once. It exits with 1 if there
are any, or if fewer resets than promised took place.

**Resets.** The proxy resets by frames to the device. No request carries more than ``batch`` vectors, so one reset for
every ``reset_every // batch`` frames is at least one for every ``reset_every`` inferences; requests that are repeated
only make it more. The host notices fewer restarts than there were resets where two come between two of its requests.

What is calculated, the size of a request and the rate of undetected errors, is in bad_line.py. What is observed is
printed beside the latter: the chunks that the host rejected by CRC, each of which was one draw.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt
from rich.console import Console

from bad_line import LINE, Undetected, best_batch, undetected
from tinyhil.artifacts.types import Array, Vectors
from tinyhil.cli.console import ConsoleObserver, show_error
from tinyhil.deadline import Deadline
from tinyhil.device.emulator import EmulatorDevice
from tinyhil.errors import TinyhilError
from tinyhil.link.fields import MessageType
from tinyhil.link.frames import Frame, encode_frame
from tinyhil.link.inference import Infer, Result
from tinyhil.options import Options
from tinyhil.pipeline.opening import open_run
from tinyhil.pipeline.run import Run
from tinyhil.progress import Reporter
from tinyhil.proxy import FaultProxy
from tinyhil.session import Identity, PortLines, capture, open_session
from tinyhil.session.journal import Answer, Memory

SAMPLES = 200
"""Exchanges that the calculation of undetected errors looks at."""


@dataclass(frozen=True)
class Plan:
    """What is to be done: so many inferences, of which at most ``batch`` go into a request."""

    count: int
    seed: int
    batch: int
    reset_every: int

    @property
    def frames_per_reset(self) -> int:
        """See "Resets" above."""
        return max(1, self.reset_every // self.batch)

    @property
    def least_resets(self) -> int:
        """How many resets there are at least: each vector is sent at least once."""
        return math.ceil(self.count / self.batch) // self.frames_per_reset


class Tally(Memory):
    """The session's ledger, which counts for itself."""

    def __init__(self, expected: bytes, vectors: int) -> None:
        super().__init__()
        self.accepted: npt.NDArray[np.uint32] = np.zeros(vectors, np.uint32)
        self.wrong: npt.NDArray[np.bool_] = np.zeros(vectors, bool)
        self._expected = np.frombuffer(expected, np.uint8).reshape(vectors, -1)

    def add(self, answer: Answer) -> None:
        """Counts an answer and keeps it."""
        covered = slice(answer.start, answer.start + answer.count)
        self.accepted[covered] += 1
        outputs = np.frombuffer(answer.outputs, np.uint8).reshape(answer.count, -1)
        self.wrong[covered] |= (outputs != self._expected[covered]).any(axis=1)
        super().add(answer)


@dataclass(frozen=True)
class Verdict:
    """How many of the vectors went wrong, and how."""

    wrong: int
    lost: int
    double: int

    @property
    def clean(self) -> bool:
        """Whether nothing did."""
        return not (self.wrong or self.lost or self.double)


def judge(tally: Tally, outputs: Sequence[Array], reference: Sequence[Array]) -> Verdict:
    """Holds the tally and what the session returned against the reference."""
    vectors = len(tally.accepted)
    returned = min(len(part) for part in outputs)
    differs = tally.wrong.copy()
    for part, wanted in zip(outputs, reference, strict=True):
        differs[:returned] |= (part[:returned] != wanted[:returned]).reshape(returned, -1).any(axis=1)
    lost = tally.accepted == 0
    lost[returned:] = True
    return Verdict(int(differs.sum()), int(lost.sum()), int((tally.accepted > 1).sum()) + max(0, returned - vectors))


def tiled(vectors: Vectors, count: int, seed: int) -> Vectors:
    """``count`` vectors: all of ``vectors`` in one random order after the other."""
    dice = np.random.default_rng(seed)
    rounds = -(-count // vectors.count)
    order = np.concatenate([dice.permutation(vectors.count) for _ in range(rounds)])[:count]
    return Vectors(
        inputs=tuple(part[order] for part in vectors.inputs),
        reference=tuple(part[order] for part in vectors.reference),
        float_outputs=None,
        exhaustive=False,
    )


def sample(vectors: Vectors, plan: Plan) -> list[tuple[bytes, bytes]]:
    """Some of the plan's exchanges, as frames on the wire."""
    dice = np.random.default_rng(plan.seed)
    found = []
    for start in range(0, min(plan.count, SAMPLES * plan.batch), plan.batch):
        size = min(plan.batch, plan.count - start)
        asked, answered = (
            b"".join(part[index].tobytes() for index in range(start, start + size) for part in parts)
            for parts in (vectors.inputs, vectors.reference)
        )
        sequence = int(dice.integers(2**32))
        found.append(
            (
                encode_frame(Frame(MessageType.INFER, sequence, Infer(size, asked).encode())),
                encode_frame(Frame(MessageType.RESULT, sequence, Result(size, 0, answered).encode())),
            )
        )
    return found


class Told:
    """A reporter: the observer's bar on a terminal, and a plain line for every tenth elsewhere."""

    def __init__(self, inner: Reporter, plain: bool) -> None:
        self._inner = inner
        self._plain = plain
        self._begun = time.monotonic()
        self._shown = 0

    def progress(self, done: int, total: int, note: str = "") -> None:
        """Moves the bar, or prints a line."""
        tenth, thousandth = 10 * done // total, 1000 * done // total
        if self._plain and tenth > self._shown // 100:
            print(f"{done:>9,} of {total:,} {note} after {time.monotonic() - self._begun:.1f} s", flush=True)
        if thousandth > self._shown:
            self._shown = thousandth
            self._inner.progress(done, total, f"{done:,} {note}")

    def command(self, argv: Sequence[str]) -> None:
        """Passes it on."""
        self._inner.command(argv)

    def text(self, line: str) -> None:
        """Passes it on."""
        self._inner.text(line)


@dataclass(frozen=True)
class Outcome:
    """All figures of a soak."""

    plan: Plan
    verdict: Verdict
    seconds: float
    work: dict[str, int]
    link: dict[str, int]
    line: dict[str, dict[str, int]]
    undetected: Undetected

    @property
    def passed(self) -> bool:
        """Whether nothing went wrong on a line that was as bad as promised."""
        return self.verdict.clean and self.line["to_device"]["resets"] >= self.plan.least_resets

    def lines(self) -> Iterator[str]:
        """The figures for people."""
        plan, verdict, link, seconds = self.plan, self.verdict, self.link, self.seconds
        there, back = self.line["to_device"], self.line["to_host"]
        reasons = {key.removeprefix("rejected_"): link[key] for key in link if key.startswith("rejected_")}
        total = reasons.pop("chunks")
        requests = self.work["requests"]
        yield f"inferences    {plan.count:,} in {requests:,} requests of up to {plan.batch}, seed {plan.seed}"
        yield f"wrong         {verdict.wrong}"
        yield f"lost          {verdict.lost}"
        yield f"double        {verdict.double}"
        rates = f"{self.work['input_bytes'] / seconds:,.0f} B/s of inputs, {plan.count / seconds:,.0f} inferences/s"
        yield f"goodput       {rates} ({seconds:.1f} s)"
        yield f"resends       {link['resends']:,} of {link['frames_sent']:,} frames"
        yield f"resets        {there['resets']} (at least {plan.least_resets}); restarts seen {link['restarts']}"
        yield f"rejected      {total:,} chunks: " + ", ".join(f"{count:,} {name}" for name, count in reasons.items())
        yield f"unexpected    {link['unexpected_answers']:,} answers, late and doubled ones, none of them accepted"
        for name, way in (("to device", there), ("to host", back)):
            yield (
                f"{name:<13} {way['frames']:,} frames: {way['bit_flips']:,} bits flipped, "
                f"{way['dropped_frames']:,} dropped, {way['duplicated_frames']:,} duplicated"
            )
        exchanges = max(way["frames"] + way["duplicated_frames"] for way in (there, back))
        for name, chance in asdict(self.undetected).items():
            if chance is None:
                continue
            here = chance * exchanges
            yield (
                f"undetected    {name.replace('_', ' ')} {chance:.2e} per exchange (calculated): "
                f"{here:.1e} in this run, one in {plan.count / here:.1e} inferences"
            )
        draws = link["rejected_crc"]
        yield f"draws seen    {draws:,} chunks met the host's CRC and failed: {draws * 2.0**-32:.1e} expected to pass"


def soak(run: Run, plan: Plan, reporter: Reporter) -> Outcome:
    """Carries a plan out.

    Raises:
        TinyhilError: it could not be carried out to its end.
    """
    model, image = run.quantize(), run.build()
    vectors = tiled(model.vectors, plan.count, plan.seed)
    target = msgspec.structs.replace(run.target, link=msgspec.structs.replace(run.target.link, max_batch=plan.batch))
    assert target.emulator is not None
    tally = Tally(_records(vectors.reference), plan.count)
    with EmulatorDevice(target.emulator) as device:
        port = device.start(image.elf, Deadline.after(target.link.answer_within))
        with FaultProxy(
            port,
            replace(LINE, reset_every=plan.frames_per_reset),
            seed=plan.seed,
            to_host=LINE,
            reset=lambda: os.kill(device.pid, signal.SIGUSR1),
        ) as proxy:
            begun = time.monotonic()
            identity = Identity(model.sha256, image.project_sha256, model.inputs, model.outputs)
            lines = PortLines(proxy.port, target.link.baud)
            with open_session(lines, identity, target, device.check, reporter, ledger=tally) as session:
                answers = capture(session, vectors)
            seconds = time.monotonic() - begun
            line = proxy.describe()
    return Outcome(
        plan,
        judge(tally, answers.outputs, vectors.reference),
        seconds,
        answers.work,
        answers.counters,
        line,
        undetected(sample(vectors, plan)),
    )


def _records(parts: Sequence[Array]) -> bytes:
    """All tensors of each vector, one after the other."""
    rows = [np.ascontiguousarray(part).reshape(len(part), -1).view(np.uint8) for part in parts]
    return np.concatenate(rows, axis=1).tobytes()


def main() -> None:
    """Reads the options, soaks, prints."""
    options = argparse.ArgumentParser(description="many inferences over a bad line: 0 wrong, 0 lost, 0 double")
    options.add_argument("--count", type=int, default=1_000_000, help="inferences (default: %(default)s)")
    options.add_argument("--seed", type=int, default=1, help="of the order, and of the line (default: %(default)s)")
    options.add_argument("--reset-every", type=int, default=100_000, help="inferences (default: %(default)s)")
    options.add_argument("--batch", type=int, help="most vectors in a request (default: what carries most on a wire)")
    options.add_argument("--build-dir", type=Path, default=Path("build"), help="(default: %(default)s)")
    options.add_argument("--json", type=Path, help="write the figures to this file as well")
    given = options.parse_args()
    console = Console(stderr=True)
    observer = ConsoleObserver(console, verbose=False)
    try:
        run = open_run("sine", Options(target="native", build_dir=given.build_dir), observer)
        model = run.quantize()
        run.build()
        sizes = [sum(spec.nbytes for spec in specs) for specs in (model.inputs, model.outputs)]
        most = (run.target.link.max_payload - Result.HEADER_BYTES) // max(sizes)
        plan = Plan(given.count, given.seed, given.batch or best_batch(sizes[0], sizes[1], most), given.reset_every)
        with observer.stage("soak") as reporter:
            outcome = soak(run, plan, Told(reporter, plain=not console.is_terminal))
    except TinyhilError as error:
        show_error(console, error, verbose=False)
        sys.exit(1)
    print("\n".join(outcome.lines()))
    if given.json is not None:
        given.json.write_text(json.dumps({**asdict(outcome), "passed": outcome.passed}, indent=2) + "\n")
    if not outcome.passed:
        sys.exit("not everything arrived as it should have")


if __name__ == "__main__":
    main()
