"""The C++ server over models whose tensors are larger than a payload: WRITE, RUN and READ, and their bounds."""

from __future__ import annotations

import random
import struct
import zlib
from pathlib import Path

import pytest

from . import counter_model
from .large_model import DESTROYED, GAIN, LEVELS, MASK, OFFSETS, SAMPLES, SIZES, inputs, outputs, reads, writes
from .wire import (
    BAD_ARGUMENT,
    BAD_LENGTH,
    DATA,
    DESCRIBE,
    INFER,
    INPUTS_DIFFER,
    INVOKE_FAILED,
    INVOKE_STATUS,
    PAYLOAD,
    READ,
    RESULT,
    RUN,
    SESSION,
    TENSOR,
    WELCOME,
    WRITE,
    WRITTEN,
    Message,
    ask,
    error,
    ran,
    read,
    run,
    talk,
    write,
)

NARROW = 256
"""Largest payload, a twentieth of the largest tensor."""

WRITE_ROOM = NARROW - 5
DONE: Message = (WRITTEN, b"")


def data(got: list[Message]) -> bytes:
    assert {kind for kind, _ in got} == {DATA}
    return b"".join(payload for _, payload in got)


def differ(inputs: bytes) -> Message:
    return error(INPUTS_DIFFER, zlib.crc32(inputs))


def test_every_element_type_is_described(large: Path) -> None:
    got = talk(large, [SESSION, *((DESCRIBE, bytes([1, index])) for index in range(5))])
    assert got[0][0] == WELCOME
    assert got[0][1][1:4] == bytes([0, 5, 5])
    assert [kind for kind, _ in got[1:]] == [TENSOR] * 5
    assert [payload[2] for _, payload in got[1:]] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("order", ["forward", "backward", "shuffled", "doubled", "overlapping"])
def test_tensors_larger_than_the_payload_are_streamed(large: Path, order: str) -> None:
    x = inputs()
    parts = writes(x, WRITE_ROOM)
    if order == "backward":
        parts.reverse()
    elif order == "shuffled":
        random.Random(5).shuffle(parts)
    elif order == "doubled":
        parts += parts
    elif order == "overlapping":
        parts += [write(SAMPLES, 1234, x[SAMPLES][1234:1400]), write(MASK, 20, x[MASK][20:])]
    asked = reads(NARROW)
    got = talk(large, [SESSION, *parts, run(b"".join(x)), *asked], NARROW)
    assert got[1 : 1 + len(parts)] == [DONE] * len(parts)
    assert got[1 + len(parts)] == ran()
    assert data(got[2 + len(parts) :]) == b"".join(outputs(x))
    assert max(len(payload) for _, payload in got) == NARROW


def test_one_byte_at_a_time(large: Path) -> None:
    x = inputs()
    got = talk(large, [SESSION, *writes(x, 1), run(b"".join(x)), *reads(1)])
    assert data(got[-sum(SIZES) :]) == b"".join(outputs(x))


def test_outputs_are_read_in_any_order_and_as_often_as_wanted(large: Path) -> None:
    x = inputs()
    parts = writes(x, WRITE_ROOM)
    asked = reads(99)[::-1] * 2
    got = talk(large, [SESSION, *parts, run(b"".join(x)), *asked], NARROW)[2 + len(parts) :]
    y = outputs(x)
    for (_, request), answer in zip(asked, got, strict=True):
        index, offset, length = struct.unpack("<BIH", request)
        assert answer == (DATA, y[index][offset : offset + length])


def test_a_vector_after_the_other(large: Path) -> None:
    requests = [SESSION]
    for seed in range(3):
        requests += [*writes(inputs(seed), WRITE_ROOM), run(b"".join(inputs(seed))), *reads(NARROW)]
    got = [message for message in talk(large, requests, NARROW)[1:] if message[0] == DATA]
    assert data(got) == b"".join(b"".join(outputs(inputs(seed))) for seed in range(3))


