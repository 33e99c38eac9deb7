"""The C++ server over a fake engine: HELLO, DESCRIBE and INFER, every error, and the order of the checks."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from .counter_model import (
    FAILING,
    INPUT_BYTES,
    OUTPUT_BYTES,
    RESULT_HEADER,
    VECTOR,
    infer,
    result,
)
from .wire import (
    ARENA,
    BAD_ARGUMENT,
    BAD_LENGTH,
    BOOT_ID,
    DESCRIBE,
    ERROR,
    HELLO,
    INFER,
    INIT_FAILED,
    INVOKE_FAILED,
    INVOKE_STATUS,
    NOT_READY,
    PAYLOAD,
    PROFILE,
    READ,
    RESET,
    RUN,
    SESSION,
    TENSOR,
    UNKNOWN_REQUESTS,
    UNKNOWN_TYPE,
    UNSUPPORTED_VERSION,
    USAGE,
    WELCOME,
    WRITE,
    answers,
    ask,
    error,
    frame,
    raw,
    talk,
)

SINCE_HELLO = (DESCRIBE, INFER, RESET, WRITE, RUN, READ, USAGE, ARENA, PROFILE)
"""The requests that need a session."""


def test_hello_is_answered_with_all_facts(counter: Path) -> None:
    model = bytes(17 * n for n in range(16)) + bytes(range(1, 17))
    project = bytes([0xFE, 0xDC]) + bytes(30)
    facts = struct.pack("<BBBBHBBIII", 1, 1, 2, 2, PAYLOAD, 3, 0, BOOT_ID, 1_000_000, 1234)
    assert talk(counter, [SESSION]) == [(WELCOME, facts + model + project + b"fake")]


def test_hello_may_be_repeated(counter: Path) -> None:
    first, described, second = talk(counter, [SESSION, (DESCRIBE, b"\0\0"), SESSION])
    assert first == second
    assert described[0] == TENSOR


@pytest.mark.parametrize("versions", [b"\1\1", b"\0\1", b"\1\xff", b"\0\xff"])
def test_hello_with_a_common_version(counter: Path, versions: bytes) -> None:
    assert talk(counter, [(HELLO, versions)])[0][0] == WELCOME


@pytest.mark.parametrize("versions", [b"\2\3", b"\0\0", b"\2\0", b"\xff\xff"])
def test_hello_without_a_common_version_opens_no_session(counter: Path, versions: bytes) -> None:
    got = talk(counter, [(HELLO, versions), (DESCRIBE, b"\0\0")])
    assert got == [error(UNSUPPORTED_VERSION, 1), error(NOT_READY, BOOT_ID)]


@pytest.mark.parametrize("payload", [b"", b"\1", b"\1\1\0"])
def test_hello_of_another_length(counter: Path, payload: bytes) -> None:
    assert talk(counter, [(HELLO, payload)]) == [error(BAD_LENGTH, len(payload))]


@pytest.mark.parametrize(
    ("direction", "index", "dtype", "dimensions", "scale", "zero_point", "name"),
    [
        (0, 0, 1, (1, 3), 0.5, -128, "x"),
        (0, 1, 3, (2,), 0.25, 0, "grösse"),
        (1, 0, 1, (1, 3), 0.125, 127, "double"),
        (1, 1, 4, (1, 1, 1, 1, 1, 2), 0.0, 0, ("abcdefghijklmnopqrstuvwxyz" * 3)[:63]),
    ],
)
def test_describe(
    counter: Path,
    direction: int,
    index: int,
    dtype: int,
    dimensions: tuple[int, ...],
    scale: float,
    zero_point: int,
    name: str,
) -> None:
    rank = len(dimensions)
    want = struct.pack(f"<BBBB{rank}Ifi", direction, index, dtype, rank, *dimensions, scale, zero_point) + name.encode()
    assert ask(counter, DESCRIBE, bytes([direction, index])) == (TENSOR, want)


@pytest.mark.parametrize(
    ("payload", "value"), [(b"\0\2", 2), (b"\1\2", 2), (b"\1\xff", 255), (b"\2\0", 2), (b"\xff\7", 255)]
)
def test_describe_a_tensor_that_does_not_exist(counter: Path, payload: bytes, value: int) -> None:
    assert ask(counter, DESCRIBE, payload) == error(BAD_ARGUMENT, value)


@pytest.mark.parametrize("payload", [b"", b"\0", b"\0\0\0", b"\2"])
def test_describe_of_another_length(counter: Path, payload: bytes) -> None:
    assert ask(counter, DESCRIBE, payload) == error(BAD_LENGTH, len(payload))


@pytest.mark.parametrize("count", [1, 2, 3, 10])
def test_infer(counter: Path, count: int) -> None:
    vectors = [([n, -n, 5], [1000 * n, -1 - n]) for n in range(count)]
    assert ask(counter, INFER, infer(vectors)) == result(vectors)


def test_infer_with_extreme_elements(counter: Path) -> None:
    vectors = [([0, 0, 0], [0, 0]), ([-64, 63, 0], [-32768, 32767])]
    assert ask(counter, INFER, infer(vectors)) == result(vectors)


def test_inferences_one_after_the_other_reach_the_same_engine(counter: Path) -> None:
    got = talk(counter, [SESSION, (INFER, infer([VECTOR] * 2)), (INFER, infer([VECTOR] * 3))])
    assert got[1:] == [result([VECTOR] * 2), result([VECTOR] * 3, calls=2)]


def test_infer_fills_the_largest_payload_to_the_last_byte(counter: Path) -> None:
    count = 9
    largest = RESULT_HEADER + count * OUTPUT_BYTES
    assert ask(counter, INFER, infer([VECTOR] * count), largest) == result([VECTOR] * count)
    assert ask(counter, INFER, infer([VECTOR] * count), largest - 1) == error(BAD_ARGUMENT, count)


def test_without_a_clock_the_ticks_are_zero(counter: Path) -> None:
    (_, welcome), inferred = talk(counter, [SESSION, (INFER, infer([VECTOR]))], PAYLOAD, 0, 0)
    assert welcome[12:16] == bytes(4)
    assert inferred == result([VECTOR], ticks=0)


@pytest.mark.parametrize(
    "payload",
    [b"", b"\1", infer([VECTOR])[:-1], infer([VECTOR]) + b"\0", infer([], count=1), infer([VECTOR], count=2),
     infer([VECTOR] * 2, count=1), infer([VECTOR], count=0), infer([VECTOR], count=65535), b"\0\0\0"],
    ids=lambda payload: payload.hex(),
)  # fmt: skip
def test_infer_of_another_length(counter: Path, payload: bytes) -> None:
    assert ask(counter, INFER, payload) == error(BAD_LENGTH, len(payload))


def test_infer_of_no_vectors(counter: Path) -> None:
    assert ask(counter, INFER, infer([])) == error(BAD_ARGUMENT, 0)


def test_infer_with_a_result_that_would_be_too_long(counter: Path) -> None:
    count = (PAYLOAD - RESULT_HEADER) // OUTPUT_BYTES + 1
    assert 2 + count * INPUT_BYTES <= PAYLOAD
    got = talk(counter, [SESSION, (INFER, infer([VECTOR] * count)), (INFER, infer([VECTOR]))])
    assert got[1:] == [error(BAD_ARGUMENT, count), result([VECTOR])]


def test_invoke_that_fails_is_reported_and_forgotten(counter: Path) -> None:
    failing = infer([VECTOR, FAILING, VECTOR])
    got = talk(counter, [SESSION, (INFER, failing), (INFER, infer([VECTOR]))])
    assert got[1:] == [error(INVOKE_FAILED, INVOKE_STATUS), result([VECTOR], calls=1)]


@pytest.mark.parametrize("status", [1, 0xFFFFFFFF])
def test_engine_that_did_not_accept_the_model(counter: Path, status: int) -> None:
    requests = [SESSION, (DESCRIBE, b"\0\0"), (INFER, infer([VECTOR])), (RESET, b""), (0x0D, b"")]
    got = talk(counter, requests, PAYLOAD, status)
    assert got[0][0] == WELCOME
    assert got[1:] == [error(INIT_FAILED, status)] * 3 + [error(UNKNOWN_TYPE, 0x0D)]


@pytest.mark.parametrize("kind", UNKNOWN_REQUESTS)
def test_request_that_the_device_does_not_know(counter: Path, kind: int) -> None:
    assert ask(counter, kind, b"anything") == error(UNKNOWN_TYPE, kind)


def test_order_of_the_checks(counter: Path) -> None:
    broken = (PAYLOAD, 5)  # init fails with status 5
    # Each request is wrong in several ways; the first in the protocol's order is reported.
    assert talk(counter, [(0x0F, b"")], *broken) == [error(UNKNOWN_TYPE, 0x0F)]
    for kind in SINCE_HELLO:
        assert talk(counter, [(kind, b"\xff")], *broken) == [error(NOT_READY, BOOT_ID)]
        failed = error(BAD_LENGTH, 1) if kind in (USAGE, ARENA) else error(INIT_FAILED, 5)
        assert ask(counter, kind, b"\xff", *broken) == failed
        assert ask(counter, kind, b"\xff") == error(BAD_LENGTH, 1)
    assert ask(counter, INFER, infer([VECTOR], count=0)) == error(BAD_LENGTH, 2 + INPUT_BYTES)
    assert ask(counter, DESCRIBE, b"\2\7") == error(BAD_ARGUMENT, 2)


def test_before_hello_nothing_but_hello(counter: Path) -> None:
    got = talk(counter, [(DESCRIBE, b"\0\0"), (INFER, infer([VECTOR])), SESSION, (INFER, infer([VECTOR]))])
    assert got[:2] == [error(NOT_READY, BOOT_ID)] * 2
    assert got[2][0] == WELCOME
    assert got[3] == result([VECTOR])


def test_answers_that_reach_the_device_are_ignored(counter: Path) -> None:
    strays = b"".join(frame(kind, 7, b"\1\1") for kind in (*range(0x81, 0x90), ERROR))
    assert raw(counter, strays) == b""


def test_only_sound_frames_are_answered(counter: Path) -> None:
    good = frame(HELLO, 1, b"\1\1")
    bad = bytearray(good)
    bad[-3] ^= 1
    text = b"some text\n"
    oversize = b"\x0b" * (4 * PAYLOAD)
    wire = bytes(bad) + text + good[1:] + oversize + b"\0" + good + good[:5] + good
    got = answers(raw(counter, wire))
    # The text costs the frame whose opening delimiter it took the place of.
    assert [(kind, sequence) for kind, sequence, _ in got] == [(WELCOME, 1), (WELCOME, 1)]


def test_request_above_the_largest_payload_is_dropped(counter: Path) -> None:
    count = (PAYLOAD - 2) // INPUT_BYTES + 1
    wire = frame(HELLO, 1, b"\1\1") + frame(INFER, 2, infer([VECTOR] * count))
    assert [kind for kind, _, _ in answers(raw(counter, wire))] == [WELCOME]
