"""One direction of the line: a wire that sets the pace, then the faults, then a queue for the receiver.

The sender's UART clocks bytes out whatever happens to them later, so the wire comes first: a frame that is lost has
taken its time on it. The queue holds what is delayed and what the receiver has not taken; when it is full, the sender
has to wait. No bytes are lost but by the faults that were asked for.
"""

from __future__ import annotations

import random
from collections import deque
from dataclasses import replace

from tinyhil.proxy.counters import Counters
from tinyhil.proxy.faults import Action, FaultPipe, Faults, Scheduled
from tinyhil.proxy.rates import as_noise
from tinyhil.proxy.wire import Wire

QUEUE_BYTES = 1 << 18
"""How much may be under way before the sender has to wait; duplicates and garbage come on top."""


class Line:
    """One direction, without I/O.

    Args:
        faults: how bad it is.
        seed: the source of all chance.
        direction: its name, ``to_device`` or ``to_host``.
        baud: pace of the wire in bit/s, None for one that takes no time.
    """

    def __init__(self, faults: Faults, *, seed: int, direction: str, baud: int | None) -> None:
        self.faults = faults
        self._pipe = FaultPipe(faults, seed=seed, direction=direction)
        self._wire = Wire(baud) if baud is not None else None
        self._queue: deque[Scheduled] = deque()
        self._queued = 0
        self._sender = self._receiver = baud or 0
        self._limit = 0
        self._noise = random.Random(f"{seed}/{direction}/noise")

    @property
    def counters(self) -> Counters:
        """A copy of the counts so far."""
        return replace(self._pipe.counters)

    @property
    def room(self) -> int:
        """Bytes that ``push`` takes now; 0 while too much is under way."""
        if self._queued >= QUEUE_BYTES or (self._wire and self._wire.baud != self._sender):
            return 0
        return self._wire.room if self._wire else QUEUE_BYTES - self._queued

    def set_rates(self, sender: int, receiver: int, limit: int) -> None:
        """What its two ends are set to. What is being sent keeps the rate that it was sent at.

        Args:
            sender: in bit/s, like the others.
            receiver: at another one than the sender's it gets noise.
            limit: above which it gets noise too.
        """
        self._sender, self._receiver, self._limit = sender or self._sender, receiver, limit
        self._follow()

    def push(self, data: bytes, now: float) -> None:
        """Takes bytes from the sender, at most ``room``."""
        if self._wire:
            self._wire.push(data, now)
        else:
            self._arrive(data, now)

    def due(self, now: float) -> bytes | Action | None:
        """What the receiver gets next, if it is time for it."""
        if self._wire and self._queued < QUEUE_BYTES:
            baud = self._wire.baud
            self._arrive(self._heard(self._wire.pop(now), baud), now)
            self._follow()
        if self._queue and self._queue[0].at <= now:
            return self._queue[0].what
        return None

    def done(self, count: int = 0) -> None:
        """Takes the first ``count`` bytes of what ``due`` returned off the queue, or the action."""
        first = self._queue.popleft()
        if isinstance(first.what, bytes):
            self._queued -= count
            if count < len(first.what):
                self._queue.appendleft(Scheduled(first.at, first.what[count:]))

    def unheard(self, count: int) -> None:
        """Counts bytes that nobody was there to receive."""
        self._pipe.counters.unheard_bytes += count

    def next_due(self, now: float) -> float | None:
        """When ``due`` will have something new, None if that depends on the sender."""
        times = [self._queue[0].at] if self._queue else []
        if self._wire and self._queued < QUEUE_BYTES and (due := self._wire.next_due(now)) is not None:
            times.append(due)
        return min(times, default=None)

    def _follow(self) -> None:
        """The wire goes over to the sender's rate when it is idle."""
        if self._wire and self._wire.idle:
            self._wire.set_rate(self._sender)

    def _heard(self, data: bytes, baud: int) -> bytes:
        """What the receiver's UART makes of what was sent."""
        if not data or not self._limit or baud == self._receiver <= self._limit:
            return data
        self._pipe.counters.noise_bytes += len(data)
        return as_noise(data, baud, self._receiver, self._noise)

    def _arrive(self, data: bytes, now: float) -> None:
        if data:
            out = self._pipe.feed(data, now)
            self._queued += sum(len(item.what) for item in out if isinstance(item.what, bytes))
            self._queue.extend(out)
