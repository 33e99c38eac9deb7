"""The bytes of version 1 of the protocol, as they were first sent. What changes one of them is another version."""

from __future__ import annotations

import pytest

from tinyhil.affine import DType, TensorSpec
from tinyhil.link.fields import Message
from tinyhil.link.frames import Frame, FrameDecoder, encode_frame
from tinyhil.link.inference import Cleared, Data, Infer, Ran, Read, Reset, Result, Run, Write, Written
from tinyhil.link.line_rate import Baud, Switched
from tinyhil.link.messages import Describe, Direction, Error, ErrorCode, Goodbye, Hello, Parted, Tensor, Welcome
from tinyhil.link.preprocessing import Preprocess, Preprocessed
from tinyhil.link.resources import Arena, OperatorTicks, Prepared, Profile, Profiled, Usage, Used
from tinyhil.link.table import EXCHANGES

SEQUENCE = 0x0A0B0C0D
SPEC = TensorSpec("x", DType.INT8, (1, 3), 0.5, -128)
WELCOME = Welcome(1, True, 1, 2, 1024, 4, 0xB007B007, 25_000_000, 2048, b"m" * 32, b"p" * 32, "compiled")
USED = Used(4096, 2048, 932, 0, 8192, 321)
FROZEN: list[tuple[Message, str]] = [
    (Hello(), "000c010d0c0b0a01011529fff600"),
    (
        WELCOME,
        "000a810d0c0b0a010101020304040907b007b040787d010208014d6d6d6d6d6d6d6d6d6d6d6d6d6d6d6d6d6d6d6d6d6d"
        "6d6d6d6d6d6d6d6d6d6d6d7070707070707070707070707070707070707070707070707070707070707070636f6d7069"
        "6c6564ab34c02f00",
    ),
    (Describe(Direction.OUTPUT, 1), "000c020d0c0b0a0101883317c700"),
    (Tensor(Direction.INPUT, 0, SPEC), "0006820d0c0b0a01040102010101020301010101010b3f80ffffff78be3cedc100"),
    (Infer(2, b"abcdef"), "0007030d0c0b0a020b6162636465663d57acf300"),
    (Result(2, 0x01020304, b"ab"), "0007830d0c0b0a020b0403020161628e2a2a0100"),
    (Reset(), "000a040d0c0b0ab140f3cb00"),
    (Cleared(), "000a840d0c0b0a23f0157a00"),
    (Write(1, 0x01020304, b"ab"), "0011050d0c0b0a01040302016162bf559c2f00"),
    (Written(), "000a850d0c0b0a93d9754700"),
    (Run(0x01020304), "000e060d0c0b0a04030201f981d42100"),
    (Ran(0x01020304), "000e860d0c0b0a04030201b681814700"),
    (Read(1, 0x01020304, 0x0506), "0011070d0c0b0a01040302010605bbc2cd3a00"),
    (Data(b"ab"), "000c870d0c0b0a616298ad7fac00"),
    (Usage(), "000a080d0c0b0ab0ad030e00"),
    (USED, "0006880d0c0b0a0210010102080103a403010101010101022001034101010587137d9100"),
    (Arena(1328), "0008090d0c0b0a30050105780f98c000"),
    (Prepared(9, 932), "0007890d0c0b0a09010103a40301051da0f00e00"),
    (Profile(2), "00070a0d0c0b0a0205ba1ed2a800"),
    (
        Profiled(3, 1, (OperatorTicks("ADD", 7), OperatorTicks("", 8))),
        "00078a0d0c0b0a0302010207010106034144440801010105e7d817ec00",
    ),
    (Error(ErrorCode.NOT_READY, 0xB007B007), "000fff0d0c0b0a0507b007b07456f81300"),
    (Baud(921600), "00060b0d0c0b0a03100e054a932b9a00"),
    (Switched(921600), "00068b0d0c0b0a03100e0505937efc00"),
    (Goodbye(), "000a0c0d0c0b0a700b83fb00"),
    (Parted(), "000a8c0d0c0b0ae2bb654a00"),
    (Preprocess(0x01020304), "000e0d0d0c0b0a04030201241f81a300"),
    (
        Preprocessed(0x01020304, 258, DType.INT16, (1, 8)),
        "000c8d0d0c0b0a04030201020101040302010101020801010591964afe00",
    ),
]


@pytest.mark.parametrize(("message", "wire"), FROZEN, ids=lambda value: type(value).__name__)
def test_the_bytes_stay(message: Message, wire: str) -> None:
    assert encode_frame(Frame(message.TYPE, SEQUENCE, message.encode())).hex() == wire
    (event,) = FrameDecoder().feed(bytes.fromhex(wire))
    assert isinstance(event, Frame)
    assert type(message).decode(event.payload) == message


def test_every_message_is_here() -> None:
    kinds = {kind for row in EXCHANGES for kind in (row.request, row.answer)} | {Error}
    assert {type(message) for message, _ in FROZEN} == kinds
