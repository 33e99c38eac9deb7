"""The C++ server under the sanitizers against a host that sends anything: random frames whose CRC is right.

Every answer is compared with that of an oracle, so that a byte that lands in the wrong tensor is seen as well.
"""

from __future__ import annotations

import random
import struct
from pathlib import Path

import pytest

from .oracle import CounterModel, LargeModel, Model, Oracle
from .wire import (
    ARENA,
    BAD_ARGUMENT,
    BAD_LENGTH,
    CLEARED,
    DATA,
    DESCRIBE,
    ERROR,
    HELLO,
    INFER,
    INIT_FAILED,
    INPUTS_DIFFER,
    INVOKE_FAILED,
    NOT_READY,
    PARTED,
    PREPARED,
    PROFILE,
    PROFILED,
    RAN,
    READ,
    RESET,
    RESULT,
    RUN,
    SESSION,
    TENSOR,
    UNKNOWN_TYPE,
    UNSUPPORTED_VERSION,
    USAGE,
    USED,
    WELCOME,
    WRITE,
    WRITTEN,
    Answer,
    Message,
    answers,
    frame,
    raw,
    run,
    talk,
)

FRAMES = 3000
SEEDS = 4
PAYLOAD = 300
"""Room for more than one full COBS block."""

SOUND = [HELLO, DESCRIBE, INFER, RESET, *[WRITE] * 6, *[RUN] * 3, *[READ] * 6, USAGE, ARENA, *[PROFILE] * 2]
EDGES = (-2, -1, 0, 0, 0, 0, 1, 2)
EVERY_ERROR = {BAD_LENGTH, BAD_ARGUMENT, NOT_READY, INVOKE_FAILED, INPUTS_DIFFER, UNKNOWN_TYPE, UNSUPPORTED_VERSION}


def facts(driver: Path) -> dict[Message, Message]:
    """What the device says about itself."""
    asked = [SESSION, *((DESCRIBE, bytes([direction, index])) for direction in (0, 1) for index in range(8))]
    return {ask: got for ask, got in zip(asked, talk(driver, asked, PAYLOAD), strict=True) if got[0] != ERROR}


def around(dice: random.Random, *values: int) -> int:
    """A number at the edge of something, or any."""
    return dice.choice([dice.choice(values) + dice.choice(EDGES), dice.randrange(2**32), dice.randrange(64)]) % 2**32


def sound(dice: random.Random, oracle: Oracle, kind: int) -> bytes:
    """A payload as long as its message says, with fields near or beyond their limits."""
    model = oracle.model
    if kind == HELLO:
        return dice.choice([b"\1\1", b"\1\1", b"\0\xff", b"\2\3"])
    if kind == DESCRIBE:
        return bytes([dice.randrange(3), dice.randrange(7)])
    if kind == INFER:
        each = sum(map(len, model.inputs))
        count = dice.randrange((PAYLOAD - 2) // each + 1)
        return struct.pack("<H", count) + dice.randbytes(count * each)
    if kind == RUN:
        return run(oracle.inputs())[1] if dice.random() < 0.7 else dice.randbytes(4)
    if kind == WRITE and dice.random() < 0.1:
        # What the models fail on: a first byte of 127 in one, of 255 in the other.
        return struct.pack("<BIB", dice.randrange(2), 0, dice.choice([127, 255]))
    if kind == WRITE:
        index = dice.randrange(len(model.inputs) + 1)
        size = len(model.inputs[index % len(model.inputs)])
        part = dice.randbytes(dice.randint(1, min(size, PAYLOAD - 5)))
        inside = dice.randrange(size - len(part) + 1)
        offset = dice.choice([inside, around(dice, 0, size, size - len(part), 2**32 - len(part))])
        return struct.pack("<BI", index, offset) + part
    if kind == READ:
        index = dice.randrange(len(model.outputs) + 1)
        size = len(model.outputs[index % len(model.outputs)])
        length = dice.choice([dice.randint(1, min(size, PAYLOAD)), around(dice, 0, 1, size, PAYLOAD) % 2**16])
        inside = dice.randrange(max(size - length, 0) + 1)
        offset = dice.choice([inside, around(dice, 0, size, size - length, 2**32 - length)])
        return struct.pack("<BIH", index, offset, length)
    if kind == ARENA:
        size = dice.choice([1234, around(dice, 0, 1000, 1100, 1234)])
        return struct.pack("<I", size)
    if kind == PROFILE:
        return struct.pack("<H", dice.choice([0, dice.randrange(40), around(dice, 0, 40) % 2**16]))
    return b""


def attack(dice: random.Random, oracle: Oracle) -> tuple[bytes, list[Answer]]:
    """A stream for the device and what it has to answer."""
    wire, want = bytearray(), []
    kind, number = DESCRIBE, 0
    for _ in range(FRAMES):
        again = dice.random() < 0.2
        if not again:
            kind = dice.choice(SOUND) if dice.random() < 0.9 else dice.randrange(0x01, 0x10)
            number = (number + dice.choice([0, 1, 1, 1, dice.randrange(2**32)])) % 2**32
        payload = sound(dice, oracle, kind) if dice.random() < 0.85 else dice.randbytes(dice.randrange(PAYLOAD + 20))
        wire += frame(kind, number, payload)
        if len(payload) <= PAYLOAD:
            answer, found = oracle.answer(kind, number, payload)
            want.append((answer, number, found))
        if dice.random() < 0.1:
            wire += frame(dice.choice([*range(0x81, 0x90), 0xFF]), number, dice.randbytes(9))
        if dice.random() < 0.1:
            wire += dice.randbytes(dice.randrange(2 * PAYLOAD)) + b"\0"
    return bytes(wire), want


@pytest.mark.parametrize("model", [CounterModel, LargeModel])
def test_random_requests(counter: Path, large: Path, model: type[Model]) -> None:
    driver = counter if model is CounterModel else large
    known = facts(driver)
    seen = []
    for seed in range(SEEDS):
        wire, want = attack(random.Random(seed), Oracle(model(), PAYLOAD, known))
        got = answers(raw(driver, wire, PAYLOAD))
        assert got == want, f"seed {seed}"
        seen += got
    # Nothing above is true because little happened.
    errors = {payload[0] for kind, _, payload in seen if kind == ERROR}
    assert errors == EVERY_ERROR | ({INIT_FAILED} if model is CounterModel else set())
    kinds = {WELCOME, TENSOR, CLEARED, WRITTEN, RAN, DATA, USED, PROFILED, PARTED, ERROR}
    kinds |= {RESULT, PREPARED} if model is CounterModel else set()
    assert {kind for kind, _, _ in seen} == kinds
    if model is LargeModel:
        assert max(len(payload) for _, _, payload in seen) == PAYLOAD


@pytest.mark.parametrize("kind", range(0x01, 0x10))
def test_payloads_of_every_length(large: Path, huge: Path, kind: int) -> None:
    for driver in (large, huge):
        for byte in (b"\0", b"\xff"):
            # The sum over 4 GiB takes a while.
            lengths = [length for length in range(PAYLOAD + 1) if (kind, driver, length) != (RUN, huge, 4)]
            requests = [(kind, byte * length) for length in lengths]
            got = talk(driver, [SESSION, *requests, SESSION], PAYLOAD)
            assert got[-1] == got[0]
