"""PREPROCESS to the server as around a sketch: with preprocessing, without, and in which order what is wrong counts."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from .wire import (
    BAD_ARGUMENT,
    BAD_LENGTH,
    DATA,
    INIT_FAILED,
    NOT_READY,
    PAYLOAD,
    PREPROCESS,
    PREPROCESSED,
    READ,
    SESSION,
    UNKNOWN_TYPE,
    WRITTEN,
    Message,
    error,
    talk,
    write,
)

Programs = Callable[[bool], Path]
BOOT_ID = 0xB007B007
INPUTS = OUTPUTS = 2
"""Of the model; the raw sample is one more input, the inputs are further outputs."""
RAW = struct.pack("<4h", 100, -50, 7, 300)
CRC = zlib.crc32(RAW)
SHAPE = bytes([3, 2]) + struct.pack("<2I", 1, 4)
TICK_RATE = 1000


def preprocess(crc: int) -> Message:
    return PREPROCESS, struct.pack("<I", crc)


def read(index: int, offset: int, length: int) -> Message:
    return READ, struct.pack("<BIH", index, offset, length)


def test_a_raw_sample_becomes_the_inputs(counter_sketch: Programs) -> None:
    asked = [write(INPUTS, 0, RAW[:5]), write(INPUTS, 5, RAW[5:]), preprocess(CRC)]
    asked += [read(OUTPUTS, 0, 3), read(OUTPUTS + 1, 2, 2)]
    got = talk(counter_sketch(True), [SESSION, *asked], PAYLOAD, 0, TICK_RATE)[1:]
    assert got[:2] == [(WRITTEN, b"")] * 2
    assert got[2] == (PREPROCESSED, struct.pack("<II", CRC, 5) + SHAPE)
    assert got[3:] == [(DATA, struct.pack("<3b", 50, -25, 3)), (DATA, struct.pack("<h", 300))]


def test_another_raw_sample_is_told_of_and_not_preprocessed(counter_sketch: Programs) -> None:
    asked = [write(INPUTS, 0, RAW), preprocess(CRC ^ 1), read(OUTPUTS, 0, 3)]
    _, _, told, inputs = talk(counter_sketch(True), [SESSION, *asked], PAYLOAD, 0, TICK_RATE)
    assert told == (PREPROCESSED, struct.pack("<II", CRC, 0) + SHAPE)
    assert inputs == (DATA, bytes(3))


@pytest.mark.parametrize(
    ("request_of", "answer"),
    [
        (write(INPUTS, 8, b"x"), error(BAD_ARGUMENT, 8)),
        (write(INPUTS, 6, b"xyz"), error(BAD_ARGUMENT, 3)),
        (write(INPUTS + 1, 0, b"x"), error(BAD_ARGUMENT, INPUTS + 1)),
        (read(OUTPUTS + INPUTS, 0, 1), error(BAD_ARGUMENT, OUTPUTS + INPUTS)),
        (read(OUTPUTS + 1, 4, 1), error(BAD_ARGUMENT, 4)),
        ((PREPROCESS, bytes(3)), error(BAD_LENGTH, 3)),
        ((PREPROCESS, bytes(5)), error(BAD_LENGTH, 5)),
    ],
)
def test_what_is_not_there(counter_sketch: Programs, request_of: Message, answer: Message) -> None:
    assert talk(counter_sketch(True), [SESSION, request_of])[1] == answer


def test_without_a_session_or_a_model(counter_sketch: Programs) -> None:
    assert talk(counter_sketch(True), [preprocess(CRC)]) == [error(NOT_READY, BOOT_ID)]
    assert talk(counter_sketch(True), [SESSION, preprocess(CRC)], PAYLOAD, 77)[1] == error(INIT_FAILED, 77)


def test_a_sketch_that_has_registered_nothing_has_none(counter_sketch: Programs, counter_firmware: Path) -> None:
    """As firmware that was not built around a sketch."""
    asked = [preprocess(CRC), write(INPUTS, 0, b"x"), read(OUTPUTS, 0, 1)]
    wanted = [error(UNKNOWN_TYPE, PREPROCESS), error(BAD_ARGUMENT, INPUTS), error(BAD_ARGUMENT, OUTPUTS)]
    for program in (counter_sketch(False), counter_firmware):
        assert talk(program, [SESSION, *asked])[1:] == wanted
        assert talk(program, [preprocess(CRC)]) == [error(UNKNOWN_TYPE, PREPROCESS)], "whatever else is wrong"


def test_a_question_that_comes_again_is_answered_alike(counter_sketch: Programs) -> None:
    twice = [write(INPUTS, 0, RAW), preprocess(CRC), preprocess(CRC)]
    assert talk(counter_sketch(True), [SESSION, *twice])[-1][0] == PREPROCESSED
