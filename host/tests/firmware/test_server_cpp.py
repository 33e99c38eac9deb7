"""The C++ server over a fake engine: every message, every error, and the order of the checks.

The frames are written and read by a few lines of its own, so that nothing here agrees with the host's codec by chance.
"""

from __future__ import annotations

import re
import struct
import subprocess
import zlib
from collections.abc import Iterable
from pathlib import Path

import pytest

HELLO, DESCRIBE, INFER, WELCOME, TENSOR, RESULT, ERROR = 0x01, 0x02, 0x03, 0x81, 0x82, 0x83, 0xFF
UNSUPPORTED_VERSION, UNKNOWN_TYPE, BAD_LENGTH, BAD_ARGUMENT, NOT_READY, INIT_FAILED, INVOKE_FAILED = range(1, 8)
SEQUENCE = 0xFFFFFFFE  # so that a few requests run over 2^32
PAYLOAD = 128

# What firmware/tests/server_driver.cpp says about itself.
BOOT_ID = 0xB007B007
INPUT_BYTES, OUTPUT_BYTES, RESULT_HEADER = 3 + 2 * 2, 3 + 2 * 4, 6
FAILING_INPUT, INVOKE_STATUS = 127, 77
TICKS_EACH = 100

Message = tuple[int, bytes]
SESSION: Message = (HELLO, b"\1\1")


def stuff(body: bytes) -> bytes:
    """COBS of a body whose runs are all shorter than 254 bytes."""
    return b"".join(bytes([len(run) + 1]) + run for run in body.split(b"\0"))


def unstuff(chunk: bytes) -> bytes:
    runs = []
    while chunk:
        runs.append(chunk[1 : chunk[0]])
        assert len(runs[-1]) == chunk[0] - 1 < 254
        chunk = chunk[chunk[0] :]
    return b"\0".join(runs)


def frame(kind: int, sequence: int, payload: bytes) -> bytes:
    body = struct.pack("<BI", kind, sequence % 2**32) + payload
    return b"\0" + stuff(body + struct.pack("<I", zlib.crc32(body))) + b"\0"


