"""The model of firmware/tests/fakes/large.cpp, once more."""

from __future__ import annotations

import random
import struct

import numpy as np

from .wire import Message, read, write

SIZES = (5000, 21, 12, 8, 4)
"""Bytes of each input, and of each output."""

SAMPLES, MASK, LEVELS, OFFSETS, GAIN = range(5)
DESTROYED = b"\xa5" * sum(SIZES)
"""What an inference leaves of the inputs."""

Tensors = tuple[bytes, ...]


def inputs(seed: int = 1) -> Tensors:
    """Random tensors that an inference takes; the gain is a number whose double is exact."""
    dice = random.Random(seed)
    samples, mask, levels, offsets = (dice.randbytes(size) for size in SIZES[:GAIN])
    gain = struct.pack("<f", dice.randrange(-1000, 1000) / 8)
    return samples, bytes([dice.randrange(255)]) + mask[1:], levels, offsets, gain


def outputs(of: Tensors) -> Tensors:
    *inverted, gain = of
    with np.errstate(all="ignore"):
        doubled = np.float32(2) * np.frombuffer(gain, "<f4")
    return *((~np.frombuffer(tensor, np.uint8)).tobytes() for tensor in inverted), doubled.astype("<f4").tobytes()


def writes(tensors: Tensors, part: int) -> list[Message]:
    """All WRITEs of a vector in parts of up to so many bytes."""
    return [
        write(index, at, tensor[at : at + part])
        for index, tensor in enumerate(tensors)
        for at in range(0, len(tensor), part)
    ]


def reads(part: int) -> list[Message]:
    """READs of all outputs in parts of up to so many bytes."""
    return [read(index, at, min(part, size - at)) for index, size in enumerate(SIZES) for at in range(0, size, part)]
