"""What a line does to frames: each value of a byte, the longest frame, and faults by their kind."""

from __future__ import annotations

import secrets
import statistics
from collections.abc import Iterator

from tinyhil import kinds
from tinyhil.kinds import Kind
from tinyhil.link.frames import FRAME_OVERHEAD, REQUEST_TYPES, Frame, encode_frame, longest_wire
from tinyhil.link.messages import Describe, Direction, Error, Hello, Welcome
from tinyhil.link.table import EXCHANGES
from tinyhil.pipeline.port_check.findings import Checked, State
from tinyhil.pipeline.port_check.probe import Probe, Round

_TRIES = 3
"""A number is sent with so many different checks, so that a lost value in one of these is not taken for its own."""

_FRAMES = 200
_SINGLE = 16
"""Frames by which a line is judged: in windows, for what is lost, and one by one, for time."""

SLOW_S = 0.05
"""A round trip of a short frame beside the time on the wire, beyond which a line is called slow."""

_UNKNOWN_TYPE = max(REQUEST_TYPES - {int(row.request.TYPE) for row in EXCHANGES})
"""A device answers it, whatever it carries, with ERROR."""

_ASKED = Describe(Direction.INPUT, 0)
"""What is asked: it changes nothing, and its answer is short."""


def every_byte(probe: Probe) -> Checked:
    """Sends each value of a byte in the number of a request, which its answer carries back."""
    name = "bytes"
    lost: list[int] = []
    changed: list[int] = []
    for value in range(256):
        damaged = False
        for attempt in range(_TRIES):
            sequence = int.from_bytes(bytes([value, value, value, (value + 37 * attempt) & 0xFF]), "little")
            found = probe.ask(_ASKED.TYPE, sequence, _ASKED.encode())
            if sequence in found.answers:
                break
            damaged = damaged or bool(found.rejected)
        else:
            (changed if damaged else lost).append(value)
    if not lost and not changed:
        return Checked(name, State.OK, "all 256 values of a byte come back")
    values = " ".join(f"{value:02x}" for value in sorted(lost + changed))
    kind = _kind_of(set(lost + changed))
    way = "to the device" if not changed else "back to the computer"
    return Checked(
        name,
        State.FAILED,
        f"{len(lost + changed)} values of a byte get lost on the way {way}: {values}",
        kind.steps[0],
        kind.id,
    )


def _kind_of(values: set[int]) -> Kind:
    if values <= {0x11, 0x13}:
        return kinds.FLOW_CONTROL
    if values <= {0x0A, 0x0D}:
        return kinds.LINE_ENDINGS
    return kinds.SEVEN_BITS if min(values) >= 0x80 else kinds.DAMAGED_ANSWERS


def longest_frame(probe: Probe, welcome: Welcome) -> Checked:
    """The longest request that arrives, found by halves."""
    name = "longest frame"
    largest = welcome.max_payload
    if _arrives(probe, largest):
        said = f"requests of {longest_wire(largest)} bytes arrive, the longest that the device takes"
        return Checked(name, State.OK, said)
    arrives, lost = 0, largest
    while lost - arrives > 1:
        middle = (arrives + lost) // 2
        arrives, lost = (middle, lost) if _arrives(probe, middle) else (arrives, middle)
    return Checked(
        name,
        State.FAILED,
        f"requests of more than {longest_wire(arrives)} bytes get lost, where the device takes {longest_wire(largest)}",
        kinds.LONG_LOST.steps[0],
        kinds.LONG_LOST.id,
    )


def _arrives(probe: Probe, payload_bytes: int) -> bool:
    for _ in range(_TRIES):
        sequence = secrets.randbits(32)
        if sequence in probe.ask(_UNKNOWN_TYPE, sequence, secrets.token_bytes(payload_bytes)).answers:
            return True
    return False