def test_a_run_without_a_part_is_refused_until_the_part_arrives(large: Path) -> None:
    x = inputs()
    parts = writes(x, WRITE_ROOM)
    for missing in (0, 7, len(parts) - 1):
        _, offset = struct.unpack_from("<BI", parts[missing][1])
        index = parts[missing][1][0]
        found = list(x)
        hole = len(parts[missing][1]) - 5
        found[index] = x[index][:offset] + bytes(hole) + x[index][offset + hole :]
        rest = parts[:missing] + parts[missing + 1 :]
        asked = [SESSION, *rest, run(b"".join(x)), read(LEVELS, 0, 12), parts[missing], run(b"".join(x))]
        got = talk(large, asked, NARROW)
        # Nothing was run: the outputs are still those of the start.
        assert got[1 + len(rest) :] == [differ(b"".join(found)), (DATA, bytes(12)), DONE, ran()]


def test_a_late_copy_of_an_older_write_is_noticed(large: Path) -> None:
    old, new = inputs(1), inputs(2)
    late = writes(old, WRITE_ROOM)[3]
    found = bytearray(b"".join(new))
    found[3 * WRITE_ROOM : 4 * WRITE_ROOM] = late[1][5:]
    parts = writes(new, WRITE_ROOM)
    got = talk(large, [SESSION, *parts, late, run(b"".join(new)), *parts, run(b"".join(new))], NARROW)
    assert got[2 + len(parts)] == differ(bytes(found))
    assert got[-1] == ran()


def test_the_order_of_the_tensors_counts(counter: Path) -> None:
    x, size = counter_model.packed(counter_model.VECTOR)
    asked = [SESSION, write(0, 0, x), write(1, 0, size), run(size + x), run(x + size)]
    assert talk(counter, asked)[3:] == [differ(x + size), ran()]


def test_an_inference_that_destroys_its_inputs_is_not_run_twice(large: Path) -> None:
    x = inputs()
    parts = writes(x, WRITE_ROOM)
    got = talk(large, [SESSION, *parts, run(b"".join(x)), run(b"".join(x)), run(DESTROYED)], NARROW)
    assert got[1 + len(parts) :] == [ran(), differ(DESTROYED), ran()]


def test_before_the_first_write_the_inputs_are_what_they_are(counter: Path) -> None:
    assert ask(counter, *run(bytes(counter_model.INPUT_BYTES))) == ran()
    assert ask(counter, *run(b"")) == differ(bytes(counter_model.INPUT_BYTES))


def test_infer_and_run_reach_the_same_engine(counter: Path) -> None:
    vector = counter_model.VECTOR
    x, size = counter_model.packed(vector)
    infer = (INFER, counter_model.infer([vector]))
    # INFER leaves the inputs of its last vector.
    got = talk(counter, [SESSION, infer, run(x + size), read(0, 0, 3), read(1, 0, 8), infer])
    first, second = counter_model.outputs(vector, calls=1)
    assert got[2:5] == [ran(), (DATA, first), (DATA, second)]
    assert got[5] == counter_model.result([vector], calls=2)


def test_run_that_fails_is_reported(counter: Path) -> None:
    x, size = counter_model.packed(counter_model.FAILING)
    good = b"\1" + x[1:]
    asked = [write(0, 0, x), write(1, 0, size), run(x + size), write(0, 0, good[:1]), run(good + size)]
    got = talk(counter, [SESSION, *asked])
    assert got[3:] == [error(INVOKE_FAILED, INVOKE_STATUS), DONE, ran()]


def test_run_without_a_clock(counter: Path) -> None:
    assert ask(counter, *run(bytes(counter_model.INPUT_BYTES)), PAYLOAD, 0, 0) == ran(ticks=0)


def test_infer_of_a_vector_that_no_payload_holds(large: Path) -> None:
    for count in (0, 1, 65535):
        payload = struct.pack("<H", count) + bytes(100)
        assert ask(large, INFER, payload) == error(BAD_LENGTH, len(payload))


def test_read_up_to_the_largest_payload(large: Path) -> None:
    for payload in (100, 253, 254, 255, 4096):
        assert ask(large, *read(SAMPLES, 0, payload), payload) == (DATA, bytes(payload))
        assert ask(large, *read(SAMPLES, 0, payload + 1), payload) == error(BAD_ARGUMENT, payload + 1)


