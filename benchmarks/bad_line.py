"""The line of the soak, and what can be calculated about it.

**Batch.** With flips ``b`` per bit and a share ``d`` of the frames lost, a frame of ``L`` wire bytes survives with
``s(L) = (1 - d) (1 - b)^(8 L)``. A request of ``q`` bytes with an answer of ``a`` is sent ``1 / (s(q) s(a))`` times on
average, so the line to the device carries ``q / (s(q) s(a))`` bytes for ``n`` vectors, and the line to the host
``a / s(a)``. The first is the more, and with q about n + h bytes, h the frame round them, ``n s(q) s(a) / q`` has its
maximum where ``n (n + h) = h / (16 b)``: short frames waste the line on their headers, long ones on their repetition.
``best_batch`` finds it exactly, with the lengths that the codec has: 87 for h = 14. Where the line itself takes no
time, as here, what costs is silence after the whole window was lost, and 87 was measured to be near the best as well.

**Undetected errors** cannot be measured: they are calculated. A damaged chunk has to pass the canonical COBS decoding,
the length, the CRC and the type. Of damage that is not bound by the code's distance, a CRC of 32 bits lets 2^-32
through (Koopman, "32-bit cyclic redundancy codes for Internet applications", DSN 2002): each such chunk is one *draw*.
Two figures are printed, both as if COBS, length and type caught nothing. A frame counts as two draws once it is
damaged, because a flip that makes a byte zero cuts it in two.

- *at most*: ``2 (P(q) + P(a)) 2^-32`` for an exchange, where ``P(L) = 1 - (1 - b)^(8 L)`` is the chance that a frame of
  L bytes is damaged at all.
- *by distance*: up to 2974 bits the code detects every error of up to 4 bits (Hamming distance 5; the paper's table;
  ``has_distance_5`` checks it for the length in use). That holds for flips that are flips of the body as well. Flips
  in a delimiter or a COBS code are not, nor are those that turn a byte into zero. P is here the chance of one of these,
  or of 5 or more flips, counted on real frames.

A reset in mid-frame leaves a draw or two more, which adds nothing that shows.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinyhil.link.frames import longest_wire
from tinyhil.link.inference import Infer, Result
from tinyhil.proxy import Faults

LINE = Faults(bit_flip=1e-4, drop_frame=0.01, duplicate_frame=0.01)
POLYNOMIAL = 0xEDB88320
"""Of CRC-32/ISO-HDLC, reflected."""

DISTANCE = 5
LONGEST_DISTANCE_5 = 3006
"""Bits of the longest body for which that is so: Koopman's 2974 bits of data and the CRC."""


def surviving(wire_bytes: int) -> float:
    """The chance that a frame arrives whole."""
    return (1.0 - LINE.drop_frame) * (1.0 - happens(8 * wire_bytes))


def best_batch(input_bytes: int, output_bytes: int, most: int) -> int:
    """The batch, 1..most, that carries most on a wire; see "Batch" above."""

    def goodput(vectors: int) -> float:
        asked = longest_wire(Infer.HEADER_BYTES + vectors * input_bytes)
        answer = longest_wire(Result.HEADER_BYTES + vectors * output_bytes)
        there, back = surviving(asked), surviving(answer)
        return vectors / max(asked / (there * back), answer / back)

    return max(range(1, most + 1), key=goodput)


@dataclass(frozen=True)
class Undetected:
    """Calculated chance per exchange that a damaged frame is taken for a sound one; see the module's page."""

    at_most: float
    by_distance: float | None
    """None where frames are too long for it."""


def undetected(frames: Sequence[Sequence[bytes]]) -> Undetected:
    """The calculation, for exchanges of which each is a request and an answer as they are on the wire."""
    wires = [wire for exchange in frames for wire in exchange]
    draw = 2.0 * 2.0**-32 / len(frames)
    at_most = draw * sum(happens(8 * len(wire)) for wire in wires)
    if not has_distance_5(8 * max(map(len, wires))):
        return Undetected(at_most, None)
    by_distance = draw * sum(breaks_structure(wire) + at_least(DISTANCE, 8 * len(wire)) for wire in wires)
    return Undetected(at_most, by_distance)


def happens(bits: int) -> float:
    """The chance that at least one of so many bits is flipped."""
    return -math.expm1(bits * math.log1p(-LINE.bit_flip))


def at_least(flips: int, bits: int) -> float:
    """The chance of ``flips`` or more in so many bits, by its first term, which is an upper bound (union bound)."""
    return math.comb(bits, flips) * LINE.bit_flip**flips


def breaks_structure(wire: bytes) -> float:
    """The chance that flips change more of a frame than the same bits of its body: an upper bound (union bound)."""
    at, codes = wire.index(0) + 1, set()
    while wire[at]:
        codes.add(at)
        at += wire[at]
    data = (byte for position, byte in enumerate(wire) if byte and position not in codes)
    return happens(8 * (wire.count(0) + len(codes))) + sum(LINE.bit_flip ** byte.bit_count() for byte in data)


def has_distance_5(body_bits: int) -> bool:
    """Whether CRC-32 detects every error of 1 to 4 bits in so many bits, the CRC's own 32 included.

    An error is undetected if the remainders of its bits cancel. So the remainders of all single bits have to be
    different from each other and from 0, and so do those of all pairs, from each other and from the single ones.
    """
    if body_bits > LONGEST_DISTANCE_5:
        return False
    remainder, single = 1 << 31, []
    for _ in range(body_bits):
        single.append(remainder)
        remainder = (remainder >> 1) ^ (POLYNOMIAL if remainder & 1 else 0)
    ones = np.array(single, np.uint32)
    first, second = np.triu_indices(len(ones), 1)
    sums = np.concatenate([np.zeros(1, np.uint32), ones, ones[first] ^ ones[second]])
    sums.sort()
    return bool((sums[1:] != sums[:-1]).all())
