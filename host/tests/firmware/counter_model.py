"""The model of firmware/tests/fakes/counter.cpp, once more."""

from __future__ import annotations

import struct

from .wire import PROFILED, RESULT, TICKS_EACH, Message

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


# Its arena and its profile.
CAPACITY, NEEDED, SAFE = 1234, 1000, 1100
LONG_NAME = b"abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijk"
OPERATORS = [(n + 1, b"op %02d" % n) for n in range(39)] + [(40, LONG_NAME)]


def profiled(first: int, payload: int) -> Message:
    """The answer to PROFILE on a device with that largest payload."""
    page = struct.pack("<HH", len(OPERATORS), first)
    for ticks, name in OPERATORS[first:]:
        entry = struct.pack("<IB", ticks, len(name)) + name
        if len(page) + len(entry) > payload:
            break
        page += entry
    return PROFILED, page
