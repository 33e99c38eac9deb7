"""A wire that loses, damages and doubles frames, by a seeded dice. It keeps order, as real ones do."""

from __future__ import annotations

import random
from dataclasses import dataclass


@dataclass
class FaultyWire:
    """One direction of a wire.

    Attributes:
        dice: the only source of chance.
        drop: how probably a frame is lost whole.
        damage: how probably one bit of it is flipped, delimiters included.
        lose_byte: how probably one of its bytes is lost, delimiters included.
        double: how probably it arrives twice.
        chatter: how probably a line of text precedes it.
    """

    dice: random.Random
    drop: float = 0.0
    damage: float = 0.0
    lose_byte: float = 0.0
    double: float = 0.0
    chatter: float = 0.0
    faults: int = 0

    def carry(self, frame: bytes) -> bytes:
        """What arrives of ``frame``."""
        arrived = bytearray(frame)
        if self._happens(self.drop):
            arrived.clear()
        if arrived and self._happens(self.damage):
            arrived[self.dice.randrange(len(arrived))] ^= 1 << self.dice.randrange(8)
        if arrived and self._happens(self.lose_byte):
            del arrived[self.dice.randrange(len(arrived))]
        if self._happens(self.double):
            arrived *= 2
        if self.chatter and self.dice.random() < self.chatter:
            arrived = bytearray(b"free heap: 4711\r\n") + arrived
        return bytes(arrived)

    def _happens(self, probability: float) -> bool:
        happens = self.dice.random() < probability
        self.faults += happens
        return happens
