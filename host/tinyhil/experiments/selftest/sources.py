"""Faults in the firmware's sources: the link, the handshake, and the way of the vectors.

The device claims the project as it was rendered, so nothing but what it says and answers can tell. What only makes a
device mute is not here: its silence would prove nothing, because a device that never started is as silent.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from tinyhil.experiments.selftest.faults import Check, Edit, Fault

_SERVER = "lib/tinyhil_server/server.cpp"
_FRAMES = "lib/tinyhil_link/frames.cpp"
_COBS = "lib/tinyhil_link/cobs.cpp"
_MESSAGES = "lib/tinyhil_link/messages.h"
_INFO = "src/model_info.cpp"


@dataclass(frozen=True)
class Way:
    """How a model's vectors reach the device.

    Attributes:
        large: each in parts, because not even one fits into a request.
        together: several in a request.
        ranks: of all tensors.
    """

    large: bool
    together: bool
    ranks: tuple[int, ...]


def source_faults(way: Way) -> tuple[Fault, ...]:
    """The faults that a model's vectors come across."""
    return (
        *_IDENTITY,
        *_TENSORS,
        *(_RANK if min(way.ranks) > 1 else ()),
        *_FRAME,
        *_HANDSHAKE,
        *(_PARTS if way.large else _VECTORS),
        *(_BATCH if way.together else ()),
    )


def _fault(kind: str, name: str, check: Check, path: str, *changes: tuple[str, str]) -> Fault:
    """A fault by texts of a file and what stands there instead."""
    return Fault(kind, name, check, edits=tuple(Edit(path, re.escape(old), new) for old, new in changes))


def _last_bit(name: str) -> Edit:
    """Flips the last bit of a hash."""
    return Edit(_INFO, rf"({name}\[32\] = {{[^}}]*0x)(..)}}", lambda found: f"{found[1]}{int(found[2], 16) ^ 1:02x}}}")


_IDENTITY = (
    Fault("stale model", "the last bit of the model's hash", Check.MODEL, edits=(_last_bit("kModelSha256"),)),
    Fault("other build", "the last bit of the build's hash", Check.BUILD, edits=(_last_bit("kProjectSha256"),)),
)

_TENSORS = (
    _fault(
        "tensor",
        "each scale in the handshake is the next float32",
        Check.TENSORS,
        _SERVER,
        ("tensor.scale = info.scale;", "tensor.scale = info.scale * 1.0000001f;"),
    ),
    _fault(
        "tensor",
        "each zero point in the handshake is off by one",
        Check.TENSORS,
        _SERVER,
        ("tensor.zero_point = info.zero_point;", "tensor.zero_point = info.zero_point + 1;"),
    ),
    _fault(
        "tensor",
        "each element type in the handshake is the next one",
        Check.TENSORS,
        _SERVER,
        ("static_cast<link::ElementType>(info.dtype);", "static_cast<link::ElementType>((int)info.dtype % 5 + 1);"),
    ),
)

_RANK = (
    _fault(
        "tensor",
        "each shape in the handshake lacks its last size",
        Check.TENSORS,
        _SERVER,
        ("tensor.rank = info.rank;", "tensor.rank = info.rank - 1;"),
    ),
)

_FRAME = (
    _fault(
        "checksum",
        "the CRC leaves out the last byte of a frame",
        Check.CRC,
        _FRAMES,
        ("crc32(body, checked))", "crc32(body, checked - 1))"),
    ),
    _fault(
        "framing",
        "a frame lacks its last byte",
        Check.CRC,
        _FRAMES,
        ("cobs_encode(body, checked + 4,", "cobs_encode(body, checked + 3,"),
    ),
    _fault(
        "framing",
        "each COBS code is off by one",
        Check.FRAMING,
        _COBS,
        ("static_cast<uint8_t>(run + 1)", "static_cast<uint8_t>(run + 2)"),
    ),
    _fault(
        "sequence",
        "an answer has the number of the next request",
        Check.SEQUENCE,
        _SERVER,
        ("write_frame(answer_, sequence_,", "write_frame(answer_, sequence_ + 1,"),
    ),
    _fault(
        "sequence",
        "a kept answer is given to the next request of its type",
        Check.SEQUENCE,
        _SERVER,
        ("request.type == request_ && request.sequence == sequence_;", "request.type == request_;"),
    ),
)

