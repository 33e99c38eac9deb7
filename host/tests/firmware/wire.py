"""Talking to a driver of firmware/tests, or to a server in this process, by frames of their own few lines.

Nothing here is the host's codec, so that the two cannot agree by chance.
"""

from __future__ import annotations

import re
import struct
import subprocess
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path

HELLO, DESCRIBE, INFER, RESET, WRITE, RUN, READ, USAGE, ARENA, PROFILE, BAUD, GOODBYE = range(0x01, 0x0D)
WELCOME, TENSOR, RESULT, CLEARED, WRITTEN, RAN, DATA, USED, PREPARED, PROFILED, SWITCHED, PARTED = range(0x81, 0x8D)
PREPROCESS, PREPROCESSED = 0x0D, 0x8D
ERROR = 0xFF
UNKNOWN_REQUESTS = range(0x0D, 0x10)
"""To firmware without a sketch, which has no preprocessing."""
UNSUPPORTED_VERSION, UNKNOWN_TYPE, BAD_LENGTH, BAD_ARGUMENT, NOT_READY, INIT_FAILED, INVOKE_FAILED, INPUTS_DIFFER = (
    range(1, 9)
)
SEQUENCE = 0xFFFFFFFE  # so that a few requests run over 2^32
PAYLOAD = 128

# What firmware/tests/server_driver.cpp and every engine in fakes say.
BOOT_ID = 0xB007B007
INVOKE_STATUS = 77
TICKS_EACH = 100
PREPARE_STATUS = 9
STACK = 654, 321

Message = tuple[int, bytes]
SESSION: Message = (HELLO, b"\1\1")
Answer = tuple[int, int, bytes]
"""Type, sequence and payload."""


def stuff(body: bytes) -> bytes:
    """COBS."""
    blocks = []
    *runs, last = body.split(b"\0")
    for run in runs:
        while len(run) >= 254:
            blocks.append(run[:254])
            run = run[254:]
        blocks.append(run)
    while len(last) >= 254:
        blocks.append(last[:254])
        last = last[254:]
    if last or not blocks or len(blocks[-1]) < 254:
        blocks.append(last)
    return b"".join(bytes([len(block) + 1]) + block for block in blocks)


def unstuff(chunk: bytes) -> bytes:
    body = b""
    while chunk:
        code, block, chunk = chunk[0], chunk[1 : chunk[0]], chunk[chunk[0] :]
        assert len(block) == code - 1
        body += block
        if code < 255 and chunk:
            body += b"\0"
    return body


def frame(kind: int, sequence: int, payload: bytes = b"") -> bytes:
    body = struct.pack("<BI", kind, sequence % 2**32) + payload
    return b"\0" + stuff(body + struct.pack("<I", zlib.crc32(body))) + b"\0"


IN_PROCESS: dict[Path, Callable[..., bytes]] = {}
"""Drivers that are no programs: called with the bytes and the arguments, they return what the device wrote."""


def raw(driver: Path, wire: bytes, *arguments: object) -> bytes:
    """What the device wrote for some bytes."""
    if driver in IN_PROCESS:
        return IN_PROCESS[driver](wire, *(arguments or (PAYLOAD,)))
    command = [str(driver), *map(str, arguments or (PAYLOAD,))]
    done = subprocess.run(command, input=wire, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def chunks(written: bytes) -> list[bytes]:
    """What stands between the delimiters of each frame, which has two of its own."""
    found = re.findall(rb"\0([^\0]+)\0", written)
    assert b"".join(b"\0" + chunk + b"\0" for chunk in found) == written
    return found


def answers(written: bytes) -> list[Answer]:
    found = []
    for chunk in chunks(written):
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


def write(index: int, offset: int, data: bytes) -> Message:
    return WRITE, struct.pack("<BI", index, offset) + data


def run(inputs: bytes) -> Message:
    """RUN on all inputs, one after the other."""
    return RUN, struct.pack("<I", zlib.crc32(inputs))


def read(index: int, offset: int, length: int) -> Message:
    return READ, struct.pack("<BIH", index, offset, length)


def ran(ticks: int = TICKS_EACH) -> Message:
    return RAN, struct.pack("<I", ticks)
