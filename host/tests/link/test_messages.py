"""Every message, every limit of docs/protocol.md, and whose fault a broken one is."""

from __future__ import annotations

import json
import math
import re
import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tinyhil.affine import DType, TensorSpec
from tinyhil.errors import LocalLinkError, RemoteLinkError
from tinyhil.link.fields import Message
from tinyhil.link.inference import Cleared, Data, Infer, Ran, Read, Reset, Result, Run, Write, Written
from tinyhil.link.line_rate import Baud, Switched
from tinyhil.link.messages import (
    Describe,
    Direction,
    Error,
    ErrorCode,
    Goodbye,
    Hello,
    MessageType,
    Parted,
    Tensor,
    Welcome,
)
from tinyhil.link.preprocessing import Preprocess, Preprocessed
from tinyhil.link.resources import Arena, OperatorTicks, Prepared, Profile, Profiled, Usage, Used

from .strategies import MESSAGES

SCALE = float(np.float32(0.1))
SPEC = TensorSpec("x", DType.INT8, (1, 3), SCALE, -128)
TENSOR = Tensor(Direction.INPUT, 0, SPEC)
WELCOME = Welcome(1, False, 1, 1, 1024, 4, 7, 25_000_000, 2048, b"m" * 32, b"p" * 32, "compiled")
HANDSHAKE: list[type[Message]] = [Hello, Welcome, Describe, Tensor, Goodbye, Parted]
WORK: list[type[Message]] = [Infer, Result, Reset, Cleared, Write, Written, Run, Ran, Read, Data]
RESOURCES: list[type[Message]] = [Usage, Used, Arena, Prepared, Profile, Profiled, Baud, Switched]
KINDS: list[type[Message]] = [*HANDSHAKE, *WORK, *RESOURCES, Preprocess, Preprocessed, Error]
USED = Used(1, 2, 3, 4, 5, 6)
PREPROCESSED = Preprocessed(1, 2, DType.INT16, (1, 8))
PROFILED = Profiled(3, 1, (OperatorTicks("ADD", 7), OperatorTicks("", 8)))


@given(MESSAGES)
def test_what_was_encoded_is_decoded(message: Message) -> None:
    assert type(message).decode(message.encode()) == message


@given(st.sampled_from(KINDS), st.binary(max_size=120) | MESSAGES.map(lambda message: message.encode()))
def test_any_payload_is_a_message_with_one_encoding_or_the_device_s_fault(kind: type[Message], payload: bytes) -> None:
    try:
        message = kind.decode(payload)
    except RemoteLinkError:
        return
    assert message.encode() == payload


@given(MESSAGES, st.data())
def test_a_changed_byte_never_passes_unnoticed(message: Message, data: st.DataObject) -> None:
    payload = bytearray(message.encode())
    assume(payload)
    position = data.draw(st.integers(0, len(payload) - 1))
    payload[position] ^= data.draw(st.integers(1, 255))
    try:
        changed = type(message).decode(bytes(payload))
    except RemoteLinkError:
        return
    # Equal NaNs do not occur: a scale has to be finite.
    assert changed != message


def test_types_are_those_of_the_page() -> None:
    page = (Path(__file__).parents[3] / "docs/protocol.md").read_text("utf-8")
    rows = re.findall(r"^\|(?: (0x\w\w) \| (\w+) | \| )\| (0x\w\w) \| (\w+)", page, re.M)
    named = {name: int(code, 16) for row in rows for code, name in (row[:2], row[2:]) if name}
    assert {kind.TYPE.name: kind.TYPE for kind in KINDS} == named
    assert {kind.name: kind for kind in MessageType} == named
    assert [kind.__name__.upper() for kind in KINDS] == [kind.TYPE.name for kind in KINDS]


def test_error_codes_are_those_of_the_page() -> None:
    page = (Path(__file__).parents[3] / "docs/protocol.md").read_text("utf-8")
    table = page.split("| code | name | meaning | detail |")[1].split("\n\n")[0]
    rows = re.findall(r"^\| (\d+) \| ([a-z ]+) \|", table, re.M)
    assert [(code.value, code.name.lower().replace("_", " ")) for code in ErrorCode] == [
        (int(code), name) for code, name in rows
    ]


