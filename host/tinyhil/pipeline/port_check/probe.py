"""Single frames to a device, several at a time, and everything that comes back: answers, damaged chunks, words.

A connection (tinyhil.link.connection) repeats what is lost and drops what is double; here that is what is looked for.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from tinyhil.deadline import Deadline
from tinyhil.link.fields import Message
from tinyhil.link.frames import ANSWER_TYPES, Frame, FrameDecoder, Text, encode_frame, longest_wire
from tinyhil.link.messages import MIN_PAYLOAD
from tinyhil.transport import Transport

PATIENCE = 0.3
"""Seconds of silence after which a frame counts as lost, beside its time on the wire."""

_READ_BYTES = 4096
_TAKEN_WITHIN = 3.0
"""Seconds for the system to take what is sent, beside its time on the wire."""


@dataclass
class Round:
    """What came back for some frames.

    Attributes:
        asked: how many were sent.
        seconds: from the sending of the first to the answer to the last.
        answers: whole frames of the device, by number; those that came twice are there twice.
        strays: answers to numbers that were not asked for now: late, or a second time.
        rejected: chunks that were neither frame nor text.
        texts: lines that the device printed.
    """

    asked: int = 0
    seconds: float = 0.0
    answers: dict[int, list[Frame]] = field(default_factory=dict)
    strays: int = 0
    rejected: list[bytes] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)


class Probe:
    """Asks over an open transport, which its opener closes.

    Args:
        transport: the line.
        patience: seconds of silence after which what is missing counts as lost, beside its time on the wire.
        byte_seconds: that a byte takes on the wire.
    """

    def __init__(self, transport: Transport, patience: float, byte_seconds: float) -> None:
        self._transport = transport
        self._patience = patience
        self._byte_seconds = byte_seconds
        self._chunk = b""

    def ask(self, kind: int, sequence: int, payload: bytes) -> Round:
        """Sends one frame, and waits for its answer."""
        return self.ask_all([Frame(kind, sequence, payload)])

    def message(self, message: Message, sequence: int) -> Frame | None:
        """The first answer to a message, None where none came."""
        answers = self.ask(message.TYPE, sequence, message.encode()).answers.get(sequence)
        return answers[0] if answers else None

    def ask_all(self, frames: Sequence[Frame]) -> Round:
        """Sends frames, one behind the other, and waits for all answers, or for silence.

        Raises:
            PortLostError: the port went away.
        """
        found, missing = Round(len(frames)), {frame.sequence for frame in frames}
        data = b"".join(map(encode_frame, frames))
        on_the_wire = self._byte_seconds * (len(data) + len(frames) * longest_wire(MIN_PAYLOAD))
        began = time.monotonic()
        self._transport.write(data, Deadline.after(on_the_wire + _TAKEN_WITHIN))
        deadline = Deadline.after(on_the_wire + self._patience, len(frames))
        while missing and not deadline.expired:
            if answered := self._take(deadline.remaining, found):
                missing -= answered
                deadline.renew()
                found.seconds = time.monotonic() - began
        wanted = {frame.sequence for frame in frames}
        for number in found.answers.keys() - wanted:
            found.strays += len(found.answers.pop(number))
        return found

    def listen(self, seconds: float) -> Round:
        """What comes without being asked for."""
        found, deadline = Round(), Deadline.after(seconds)
        while not deadline.expired:
            self._take(deadline.remaining, found)
        return found

    def _take(self, seconds: float, found: Round) -> set[int]:
        """Reads once; returns the numbers that were answered."""
        data = self._transport.read(_READ_BYTES, seconds)
        *chunks, self._chunk = (self._chunk + data).split(b"\0")
        answered = set()
        for chunk in filter(None, chunks):
            for event in FrameDecoder().feed(chunk + b"\0"):
                if isinstance(event, Frame) and event.type in ANSWER_TYPES:
                    found.answers.setdefault(event.sequence, []).append(event)
                    answered.add(event.sequence)
                elif isinstance(event, Text):
                    found.texts.append(event.text.rstrip())
                else:
                    found.rejected.append(chunk)
        return answered
