"""A wire that loses, damages, doubles, invents and delays, by a seeded dice. It keeps order, as real ones do."""

from __future__ import annotations

import math
import random
from collections import Counter, deque
from dataclasses import dataclass, fields


@dataclass(frozen=True)
class Faults:
    """How probable each fault is, per frame.

    Attributes:
        drop: it is lost whole.
        flip: one bit of it is flipped, delimiters included.
        lose_byte: one of its bytes is lost, delimiters included.
        truncate: it ends early.
        double: it arrives twice.
        garbage: random bytes precede it.
        chatter: a line of text precedes it.
        delay: it, and all that comes after it, arrives later.
    """

    drop: float = 0.0
    flip: float = 0.0
    lose_byte: float = 0.0
    truncate: float = 0.0
    double: float = 0.0
    garbage: float = 0.0
    chatter: float = 0.0
    delay: float = 0.0


MODES = [field.name for field in fields(Faults)]
LONGEST_DELAY = 3.0


class FaultyWire:
    """One direction of a wire.

    Args:
        dice: the only source of chance.
        faults: what it does.
        rate: bytes per second that it carries.

    Attributes:
        happened: how often each fault did.
    """

    def __init__(self, dice: random.Random, faults: Faults, rate: float = math.inf) -> None:
        self.happened: Counter[str] = Counter()
        self._dice = dice
        self._faults = faults
        self._rate = rate
        self._under_way: deque[tuple[float, bytes]] = deque()

    def send(self, frame: bytes, now: float) -> None:
        """Puts a frame on the wire."""
        dice = self._dice
        damaged = bytearray(frame)
        if self._happens("drop"):
            damaged.clear()
        if damaged and self._happens("flip"):
            damaged[dice.randrange(len(damaged))] ^= 1 << dice.randrange(8)
        if damaged and self._happens("lose_byte"):
            del damaged[dice.randrange(len(damaged))]
        if damaged and self._happens("truncate"):
            del damaged[dice.randrange(len(damaged)) :]
        if self._happens("double"):
            damaged *= 2
        if self._happens("garbage"):
            damaged[:0] = dice.randbytes(dice.randint(1, 40))
        if self._happens("chatter"):
            damaged[:0] = b"free heap: 4711\r\n"
        at = now + (dice.uniform(0.0, LONGEST_DELAY) if self._happens("delay") else 0.0)
        if self._under_way:
            at = max(at, self._under_way[-1][0])
        at += len(damaged) / self._rate
        self._under_way.append((at, bytes(damaged)))

    @property
    def next_arrival(self) -> float:
        """When the next bytes arrive; infinite if none are under way."""
        return self._under_way[0][0] if self._under_way else float("inf")

    def arrive(self) -> bytes:
        """Takes the next bytes off the wire."""
        return self._under_way.popleft()[1]

    def _happens(self, mode: str) -> bool:
        happens = self._dice.random() < float(getattr(self._faults, mode))
        self.happened[mode] += happens
        return happens