def test_layouts_are_those_of_the_page() -> None:
    assert Hello().encode() == b"\x01\x01"
    assert Describe(Direction.OUTPUT, 2).encode() == b"\x01\x02"
    assert Infer(2, b"abcd").encode() == b"\x02\x00abcd"
    assert Result(2, 0x01020304, b"ab").encode() == b"\x02\x00\x04\x03\x02\x01ab"
    assert [bare.encode() for bare in (Reset(), Cleared(), Written())] == [b"", b"", b""]
    assert Write(1, 0x01020304, b"ab").encode() == b"\x01\x04\x03\x02\x01ab"
    assert Run(0x01020304).encode() == Ran(0x01020304).encode() == b"\x04\x03\x02\x01"
    assert Read(1, 0x01020304, 0x0506).encode() == b"\x01\x04\x03\x02\x01\x06\x05"
    assert Data(b"ab").encode() == b"ab"
    assert Error(ErrorCode.BAD_LENGTH, 0x0102).encode() == b"\x03\x02\x01\x00\x00"
    assert Usage().encode() == Goodbye().encode() == Parted().encode() == b""
    assert USED.encode() == struct.pack("<6I", 1, 2, 3, 4, 5, 6)
    assert Arena(0x01020304).encode() == b"\x04\x03\x02\x01"
    assert Prepared(1, 2).encode() == b"\x01\0\0\0\x02\0\0\0"
    assert Preprocess(0x01020304).encode() == b"\x04\x03\x02\x01"
    assert PREPROCESSED.encode() == struct.pack("<IIBB2I", 1, 2, 3, 2, 1, 8)
    assert Profile(0x0102).encode() == b"\x02\x01"
    assert Baud(0x01020304).encode() == Switched(0x01020304).encode() == b"\x04\x03\x02\x01"
    assert PROFILED.encode() == b"\x03\0\x01\0\x07\0\0\0\x03ADD\x08\0\0\0\0"
    assert TENSOR.encode() == bytes((0, 0, 1, 2)) + struct.pack("<IIfi", 1, 3, SCALE, -128) + b"x"
    assert WELCOME.encode() == (
        bytes((1, 0, 1, 1))
        + struct.pack("<HBBIII", 1024, 4, 0, 7, 25_000_000, 2048)
        + b"m" * 32
        + b"p" * 32
        + b"compiled"
    )
    assert replace(WELCOME, stateful=True).encode()[1] == 1


def spec(**changes: Any) -> Tensor:
    return Tensor(Direction.INPUT, 0, replace(SPEC, **changes))


