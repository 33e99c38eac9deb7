"""The order of the checks of a port. What cannot be looked at because of what failed before is left out, and said."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator

from tinyhil import kinds
from tinyhil.deadline import Deadline
from tinyhil.errors import DeviceError, LinkError, TinyhilError
from tinyhil.link.messages import Welcome
from tinyhil.pipeline.port_check import line, place
from tinyhil.pipeline.port_check.findings import Checked, State, failed
from tinyhil.pipeline.port_check.goodput import goodput, greeted
from tinyhil.pipeline.port_check.probe import PATIENCE, Probe
from tinyhil.session.ask import SECONDS, Heard, ask
from tinyhil.session.line_rate import BITS_PER_BYTE
from tinyhil.targets.model import Target
from tinyhil.transport import finder, open_transport, quarantine
from tinyhil.transport.finder import PortFinder, PortInfo

RESETS = 10
PRINTS_NOTHING = "it prints nothing at its start"
_GREETINGS = 4
_DAMAGE = (kinds.LINE_ENDINGS, kinds.SEVEN_BITS, kinds.FLOW_CONTROL, kinds.DAMAGED_ANSWERS, kinds.NOISE)

_OTHER_CONTROLS = ((True, True), (False, False), (True, False), (False, True))


def check(
    target: Target,
    port: str,
    *,
    present: Callable[[], Iterable[PortInfo]] = finder.present,
    seconds: float = SECONDS,
    patience: float = PATIENCE,
) -> Iterator[Checked]:
    """Looks at a port and the device behind it, one thing after the other.

    Args:
        target: what the device is meant to be.
        port: as ``--port`` takes it.
        present: lists the serial ports.
        seconds: for an answer to the greeting.
        patience: seconds of silence after which a single frame counts as lost, beside its time on the wire.
    """
    steps = _steps(target, port, present, seconds, patience)
    while True:
        # A board in quarantine may be checked; what the caller does between two checks is not covered by that.
        with quarantine.admitted():
            checked = next(steps, None)
        if checked is None:
            return
        yield checked


def _steps(
    target: Target, port: str, present: Callable[[], Iterable[PortInfo]], seconds: float, patience: float
) -> Iterator[Checked]:
    try:
        if (entry := quarantine.of_port(port, present)) is not None:
            yield Checked("quarantine", State.WARNING, entry.said, entry.release, kinds.QUARANTINED.id)
    except DeviceError as error:
        yield failed("quarantine", error)
    try:
        path = PortFinder(port).locate()
    except TinyhilError as error:
        yield failed("port", error)
        return
    yield from (found := list(place.permissions(path, target)))
    if found[-1].state is State.FAILED:
        return
    yield place.ids(path, target, present)
    if target.power is not None:
        yield place.power(target.power)
    try:
        heard = _ask(target, path, seconds)
    except TinyhilError as error:
        yield failed("port", error)
        return
    yield Checked("port", State.OK, f"{path} can be opened at {target.link.baud} baud")
    yield from _handshake(target, path, heard, seconds)
    if heard.welcome is None:
        yield Checked("line", State.SKIPPED, "nothing answers, so that the line cannot be tried")
        return
    try:
        yield from _line(target, path, patience)
        yield from goodput(target, path, patience)
    except (DeviceError, LinkError) as error:
        yield failed("line: broken", error)
    yield _resets(target, path, seconds)


def _ask(target: Target, path: str, seconds: float) -> Heard:
    """Greets the device; again, under another number, where the answer was damaged, which may lie in the number."""
    heard = Heard(None)
    for _ in range(_GREETINGS):
        heard = ask(path, target.link.baud, seconds, controls=target.link.controls)
        if heard.welcome is not None or heard.kind not in _DAMAGE:
            break
    return heard


def _handshake(target: Target, path: str, heard: Heard, seconds: float) -> Iterator[Checked]:
    """Control lines, what is said at the start, and the greeting."""
    named = _named(target.link.controls)
    if heard.welcome is not None:
        yield Checked("control lines", State.OK, f"it answers with {named}")
        yield Checked("handshake", State.OK, _of(heard.welcome))
        return
    for controls in _OTHER_CONTROLS:
        if controls != target.link.controls:
            with contextlib.suppress(TinyhilError):
                if ask(path, target.link.baud, seconds, controls=controls).welcome is not None:
                    dtr, rts = (str(each).lower() for each in controls)
                    yield Checked(
                        "control lines",
                        State.FAILED,
                        f"it answers with {_named(controls)}, and not with {named}",
                        f"set link.dtr = {dtr} and link.rts = {rts} in the target file",
                    )
                    return
    yield Checked("control lines", State.SKIPPED, "it does not answer, however DTR and RTS are set")
    said = f"{heard.why}\n{heard.said}" if heard.said else heard.why
    kind = "" if heard.kind is None else heard.kind.id
    yield Checked("handshake", State.FAILED, said, heard.next_step, kind)


def _named(controls: tuple[bool, bool]) -> str:
    return " and ".join(
        f"{name} {'high' if high else 'low'}" for name, high in zip(("DTR", "RTS"), controls, strict=True)
    )


def _of(welcome: Welcome) -> str:
    return f"engine {welcome.engine}, model {welcome.model_sha256.hex()[:16]}..., boot id {welcome.boot_id:08x}"


def _line(target: Target, path: str, patience: float) -> Iterator[Checked]:
    """What gets lost on the way."""
    link = target.link
    byte_seconds = BITS_PER_BYTE / link.baud
    transport = open_transport(path, baud=link.baud, deadline=Deadline.after(SECONDS), controls=link.controls)
    with contextlib.closing(transport):
        probe = Probe(transport, patience, byte_seconds)
        boot = probe.listen(patience)
        words = "; ".join(boot.texts[-3:])
        yield Checked("boot", State.OK, f"it prints at its start: {words}" if words else PRINTS_NOTHING)
        welcome = greeted(probe)
        if welcome is None:
            yield Checked("line: broken", State.FAILED, "it answered before, and does not answer now", "try it again")
            return
        yield line.every_byte(probe)
        yield line.longest_frame(probe, welcome)
        yield from line.quality(probe, welcome, byte_seconds)


def _resets(target: Target, path: str, seconds: float) -> Checked:
    """Closes and opens the port, which resets boards whose DTR leads to reset."""
    answered, boots = 0, set()
    for left in reversed(range(RESETS)):
        try:
            # Not a goodbye in between: what it brings back counts as a start too.
            welcome = ask(path, target.link.baud, seconds, controls=target.link.controls, parting=left == 0).welcome
        except TinyhilError:
            continue
        if welcome is not None:
            answered += 1
            boots.add(welcome.boot_id)
    said = f"closed and opened {RESETS} times: answered {answered} times, {len(boots)} starts"
    if answered == RESETS:
        return Checked("resets", State.OK, said)
    step = "a board that hangs at a reset needs a longer link.answer_within, or link.dtr and link.rts set to false"
    return Checked("resets", State.FAILED, said, step)
