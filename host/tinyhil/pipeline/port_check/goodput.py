"""How many bytes of tensors get through in a second, in a session with whatever model the device has."""

from __future__ import annotations

import contextlib
import secrets
import time
from collections.abc import Iterator

import numpy as np

from tinyhil.deadline import Deadline
from tinyhil.errors import DeviceError
from tinyhil.link.messages import Describe, Direction, Hello, Tensor, Welcome
from tinyhil.pipeline.port_check.findings import Checked, State
from tinyhil.pipeline.port_check.probe import PATIENCE, Probe
from tinyhil.progress import Silent
from tinyhil.session import Identity, PortLines, ask, open_session
from tinyhil.session.line_rate import BITS_PER_BYTE
from tinyhil.targets.model import Target
from tinyhil.transport import open_transport

_SECONDS = 1.0
"""For which a rate is tried."""

_SHARE = 0.5
"""Of what the line carries, below which goodput is called poor."""


def greeted(probe: Probe) -> Welcome | None:
    """What a device says of itself; asked again while it may be starting."""
    for _ in range(int(ask.SECONDS / PATIENCE)):
        answer = probe.message(Hello(), secrets.randbits(32))
        if answer is not None and answer.type == Welcome.TYPE:
            return Welcome.decode(answer.payload)
    return None


def identity(probe: Probe, welcome: Welcome) -> Identity:
    """What a device is, by its own word.

    Raises:
        DeviceError: it does not describe its tensors.
    """

    def tensors(direction: Direction, count: int) -> Iterator[Tensor]:
        for index in range(count):
            for _ in range(5):
                answer = probe.message(Describe(direction, index), secrets.randbits(32))
                if answer is not None and answer.type == Tensor.TYPE:
                    yield Tensor.decode(answer.payload)
                    break
            else:
                raise DeviceError(f"it does not describe its {direction.name.lower()} {index}", hint="try it again")

    return Identity(
        welcome.model_sha256.hex(),
        welcome.project_sha256.hex(),
        tuple(tensor.spec for tensor in tensors(Direction.INPUT, welcome.inputs)),
        tuple(tensor.spec for tensor in tensors(Direction.OUTPUT, welcome.outputs)),
    )


def goodput(target: Target, path: str, patience: float) -> Iterator[Checked]:
    """How many bytes of tensors a second get through, at each rate."""
    link = target.link
    for baud in (link.baud,):
        transport = open_transport(path, baud=baud, deadline=Deadline.after(ask.SECONDS), controls=link.controls)
        with contextlib.closing(transport):
            probe = Probe(transport, patience, BITS_PER_BYTE / baud)
            welcome = greeted(probe)
            if welcome is None:
                raise DeviceError("it does not answer any more", hint="reset it, and try it again")
            known = identity(probe, welcome)
        lines = PortLines(path, baud, controls=link.controls)
        with open_session(lines, known, target, lambda: None, Silent()) as session:
            rng = np.random.default_rng(0)
            vectors, moved, began = 1, 0, time.monotonic()
            while time.monotonic() - began < _SECONDS:
                inputs = tuple(
                    rng.integers(0, 100, (vectors, *spec.shape)).astype(spec.dtype.numpy) for spec in known.inputs
                )
                answers = session.answers_to(inputs)
                moved += sum(part.nbytes for part in (*answers.inputs, *answers.outputs))
                vectors = min(2 * vectors, 256)
            rate = moved / (time.monotonic() - began)
            resent = session.line_counters.resends
        carried = baud / BITS_PER_BYTE
        share = f"{rate / carried:.0%} of {carried:,.0f}"
        said = f"{baud} baud: {rate:,.0f} B/s of tensors, {share}, {resent} requests repeated"
        if rate >= _SHARE * carried:
            yield Checked("goodput", State.OK, said)
        else:
            step = "small models and slow ones have little of it; else look at what the line does above"
            yield Checked("goodput", State.WARNING, said, step)