@pytest.mark.parametrize(
    "message",
    [
        Hello(lowest=256),
        replace(WELCOME, version=2),
        replace(WELCOME, version=0),
        replace(WELCOME, inputs=0),
        replace(WELCOME, outputs=256),
        replace(WELCOME, max_payload=63),
        replace(WELCOME, max_payload=4097),
        replace(WELCOME, window=0),
        replace(WELCOME, boot_id=-1),
        replace(WELCOME, tick_rate=2**32),
        replace(WELCOME, arena_bytes=2**32),
        replace(WELCOME, model_sha256=b"m" * 31),
        replace(WELCOME, project_sha256=b"p" * 33),
        replace(WELCOME, engine=""),
        replace(WELCOME, engine="e" * 17),
        replace(WELCOME, engine="\x1f"),
        replace(WELCOME, engine="\x7f"),
        replace(WELCOME, engine="é"),
        Describe(Direction.INPUT, 256),
        Tensor(Direction.INPUT, 256, SPEC),
        spec(shape=()),
        spec(shape=(1,) * 7),
        spec(shape=(1, 0)),
        spec(shape=(2**32,)),
        spec(scale=math.inf),
        spec(scale=math.nan),
        spec(scale=-SCALE),
        spec(scale=-0.0),
        spec(scale=0.1),
        spec(scale=1e300),
        spec(zero_point=2**31),
        spec(name="x" * 64),
        spec(name="ä" * 32),
        spec(name="\ud800"),
        Infer(0, b"x"),
        Infer(65536, b"x" * 65536),
        Infer(2, b"xyz"),
        Infer(1, b""),
        Result(0, 0, b""),
        Result(3, 0, b"xy"),
        Result(1, 2**32, b"x"),
        Write(256, 0, b"x"),
        Write(0, 2**32, b"x"),
        Write(0, 0, b""),
        Write(0, 0, bytes(4092)),
        Run(2**32),
        Ran(-1),
        Read(256, 0, 1),
        Read(0, 2**32, 1),
        Read(0, 0, 0),
        Read(0, 0, 4097),
        Data(b""),
        Data(bytes(4097)),
        replace(USED, arena_capacity=-1),
        replace(USED, stack_used=2**32),
        Arena(0),
        Arena(2**32),
        Prepared(2**32, 0),
        Prepared(0, -1),
        Profile(-1),
        Preprocess(2**32),
        replace(PREPROCESSED, crc=-1),
        replace(PREPROCESSED, ticks=2**32),
        replace(PREPROCESSED, shape=()),
        replace(PREPROCESSED, shape=(1, 0)),
        replace(PREPROCESSED, shape=(1,) * 7),
        Baud(-1),
        Switched(2**32),
        Profile(2**16),
        replace(PROFILED, operators=2**16),
        replace(PROFILED, operators=2),
        replace(PROFILED, first=3),
        replace(PROFILED, entries=()),
        replace(PROFILED, entries=(OperatorTicks("x" * 64, 0),)),
        replace(PROFILED, entries=(OperatorTicks("\x7f", 0),)),
        replace(PROFILED, entries=(OperatorTicks("é", 0),)),
        replace(PROFILED, entries=(OperatorTicks("x", 2**32),)),
        Profiled(0, 1, ()),
        Profiled(0, 0, (OperatorTicks("x", 0),)),
        Error(ErrorCode.BAD_LENGTH, 2**32),
    ],
    ids=lambda message: repr(message)[:60],
)
def test_a_field_beyond_its_limit_is_not_sent(message: Message) -> None:
    with pytest.raises(LocalLinkError, match=f"^{message.TYPE.name} cannot be sent: "):
        message.encode()


TABLE = json.loads((Path(__file__).parents[3] / "firmware/lib/link/cases/frames.json").read_text("utf-8"))
JUDGED = [case for case in TABLE["cases"] if "sound" in case]


@pytest.mark.parametrize("case", JUDGED, ids=lambda case: case["name"])
def test_case_of_the_table(case: dict[str, Any]) -> None:
    """Frames whose CRC holds, and whose payload is or is not a message of their type."""
    frame = case["events"][0]["frame"]
    (kind,) = (kind for kind in KINDS if frame["type"] == kind.TYPE)
    payload = bytes.fromhex(frame["payload"])
    if case["sound"]:
        assert kind.decode(payload).encode() == payload
    else:
        with pytest.raises(RemoteLinkError, match=f"^{kind.TYPE.name} of {len(payload)} bytes: "):
            kind.decode(payload)


def test_the_table_has_sound_and_unsound_messages_of_every_new_type() -> None:
    judged = {(case["events"][0]["frame"]["type"], case["sound"]) for case in JUDGED}
    assert judged >= {(kind.TYPE, sound) for kind in RESOURCES for sound in (True, False)}


def with_byte(position: int, value: int) -> Callable[[bytes], bytes]:
    return lambda payload: payload[:position] + bytes((value,)) + payload[position + 1 :]


