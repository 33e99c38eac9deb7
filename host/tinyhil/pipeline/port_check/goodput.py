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
from tinyhil.session.line_rate import BITS_PER_BYTE, above
from tinyhil.targets.model import Target
from tinyhil.transport import Rated, open_transport

_SECONDS = 1.0
"""For which a rate is tried."""

_SHARE = 0.5
"""Of what the line carries, below which goodput is called poor."""

NAME = "goodput"
"""Of the check at the first rate; behind it, with a colon, is each other rate."""

_LITTLE = "small models and slow ones have little of it; else look at what the line does above"
_LESS = "lower link.max_baud in the target file to a rate that the line keeps"


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
    """How many bytes of tensors a second get through: at the first rate, then at each that line and target allow."""
    link = target.link
    transport = open_transport(path, baud=link.baud, deadline=Deadline.after(ask.SECONDS), controls=link.controls)
    with contextlib.closing(transport):
        probe = Probe(transport, patience, BITS_PER_BYTE / link.baud)
        welcome = greeted(probe)
        if welcome is None:
            raise DeviceError("it does not answer any more", hint="reset it, and try it again")
        known = identity(probe, welcome)
        higher = above(link.baud, link.max_baud) if isinstance(transport, Rated) else []
    yield _at(link.baud, target, path, known)
    for rate in reversed(higher):
        yield _at(rate, target, path, known)


def _at(wanted: int, target: Target, path: str, known: Identity) -> Checked:
    """Goodput at a rate; a warning where there is little of it, and where the line does not carry the rate.

    Args:
        wanted: in bit/s.
        known: what the device is.
    """
    link = target.link
    first = wanted == link.baud
    name = NAME if first else f"{NAME}: {wanted}"
    lines = PortLines(path, link.baud, controls=link.controls, max_baud=0 if first else wanted)
    with open_session(lines, known, target, lambda: None, Silent()) as session:
        session.usage()  # by its answer the line has found its rate
        if session.line_rate != wanted:
            reached = session.line_rate
            step = (
                "leave link.max_baud out of the target file"
                if reached == link.baud
                else f"set link.max_baud = {reached}"
            )
            said = f"the line does not go over to {wanted:,} bit/s, and is at {reached:,}"
            return Checked(name, State.WARNING, said, f"{step}, or use a cable, hub or converter that carries more")
        rng = np.random.default_rng(0)
        vectors, sent, received, began = 1, 0, 0, time.monotonic()
        while time.monotonic() - began < _SECONDS:
            inputs = tuple(
                rng.integers(0, 100, (vectors, *spec.shape)).astype(spec.dtype.numpy) for spec in known.inputs
            )
            answers = session.answers_to(inputs)
            sent += sum(part.nbytes for part in answers.inputs)
            received += sum(part.nbytes for part in answers.outputs)
            vectors = min(2 * vectors, 256)
        got = max(sent, received) / (time.monotonic() - began)  # the line has as much room in each direction
        resent, kept = session.link_counters.resends, session.line_rate == wanted
    carried = wanted / BITS_PER_BYTE
    share = f"{got / carried:.0%} of {carried:,.0f}"
    said = f"{wanted} baud: {got:,.0f} B/s of tensors one way, {share}, {resent} requests repeated"
    if not kept:
        return Checked(name, State.WARNING, f"{said}; the line did not stay at the rate", _LESS)
    if got < _SHARE * carried:
        return Checked(name, State.WARNING, said, _LITTLE)
    return Checked(name, State.OK, said)