def raw(driver: Path, wire: bytes, *arguments: object) -> bytes:
    """What the device wrote for some bytes."""
    command = [str(driver), *map(str, arguments or (PAYLOAD,))]
    done = subprocess.run(command, input=wire, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def answers(written: bytes) -> list[tuple[int, int, bytes]]:
    """Type, sequence and payload of each frame, which has its own two delimiters."""
    frames = re.findall(rb"\0([^\0]+)\0", written)
    assert b"".join(b"\0" + chunk + b"\0" for chunk in frames) == written
    found = []
    for chunk in frames:
        body = unstuff(chunk)
        assert zlib.crc32(body[:-4]) == int.from_bytes(body[-4:], "little")
        found.append((body[0], int.from_bytes(body[1:5], "little"), body[5:-4]))
    return found


def talk(driver: Path, requests: Iterable[Message], *arguments: object) -> list[Message]:
    """The answers to requests, one each, in order and under their numbers."""
    requests = list(requests)
    wire = b"".join(frame(kind, SEQUENCE + n, payload) for n, (kind, payload) in enumerate(requests))
    got = answers(raw(driver, wire, *arguments))
    assert [sequence for _, sequence, _ in got] == [(SEQUENCE + n) % 2**32 for n in range(len(requests))]
    return [(kind, payload) for kind, _, payload in got]


def ask(driver: Path, kind: int, payload: bytes, *arguments: object) -> Message:
    """The answer to one request within a session."""
    return talk(driver, [SESSION, (kind, payload)], *arguments)[1]


def error(code: int, detail: int) -> Message:
    return ERROR, struct.pack("<BI", code, detail)


def infer(vectors: list[tuple[list[int], list[int]]], *, count: int | None = None) -> bytes:
    data = b"".join(struct.pack("<3b2h", *x, *size) for x, size in vectors)
    return struct.pack("<H", len(vectors) if count is None else count) + data


def result(vectors: list[tuple[list[int], list[int]]], *, calls: int = 0, ticks: int | None = None) -> Message:
    """The answer to infer(), as the fake engine computes it."""
    data = b""
    for n, (x, size) in enumerate(vectors):
        data += struct.pack("<3b2i", *(2 * each + 1 for each in x), *(1000 * each + calls + n for each in size))
    return RESULT, struct.pack("<HI", len(vectors), TICKS_EACH * len(vectors) if ticks is None else ticks) + data


VECTOR = ([1, -2, 3], [-300, 300])


def test_hello_is_answered_with_all_facts(server_driver: Path) -> None:
    model = bytes(17 * n for n in range(16)) + bytes(range(1, 17))
    project = bytes([0xFE, 0xDC]) + bytes(30)
    facts = struct.pack("<BBBBHBBIII", 1, 1, 2, 2, PAYLOAD, 3, 0, BOOT_ID, 1_000_000, 1234)
    assert talk(server_driver, [SESSION]) == [(WELCOME, facts + model + project + b"fake")]


def test_hello_may_be_repeated(server_driver: Path) -> None:
    first, described, second = talk(server_driver, [SESSION, (DESCRIBE, b"\0\0"), SESSION])
    assert first == second
    assert described[0] == TENSOR


@pytest.mark.parametrize("versions", [b"\1\1", b"\0\1", b"\1\xff", b"\0\xff"])
def test_hello_with_a_common_version(server_driver: Path, versions: bytes) -> None:
    assert talk(server_driver, [(HELLO, versions)])[0][0] == WELCOME


@pytest.mark.parametrize("versions", [b"\2\3", b"\0\0", b"\2\0", b"\xff\xff"])
def test_hello_without_a_common_version_opens_no_session(server_driver: Path, versions: bytes) -> None:
    got = talk(server_driver, [(HELLO, versions), (DESCRIBE, b"\0\0")])
    assert got == [error(UNSUPPORTED_VERSION, 1), error(NOT_READY, BOOT_ID)]


@pytest.mark.parametrize("payload", [b"", b"\1", b"\1\1\0"])
def test_hello_of_another_length(server_driver: Path, payload: bytes) -> None:
    assert talk(server_driver, [(HELLO, payload)]) == [error(BAD_LENGTH, len(payload))]


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
    server_driver: Path,
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
    assert ask(server_driver, DESCRIBE, bytes([direction, index])) == (TENSOR, want)


@pytest.mark.parametrize(
    ("payload", "value"), [(b"\0\2", 2), (b"\1\2", 2), (b"\1\xff", 255), (b"\2\0", 2), (b"\xff\7", 255)]
)
def test_describe_a_tensor_that_does_not_exist(server_driver: Path, payload: bytes, value: int) -> None:
    assert ask(server_driver, DESCRIBE, payload) == error(BAD_ARGUMENT, value)


@pytest.mark.parametrize("payload", [b"", b"\0", b"\0\0\0", b"\2"])
def test_describe_of_another_length(server_driver: Path, payload: bytes) -> None:
    assert ask(server_driver, DESCRIBE, payload) == error(BAD_LENGTH, len(payload))


@pytest.mark.parametrize("count", [1, 2, 3, 10])
def test_infer(server_driver: Path, count: int) -> None:
    vectors = [([n, -n, 5], [1000 * n, -1 - n]) for n in range(count)]
    assert ask(server_driver, INFER, infer(vectors)) == result(vectors)


def test_infer_with_extreme_elements(server_driver: Path) -> None:
    vectors = [([0, 0, 0], [0, 0]), ([-64, 63, 0], [-32768, 32767])]
    assert ask(server_driver, INFER, infer(vectors)) == result(vectors)


def test_inferences_one_after_the_other_reach_the_same_engine(server_driver: Path) -> None:
    got = talk(server_driver, [SESSION, (INFER, infer([VECTOR] * 2)), (INFER, infer([VECTOR] * 3))])
    assert got[1:] == [result([VECTOR] * 2), result([VECTOR] * 3, calls=2)]


def test_infer_fills_the_largest_payload_to_the_last_byte(server_driver: Path) -> None:
    count = 9
    largest = RESULT_HEADER + count * OUTPUT_BYTES
    assert ask(server_driver, INFER, infer([VECTOR] * count), largest) == result([VECTOR] * count)
    assert ask(server_driver, INFER, infer([VECTOR] * count), largest - 1) == error(BAD_ARGUMENT, count)


def test_without_a_clock_the_ticks_are_zero(server_driver: Path) -> None:
    (_, welcome), inferred = talk(server_driver, [SESSION, (INFER, infer([VECTOR]))], PAYLOAD, 0, 0)
    assert welcome[12:16] == bytes(4)
    assert inferred == result([VECTOR], ticks=0)


@pytest.mark.parametrize(
    "payload",
    [b"", b"\1", infer([VECTOR])[:-1], infer([VECTOR]) + b"\0", infer([], count=1), infer([VECTOR], count=2),
     infer([VECTOR] * 2, count=1), infer([VECTOR], count=0), infer([VECTOR], count=65535), b"\0\0\0"],
    ids=lambda payload: payload.hex(),
)  # fmt: skip
def test_infer_of_another_length(server_driver: Path, payload: bytes) -> None:
    assert ask(server_driver, INFER, payload) == error(BAD_LENGTH, len(payload))


def test_infer_of_no_vectors(server_driver: Path) -> None:
    assert ask(server_driver, INFER, infer([])) == error(BAD_ARGUMENT, 0)


def test_infer_with_a_result_that_would_be_too_long(server_driver: Path) -> None:
    count = (PAYLOAD - RESULT_HEADER) // OUTPUT_BYTES + 1
    assert 2 + count * INPUT_BYTES <= PAYLOAD
    got = talk(server_driver, [SESSION, (INFER, infer([VECTOR] * count)), (INFER, infer([VECTOR]))])
    assert got[1:] == [error(BAD_ARGUMENT, count), result([VECTOR])]


def test_invoke_that_fails_is_reported_and_forgotten(server_driver: Path) -> None:
    failing = infer([VECTOR, ([FAILING_INPUT, 0, 0], [0, 0]), VECTOR])
    got = talk(server_driver, [SESSION, (INFER, failing), (INFER, infer([VECTOR]))])
    assert got[1:] == [error(INVOKE_FAILED, INVOKE_STATUS), result([VECTOR], calls=1)]


@pytest.mark.parametrize("status", [1, 0xFFFFFFFF])
def test_engine_that_did_not_accept_the_model(server_driver: Path, status: int) -> None:
    requests = [SESSION, (DESCRIBE, b"\0\0"), (INFER, infer([VECTOR])), (0x04, b"")]
    got = talk(server_driver, requests, PAYLOAD, status)
    assert got[0][0] == WELCOME
    assert got[1:] == [error(INIT_FAILED, status), error(INIT_FAILED, status), error(UNKNOWN_TYPE, 0x04)]


@pytest.mark.parametrize("kind", range(0x04, 0x10))
def test_request_that_the_device_does_not_know(server_driver: Path, kind: int) -> None:
    assert ask(server_driver, kind, b"anything") == error(UNKNOWN_TYPE, kind)


def test_order_of_the_checks(server_driver: Path) -> None:
    broken = (PAYLOAD, 5)  # init fails with status 5
    # Each request is wrong in several ways; the first in the protocol's order is reported.
    assert talk(server_driver, [(0x0F, b"")], *broken) == [error(UNKNOWN_TYPE, 0x0F)]
    for kind in (DESCRIBE, INFER):
        assert talk(server_driver, [(kind, b"\xff")], *broken) == [error(NOT_READY, BOOT_ID)]
        assert ask(server_driver, kind, b"\xff", *broken) == error(INIT_FAILED, 5)
        assert ask(server_driver, kind, b"\xff") == error(BAD_LENGTH, 1)
    assert ask(server_driver, INFER, infer([VECTOR], count=0)) == error(BAD_LENGTH, 2 + INPUT_BYTES)
    assert ask(server_driver, DESCRIBE, b"\2\7") == error(BAD_ARGUMENT, 2)


def test_before_hello_nothing_but_hello(server_driver: Path) -> None:
    got = talk(server_driver, [(DESCRIBE, b"\0\0"), (INFER, infer([VECTOR])), SESSION, (INFER, infer([VECTOR]))])
    assert got[:2] == [error(NOT_READY, BOOT_ID)] * 2
    assert got[2][0] == WELCOME
    assert got[3] == result([VECTOR])


def test_answers_that_reach_the_device_are_ignored(server_driver: Path) -> None:
    strays = b"".join(frame(kind, 7, b"\1\1") for kind in (*range(0x81, 0x90), ERROR))
    assert raw(server_driver, strays) == b""


def test_only_sound_frames_are_answered(server_driver: Path) -> None:
    good = frame(HELLO, 1, b"\1\1")
    bad = bytearray(good)
    bad[-3] ^= 1
    text = b"some text\n"
    oversize = b"\x0b" * (4 * PAYLOAD)
    wire = bytes(bad) + text + good[1:] + oversize + b"\0" + good + good[:5] + good
    got = answers(raw(server_driver, wire))
    # The text costs the frame whose opening delimiter it took the place of.
    assert [(kind, sequence) for kind, sequence, _ in got] == [(WELCOME, 1), (WELCOME, 1)]


def test_request_above_the_largest_payload_is_dropped(server_driver: Path) -> None:
    count = (PAYLOAD - 2) // INPUT_BYTES + 1
    wire = frame(HELLO, 1, b"\1\1") + frame(INFER, 2, infer([([1, 1, 1], [257, 257])] * count))
    assert [kind for kind, _, _ in answers(raw(server_driver, wire))] == [WELCOME]


def test_a_repeated_request_is_answered_again(server_driver: Path) -> None:
    request = frame(INFER, 9, infer([VECTOR]))
    got = answers(raw(server_driver, frame(HELLO, 8, b"\1\1") + request + request))
    assert [(kind, sequence) for kind, sequence, _ in got] == [(WELCOME, 8), (RESULT, 9), (RESULT, 9)]