@pytest.mark.parametrize(
    ("message", "change"),
    [
        (Hello(), lambda p: p + b"\1"),
        (Hello(), lambda p: p[:1]),
        (WELCOME, with_byte(0, 2)),
        (WELCOME, with_byte(1, 2)),
        (WELCOME, with_byte(2, 0)),
        (WELCOME, with_byte(3, 0)),
        (WELCOME, lambda p: p[:4] + struct.pack("<H", 63) + p[6:]),
        (WELCOME, lambda p: p[:4] + struct.pack("<H", 4097) + p[6:]),
        (WELCOME, with_byte(6, 0)),
        (WELCOME, with_byte(7, 1)),
        (WELCOME, with_byte(84, 0x80)),
        (WELCOME, lambda p: p[:84]),
        (WELCOME, lambda p: p[:83]),
        (WELCOME, lambda p: p[:84] + b"e" * 17),
        (Describe(Direction.INPUT, 0), with_byte(0, 2)),
        (Describe(Direction.INPUT, 0), lambda p: p[:1]),
        (TENSOR, with_byte(0, 2)),
        (TENSOR, with_byte(2, 0)),
        (TENSOR, with_byte(2, 6)),
        (TENSOR, with_byte(3, 0)),
        (TENSOR, with_byte(3, 7)),
        (TENSOR, with_byte(3, 6)),
        (TENSOR, with_byte(4, 0)),
        (TENSOR, lambda p: p[:12] + struct.pack("<f", math.nan) + p[16:]),
        (TENSOR, lambda p: p[:12] + struct.pack("<f", math.inf) + p[16:]),
        (TENSOR, lambda p: p[:12] + struct.pack("<f", -SCALE) + p[16:]),
        (TENSOR, lambda p: p[:19]),
        (TENSOR, lambda p: p[:20] + b"\xff"),
        (TENSOR, lambda p: p[:20] + b"x" * 64),
        (Infer(1, b"x"), with_byte(0, 0)),
        (Infer(1, b"x"), lambda p: p[:1]),
        (Infer(1, b"x"), lambda p: p[:2]),
        (Result(1, 0, b"x"), with_byte(0, 0)),
        (Result(1, 0, b"x"), lambda p: p[:5]),
        (Result(1, 0, b"x"), lambda p: p[:6]),
        (Result(2, 0, b"xy"), lambda p: p[:-1]),
        (Error(ErrorCode.NOT_READY, 0), with_byte(0, 0)),
        (Reset(), lambda p: b"x"),
        (Cleared(), lambda p: b"x"),
        (Write(0, 0, b"x"), lambda p: p[:4]),
        (Write(0, 0, b"x"), lambda p: p[:5]),
        (Write(0, 0, b"x"), lambda p: p[:5] + bytes(4092)),
        (Written(), lambda p: b"x"),
        (Run(0), lambda p: p[:3]),
        (Run(0), lambda p: p + b"\0"),
        (Ran(0), lambda p: p[:3]),
        (Ran(0), lambda p: p + b"\0"),
        (Read(0, 0, 1), lambda p: p[:6]),
        (Read(0, 0, 1), lambda p: p + b"\0"),
        (Read(0, 0, 1), with_byte(5, 0)),
        (Read(0, 0, 1), with_byte(6, 0x11)),
        (Data(b"x"), lambda p: b""),
        (Usage(), lambda p: b"x"),
        (Goodbye(), lambda p: b"x"),
        (Parted(), lambda p: b"x"),
        (USED, lambda p: p[:-1]),
        (USED, lambda p: p + b"\0"),
        (Arena(1), lambda p: p[:3]),
        (Arena(1), lambda p: p + b"\0"),
        (Arena(1), with_byte(0, 0)),
        (Prepared(0, 0), lambda p: p[:7]),
        (Prepared(0, 0), lambda p: p + b"\0"),
        (Profile(0), lambda p: p[:1]),
        (Profile(0), lambda p: p + b"\0"),
        (Baud(1), lambda p: p[:3]),
        (Switched(1), lambda p: p + b"\0"),
        (PROFILED, lambda p: p[:3]),
        (PROFILED, lambda p: p[:4]),
        (PROFILED, lambda p: p[:-1]),
        (PROFILED, with_byte(0, 2)),
        (PROFILED, with_byte(2, 3)),
        (PROFILED, with_byte(8, 2)),
        (PROFILED, with_byte(8, 64)),
        (PROFILED, with_byte(9, 0x0A)),
        (PROFILED, with_byte(9, 0xC3)),
        (Profiled(0, 0, ()), with_byte(2, 1)),
        (Error(ErrorCode.NOT_READY, 0), with_byte(0, 9)),
        (Error(ErrorCode.NOT_READY, 0), lambda p: p[:4]),
        (Error(ErrorCode.NOT_READY, 0), lambda p: p + b"\0"),
    ],
)
def test_a_field_beyond_its_limit_is_the_device_s_fault(message: Message, change: Callable[[bytes], bytes]) -> None:
    payload = change(message.encode())
    with pytest.raises(RemoteLinkError, match=f"^{message.TYPE.name} of {len(payload)} bytes: "):
        type(message).decode(payload)


def test_a_tensor_that_is_not_quantized_has_scale_0() -> None:
    plain = spec(dtype=DType.FLOAT32, scale=0.0, zero_point=0)
    assert Tensor.decode(plain.encode()).spec == plain.spec
