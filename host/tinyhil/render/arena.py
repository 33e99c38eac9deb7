"""How much working memory a model is given where TensorFlow Lite Micro interprets it.

The smallest arena that works is found by trying, on the target (FILE holds what was found). Before that an estimate has
to do, which must rather be too large: with too small an arena the model does not start. It is made of what TFLM puts
into the arena of a 32-bit chip:

* the tensors that are computed, each rounded up to 16 bytes; TFLM lets those that are not needed at the same time share
  memory, this adds them all up;
* 64 bytes for each tensor: 12 stay, the rest is what the planner of the memory needs while the model is prepared;
* 256 bytes for each operator: its node, its parameters, and what its kernel remembers;
* for convolutions, 8 bytes for each output channel (multiplier and shift), and a strip of inputs twice as int16, which
  optimised kernels unpack into;
* 1 KiB for the interpreter's own objects.

A quarter is added to the sum.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from tinyhil import tflite
from tinyhil.artifacts import foreign, store
from tinyhil.errors import ConfigError, StorageError
from tinyhil.targets.model import Chip, Engine

FILE = "arena.json"
"""Beside the project: a :class:`StoredArena`."""

ALIGNMENT = 16
"""Of the arena and of all that TFLM puts into it."""

TENSOR = 64
OPERATOR = 256
CHANNEL = 8
FIXED = 1024
HEADROOM = 0.25

_SHARE = 0.75
"""Of the RAM, where the target file does not say what the engine may take: the rest is for the link and the stack."""

_CONVOLUTIONS = frozenset({"CONV_2D", "DEPTHWISE_CONV_2D", "TRANSPOSE_CONV"})


@dataclass(frozen=True)
class Arena:
    """A size, and where it comes from.

    Attributes:
        bytes: a multiple of 16.
        reason: in words, for the project.
    """

    bytes: int
    reason: str


class StoredArena(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What trying on the target has found.

    Attributes:
        bytes: the arena to be built in, headroom included.
        smallest: of the sizes that were tried, the smallest in which every output was exact.
        said: what the engine itself says that it needs.
        model_sha256: of the model that it was found for; it says nothing about another one.
    """

    bytes: Annotated[int, Meta(gt=0)]
    smallest: Annotated[int, Meta(gt=0)]
    said: Annotated[int, Meta(ge=0)]
    model_sha256: str


def keep(folder: Path, measured: StoredArena) -> None:
    """Leaves a measurement in ``folder`` for the next rendering.

    Raises:
        StorageError: it cannot be written.
    """
    store.write_json(folder / FILE, measured)


def found(folder: Path, model_sha256: str) -> int | None:
    """Bytes that a measurement has left in ``folder`` for this model, None if there was none.

    Raises:
        ConfigError: the file is not what such a measurement writes.
        StorageError: it cannot be read.
    """
    path = folder / FILE
    try:
        measured = msgspec.json.decode(path.read_bytes(), type=StoredArena)
        return measured.bytes if measured.model_sha256 == model_sha256 else None
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StorageError(f"cannot read {path}: {error.strerror}", hint="look at its rights, or remove it") from error
    except foreign.UNREADABLE as error:
        raise ConfigError(f"{path} is damaged: {error}", hint="remove it") from error


def most(engine: Engine, chip: Chip) -> int:
    """Bytes that the target can spare for an arena, a multiple of 16."""
    return min(engine.max_arena or int(chip.static_ram * _SHARE), chip.static_ram) // ALIGNMENT * ALIGNMENT


def choose(model: bytes, engine: Engine, chip: Chip, measured: int | None) -> Arena:
    """The size of the arena: measured, or the target's, or an estimate that the target can spare.

    Args:
        model: content of a .tflite file that has been read strictly.
        engine: the engine's facts on the target.
        chip: the chip's limits.
        measured: bytes that were found by trying, if they were.

    Raises:
        ConfigError: what was measured is more than the target can spare.
    """
    limit = most(engine, chip)
    if measured is not None:
        size = aligned(measured)
        if size > limit:
            raise ConfigError(
                f"an arena of {measured} bytes is asked for, the target has {limit}", hint=f"remove {FILE}"
            )
        return Arena(size, "found by trying, with headroom")
    if engine.default_arena:
        return Arena(min(aligned(engine.default_arena), limit), "as the target file says")
    guess = estimate(model)
    if guess > limit:
        return Arena(limit, "all that the target can spare, less than was estimated")
    return Arena(guess, "estimated from the model")


def estimate(model: bytes) -> int:
    """Bytes that a model is likely to need on a 32-bit chip, by the sum above."""
    schema = tflite.schema()

    root = schema.Model.GetRootAsModel(model, 0)
    graph = root.Subgraphs(0)
    convolutions = {getattr(schema.BuiltinOperator, name) for name in _CONVOLUTIONS}
    total = FIXED + OPERATOR * graph.OperatorsLength() + TENSOR * graph.TensorsLength()
    for index in range(graph.TensorsLength()):
        tensor = graph.Tensors(index)
        if root.Buffers(tensor.Buffer()).DataLength() == 0:
            total += aligned(math.prod(_shape(tensor)) * _element_bytes(tensor, schema))
    for index in range(graph.OperatorsLength()):
        operator = graph.Operators(index)
        code = root.OperatorCodes(operator.OpcodeIndex())
        if max(code.BuiltinCode(), code.DeprecatedBuiltinCode()) in convolutions:
            # The weights are the second input: (outputs, height, width, inputs), the outputs last where depthwise.
            shape = _shape(graph.Tensors(operator.Inputs(1)))
            total += CHANNEL * max(shape[0], shape[-1]) + aligned(4 * math.prod(shape[1:]))
    return aligned(math.ceil(total * (1 + HEADROOM)))


def aligned(size: int) -> int:
    """The multiple of ALIGNMENT that has room for ``size`` bytes."""
    return -(-size // ALIGNMENT) * ALIGNMENT


def _shape(tensor: Any) -> list[int]:
    return [int(tensor.Shape(axis)) for axis in range(tensor.ShapeLength())]


def _element_bytes(tensor: Any, schema: Any) -> int:
    wide = {schema.TensorType.FLOAT32: 4, schema.TensorType.INT32: 4, schema.TensorType.INT64: 8}
    narrow = {schema.TensorType.INT8: 1, schema.TensorType.UINT8: 1, schema.TensorType.BOOL: 1}
    return {**wide, **narrow, schema.TensorType.INT16: 2}.get(tensor.Type(), 8)
