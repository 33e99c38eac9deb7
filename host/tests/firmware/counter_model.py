"""The model of firmware/tests/fakes/counter.cpp, once more."""

from __future__ import annotations

import struct

from .wire import RESULT, TICKS_EACH, Message

INPUT_BYTES, OUTPUT_BYTES, RESULT_HEADER = 3 + 2 * 2, 3 + 2 * 4, 6
FAILING_INPUT = 127

Vector = tuple[list[int], list[int]]
VECTOR: Vector = ([1, -2, 3], [-300, 300])
FAILING: Vector = ([FAILING_INPUT, 0, 0], [0, 0])


def packed(vector: Vector) -> tuple[bytes, bytes]:
    """Its two tensors."""
    x, size = vector
    return struct.pack("<3b", *x), struct.pack("<2h", *size)


def outputs(vector: Vector, calls: int) -> tuple[bytes, bytes]:
    x, size = vector
    return struct.pack("<3b", *(2 * each + 1 for each in x)), struct.pack(
        "<2i", *(1000 * each + calls for each in size)
    )


def infer(vectors: list[Vector], *, count: int | None = None) -> bytes:
    data = b"".join(b"".join(packed(vector)) for vector in vectors)
    return struct.pack("<H", len(vectors) if count is None else count) + data


def result(vectors: list[Vector], *, calls: int = 0, ticks: int | None = None) -> Message:
    """The answer to infer()."""
    data = b"".join(b"".join(outputs(vector, calls + n)) for n, vector in enumerate(vectors))
    return RESULT, struct.pack("<HI", len(vectors), TICKS_EACH * len(vectors) if ticks is None else ticks) + data