def quality(probe: Probe, welcome: Welcome, byte_seconds: float) -> Iterator[Checked]:
    """What of many short frames gets lost, damaged, doubled, or takes long.

    Args:
        byte_seconds: that a byte takes on the wire at least.
    """
    name = "line"
    rounds: list[Round] = []
    single = [_ask(probe, 1) for _ in range(_SINGLE)]
    window = welcome.window
    for _ in range(-(-(_FRAMES - _SINGLE) // window)):
        rounds.append(_ask(probe, window))
    asked = _SINGLE + window * len(rounds)
    everything = [*single, *rounds]
    answered = sum(len(each.answers) for each in everything)
    damaged, inserted = _sorted(everything)
    double = sum(each.strays + sum(len(answers) - 1 for answers in each.answers.values()) for each in everything)
    faults = list(_faults(name, asked, asked - answered, damaged, inserted, double))
    restarts = sum(_is_restart(each) for each in everything)
    if restarts:
        step = kinds.CRASHES.steps[1]
        said = f"the device starts again while it is asked, {restarts} times"
        faults.append(Checked(f"{name}: restarts", State.FAILED, said, step, kinds.CRASHES.id))
    faults += _times(name, [each.seconds for each in single if each.answers], byte_seconds)
    yield from faults
    if not faults:
        yield Checked(name, State.OK, f"{asked} short requests, each answered once, whole and at once")


def _ask(probe: Probe, count: int) -> Round:
    found = probe.ask_all([Frame(_ASKED.TYPE, secrets.randbits(32), _ASKED.encode()) for _ in range(count)])
    if _is_restart(found):
        probe.message(Hello(), secrets.randbits(32))
    return found


def _is_restart(found: Round) -> bool:
    """Whether the device says that it has not been greeted, which it was."""
    return any(frame.type == Error.TYPE for answers in found.answers.values() for frame in answers)


def _sorted(rounds: list[Round]) -> tuple[int, int]:
    """How many of the rejected chunks were answers, and how many something else that came in between.

    An answer is as long as the others are, or short of that where one is missing.
    """
    answers = [frame for each in rounds for frames in each.answers.values() for frame in frames]
    usual = max((len(encode_frame(frame)) - 2 for frame in answers), default=0)
    damaged = inserted = 0
    for each in rounds:
        missing = each.asked - len(each.answers)
        for chunk in each.rejected:
            if missing > 0 and len(chunk) <= usual:
                missing -= 1
                damaged += 1
            else:
                inserted += 1
    return damaged, inserted


def _faults(name: str, asked: int, missing: int, damaged: int, inserted: int, double: int) -> Iterator[Checked]:
    lost, kind = missing - damaged, kinds.DAMAGED_ANSWERS
    if damaged:
        said = f"{damaged} of {asked} answers arrive damaged"
        yield Checked(f"{name}: damaged", State.FAILED, said, kind.steps[0], kind.id)
    if lost:
        step = "look at the cable, at hubs on the way, and at buffers that are too small (link.max_payload)"
        yield Checked(f"{name}: lost", State.FAILED, f"{lost} of {asked} requests or answers get lost", step, kind.id)
    if inserted:
        step = "something else sends on this line: look for a second transmitter, or a program that prints binary data"
        yield Checked(
            f"{name}: inserted", State.FAILED, f"{inserted} pieces come in between that are no answers", step, kind.id
        )
    if double:
        step = "something on the way repeats what it has sent: look at port servers and radio links"
        yield Checked(f"{name}: double", State.WARNING, f"{double} answers come twice", step)


def _times(name: str, seconds: list[float], byte_seconds: float) -> Iterator[Checked]:
    if not seconds:
        return
    wire = byte_seconds * 2 * (FRAME_OVERHEAD + 80)
    usual, worst = statistics.median(seconds), max(seconds)
    if usual > SLOW_S + wire:
        step = "a USB converter may hold bytes back (its latency timer), a port server may be far away"
        yield Checked(f"{name}: slow", State.WARNING, f"an answer takes {1000 * usual:.0f} ms", step)
    if worst > 3 * usual and worst > SLOW_S + wire:
        step = "the line pauses now and then: look at hubs, at the computer's load, and at radio links"
        said = f"an answer takes {1000 * usual:.0f} ms as a rule, and {1000 * worst:.0f} ms at times"
        yield Checked(f"{name}: uneven", State.WARNING, said, step)
