"""A connection and a device with a faulty wire each way, a clock that only jumps, and resets at any byte."""

from __future__ import annotations

import math
import random
import re
from dataclasses import dataclass

from tinyhil.link.connection import Connection
from tinyhil.link.events import ConnectionEvent, Failed, Inferred, Restarted
from tinyhil.link.states import State

from .device_role import DeviceRole
from .faulty_wire import Faults, FaultyWire

BOOT_SECONDS = (0.0, 0.1, 2.0)
"""How long a device may be deaf after a reset."""


@dataclass
class Resets:
    """Resets of the device: how probable one is when bytes arrive there, and how many there are at most."""

    probability: float = 0.0
    left: int = 0


class WiredPair:
    """The two cores, wired.

    Args:
        dice: the only source of chance.
        role: the device.
        to_device: what happens on the way there.
        to_host: what happens on the way back.
        resets: those of the device.
        rate: bytes per second that the wire carries each way.
        rate_known: whether the connection knows that.

    Attributes:
        events: all that the connection said.
        now: the time, in seconds.
    """

    def __init__(
        self,
        dice: random.Random,
        role: DeviceRole,
        to_device: Faults,
        to_host: Faults,
        resets: Resets | None = None,
        *,
        rate: float = math.inf,
        rate_known: bool = True,
    ) -> None:
        self.role = role
        self.connection = Connection(
            dice.randrange(2**32), resend_after=0.2, max_tries=1000, line_rate=rate if rate_known else math.inf
        )
        self.to_device = FaultyWire(dice, to_device, rate)
        self.to_host = FaultyWire(dice, to_host, rate)
        self.now = 0.0
        self.events: list[ConnectionEvent] = []
        self._resets = resets or Resets()
        self._dice = dice
        self._deaf_until = 0.0

    def step(self) -> list[ConnectionEvent]:
        """Goes to the next moment at which something happens, and returns what the connection says of it."""
        sent = self.connection.data_to_send()
        frames = re.findall(rb"\0[^\0]+\0", sent)
        assert b"".join(frames) == sent
        for frame in frames:
            self.to_device.send(frame, self.now)
        pause = self.connection.next_timeout(self.now)
        due = float("inf") if pause is None else self.now + pause
        moment = min(due, self.to_device.next_arrival, self.to_host.next_arrival)
        assert moment < float("inf"), "nothing is under way and nothing is waited for"
        self.now = max(self.now, moment)
        events: list[ConnectionEvent] = []
        if self.to_device.next_arrival <= self.now:
            self._reach_device(self.to_device.arrive())
        elif self.to_host.next_arrival <= self.now:
            data = self.to_host.arrive()
            while data:
                cut = self._dice.randint(1, 60)
                events += self.connection.receive(data[:cut], self.now)
                data = data[cut:]
        else:
            events += self.connection.on_time(self.now)
        self.events += events
        return events

    def _reach_device(self, data: bytes) -> None:
        if self._resets.left and self._dice.random() < self._resets.probability:
            self._resets.left -= 1
            cut = self._dice.randint(0, len(data))
            answer = b"".join(self._frames_of_device(data[:cut]))
            self.to_host.send(answer[: self._dice.randint(0, len(answer))] + b"boot\r\n", self.now)
            self.role.restart()
            self._deaf_until = self.now + self._dice.choice(BOOT_SECONDS)
            data = data[cut:]
        for frame in self._frames_of_device(data):
            self.to_host.send(frame, self.now)

    def _frames_of_device(self, data: bytes) -> list[bytes]:
        return self.role.receive(data) if self.now >= self._deaf_until else []


def converse(pair: WiredPair, vectors: list[bytes], batch: int) -> list[list[bytes]]:
    """Every batch of vectors through the pair, as a session does it: all answers to each.

    A model with state begins again after a restart; what it had answered before is void.
    """
    connection = pair.connection
    batches = [vectors[start : start + batch] for start in range(0, len(vectors), batch)]
    connection.hello(pair.now)
    while connection.state is not State.READY:
        _sound(pair.step())
    stateful = connection.description.welcome.stateful
    answers: list[list[bytes]] = [[] for _ in batches]
    tickets: dict[int, int] = {}
    next_batch = 0
    if stateful:
        connection.reset(pair.now)
    while next_batch < len(batches) or connection.in_flight:
        while next_batch < len(batches) and connection.can_send:
            some = batches[next_batch]
            tickets[connection.infer(b"".join(some), len(some), pair.now)] = next_batch
            next_batch += 1
        assert connection.in_flight <= connection.window
        for event in _sound(pair.step()):
            if isinstance(event, Inferred):
                answers[tickets[event.ticket]].append(event.outputs)
            if isinstance(event, Restarted) and stateful:
                answers = [[] for _ in batches]
                tickets.clear()
                next_batch = 0
                connection.reset(pair.now)
    return answers


def _sound(events: list[ConnectionEvent]) -> list[ConnectionEvent]:
    for event in events:
        if isinstance(event, Failed):
            raise event.error
    return events