@pytest.mark.parametrize("index", range(5))
def test_the_last_byte_of_each_tensor(large: Path, index: int) -> None:
    size = SIZES[index]
    got = talk(
        large,
        [
            SESSION,
            *(write(index, size - 1, b"\1"), write(index, size - 1, b"\1\1"), write(index, size, b"\1")),
            *(read(index, size - 1, 1), read(index, size - 1, 2), read(index, size, 1)),
        ],
    )
    beyond = [error(BAD_ARGUMENT, 2), error(BAD_ARGUMENT, size)]
    assert got[1:] == [DONE, *beyond, (DATA, b"\0"), *beyond]


@pytest.mark.parametrize(
    ("index", "offset", "length", "value"),
    [
        (5, 0, 1, 5),
        (255, 0, 1, 255),
        (OFFSETS, 8, 1, 8),
        (OFFSETS, 0, 9, 9),
        (OFFSETS, 7, 2, 2),
        (OFFSETS, 0x1_0000, 1, 0x1_0000),
        (OFFSETS, 0x8000_0000, 1, 0x8000_0000),
        (OFFSETS, 0xFFFF_FFFF, 1, 0xFFFF_FFFF),
        (OFFSETS, 0xFFFF_FFFF, 2, 0xFFFF_FFFF),  # the end is 1, modulo 2^32
        (OFFSETS, 0xFFFF_FFF8, 16, 0xFFFF_FFF8),
        # The first of several is to blame.
        (5, 8, 100, 5),
        (OFFSETS, 8, 100, 8),
    ],
)
def test_bytes_outside_the_tensors(large: Path, index: int, offset: int, length: int, value: int) -> None:
    x = inputs()
    parts = writes(x, WRITE_ROOM)
    asked = [*parts, write(index, offset, bytes(length)), read(index, offset, length), run(b"".join(x))]
    got = talk(large, [SESSION, *asked], NARROW)
    assert got[1 + len(parts) :] == [error(BAD_ARGUMENT, value)] * 2 + [ran()]


@pytest.mark.parametrize(("index", "offset", "value"), [(GAIN, 0, 0), (GAIN, 3, 0), (GAIN, 4, 4), (5, 4, 5)])
def test_read_of_no_bytes(large: Path, index: int, offset: int, value: int) -> None:
    assert ask(large, *read(index, offset, 0)) == error(BAD_ARGUMENT, value)


@pytest.mark.parametrize(
    ("kind", "lengths"),
    [(WRITE, (0, 1, 4, 5)), (RUN, (0, 3, 5, 100)), (READ, (0, 6, 8, 100))],
    ids=["write", "run", "read"],
)
@pytest.mark.parametrize("byte", [b"\0", b"\xff"])
def test_payload_of_another_length(large: Path, kind: int, lengths: tuple[int, ...], byte: bytes) -> None:
    asked = [(kind, byte * length) for length in lengths]
    assert talk(large, [SESSION, *asked])[1:] == [error(BAD_LENGTH, length) for length in lengths]


def test_offsets_of_32_bits(huge: Path) -> None:
    last = 0xFFFF_FFFE  # byte of 2^32 - 1
    got = talk(
        huge,
        [
            SESSION,
            *(write(0, last, b"\x11"), write(0, 0x8000_0000, b"\x22"), write(0, 0, b"\x33")),
            *(read(0, last, 1), read(0, 0x8000_0000, 1), read(0, 0, 2)),
            *(write(0, last, b"\1\1"), write(0, last + 1, b"\1"), read(0, last, 2), read(0, last + 1, 1)),
        ],
    )
    assert got[1:7] == [DONE] * 3 + [(DATA, b"\x11"), (DATA, b"\x22"), (DATA, b"\x33\0")]
    beyond = [error(BAD_ARGUMENT, 2), error(BAD_ARGUMENT, last + 1)]
    assert got[7:] == beyond * 2


def test_sizes_whose_sum_runs_over_32_bits(huge: Path) -> None:
    for size in (7, 7 + 2):
        payload = struct.pack("<H", 1) + bytes(size)
        assert ask(huge, INFER, payload) == error(BAD_LENGTH, len(payload))
    assert RESULT not in {kind for kind, _ in talk(huge, [SESSION, (INFER, b"\0\0")])}