_HANDSHAKE = (
    _fault(
        "byte order",
        "the largest payload is told big-endian",
        Check.ANSWER,
        _MESSAGES,
        ("put_u16(payload + 4, welcome.max_payload);", "put_u16(payload + 4, __builtin_bswap16(welcome.max_payload));"),
    ),
    _fault(
        "off by one",
        "a tensor is described under the next index",
        Check.ANSWER,
        _SERVER,
        ("tensor.index = describe.index;", "tensor.index = describe.index + 1;"),
    ),
    _fault(
        "off by one",
        "the handshake announces an output too many",
        Check.DEVICE,
        _SERVER,
        ("welcome.outputs = kModelInfo.outputs;", "welcome.outputs = kModelInfo.outputs + 1;"),
    ),
    _fault(
        "version",
        "the firmware speaks the next version of the protocol",
        Check.DEVICE,
        _MESSAGES,
        ("kVersion = 1;", "kVersion = 2;"),
    ),
)

_RESULT = "link::write_result(payload_, infer.count, spent);\n  return length;"

_VECTORS = (
    _fault(
        "truncated output",
        "a result lacks its last byte",
        Check.ANSWER,
        _SERVER,
        (_RESULT, _RESULT.replace("return length;", "return length - 1;")),
    ),
    _fault(
        "truncated output",
        "a result lacks its last vector, and says so",
        Check.ANSWER,
        _SERVER,
        (_RESULT, "link::write_result(payload_, infer.count - 1, spent);\n  return length - output_bytes_;"),
    ),
    _fault(
        "truncated output",
        "the last vector of a request is not computed",
        Check.FIDELITY,
        _SERVER,
        ("left = infer.count; left != 0; --left", "left = infer.count; left != 1; --left"),
    ),
    _fault(
        "off by one",
        "a result says that it has a vector more than it has",
        Check.ANSWER,
        _SERVER,
        ("write_result(payload_, infer.count, spent)", "write_result(payload_, infer.count + 1, spent)"),
    ),
    _fault(
        "off by one",
        "the firmware expects a request to be a byte longer",
        Check.DEVICE,
        _SERVER,
        ("infer.length != infer.count * input_bytes_", "infer.length != infer.count * input_bytes_ + 1"),
    ),
    _fault(
        "off by one",
        "vectors are read one byte late",
        Check.FIDELITY,
        _SERVER,
        ("const uint8_t* inputs = infer.vectors;", "const uint8_t* inputs = infer.vectors + 1;"),
    ),
    _fault(
        "off by one",
        "outputs are written one byte late",
        Check.FIDELITY,
        _SERVER,
        ("compute(infer, payload_ + link::kResultHeader)", "compute(infer, payload_ + link::kResultHeader + 1)"),
    ),
    _fault(
        "message",
        "a result is sent as another type of answer",
        Check.ANSWER,
        _SERVER,
        ("link::kInferLength, link::kResult,", "link::kInferLength, link::kRan,"),
    ),
)

_INVOKE = """    const uint32_t status = engine::invoke();
    if (status != 0) return status;
    for (uint32_t i = 0; i < kModelInfo.outputs; ++i) {
      outputs = give(outputs, engine::output(static_cast<uint8_t>(i)), kModelInfo.output[i].bytes);
    }
"""
_STATUS = "const uint32_t status = engine::invoke();\n    if (status != 0) return status;\n"

_BATCH = (
    _fault(
        "order",
        "every vector of a request is computed from the first",
        Check.FIDELITY,
        _SERVER,
        ("inputs = take(", "take("),
    ),
    _fault(
        "order",
        "the model is run for the first vector of a request only",
        Check.FIDELITY,
        _SERVER,
        (_INVOKE, _INVOKE.replace("= engine::invoke()", "= left == infer.count ? engine::invoke() : 0")),
    ),
    _fault(
        "order",
        "each output is read before the model is run",
        Check.FIDELITY,
        _SERVER,
        (_INVOKE, f"{_INVOKE.replace(f'    {_STATUS}', '')}    {_STATUS}"),
    ),
)

_PARTS = (
    _fault(
        "off by one",
        "parts of a vector are written one byte late",
        Check.ANSWER,
        _SERVER,
        ("written(write.index)) + write.offset", "written(write.index)) + write.offset + 1"),
    ),
    _fault(
        "truncated output",
        "a part of an output lacks its last byte",
        Check.ANSWER,
        _SERVER,
        ("read.length);\n  return read.length;", "read.length);\n  return read.length - 1;"),
    ),
)
