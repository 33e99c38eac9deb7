"""Models of one operator, made by the schema, and the two things they are held against each other on: TFLM and ours."""

from __future__ import annotations

import ctypes
import hashlib
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from tflite_micro import runtime
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

from tinyhil import resources, tflite
from tinyhil.chain import compile_model

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class T:
    """A tensor of a model of one operator: an input or output if it has no values, else a constant.

    Attributes:
        dtype: ``int8``, ``float32`` …
        shape: batch included.
        scale, zero: quantization, one of each or a list per channel; no scale for none.
        axis: of the channels, where there are several scales.
        values: of a constant, in its dtype.
        variable: whether it is state.
    """

    dtype: str
    shape: tuple[int, ...]
    scale: float | Sequence[float] | None = None
    zero: int | Sequence[int] = 0
    axis: int = 0
    values: Array | None = None
    variable: bool = False


def constant(
    values: Array, scale: float | Sequence[float] | None = None, zero: int | Sequence[int] = 0, axis: int = 0
) -> T:
    """A constant with these values."""
    return T(values.dtype.name, values.shape, scale, zero, axis, values)


def model_of(
    name: str,
    inputs: Sequence[T | None],
    outputs: Sequence[T],
    options: Any = None,
    version: int = 1,
    intermediates: Sequence[T] = (),
) -> bytes:
    """The file of a model with the one operator ``name``; what has no values and is no variable is an input of it."""
    buffers: list[Any] = [schema.BufferT()]
    tensors: list[Any] = []

    def add(tensor: T) -> int:
        buffer = 0
        if tensor.values is not None:
            buffer = len(buffers)
            buffers.append(schema.BufferT(data=np.frombuffer(np.ascontiguousarray(tensor.values).tobytes(), np.uint8)))
        quantization = None
        if tensor.scale is not None:
            scales = [tensor.scale] if isinstance(tensor.scale, int | float) else list(tensor.scale)
            zeros = [tensor.zero] * len(scales) if isinstance(tensor.zero, int) else list(tensor.zero)
            quantization = schema.QuantizationParametersT(scale=scales, zeroPoint=zeros, quantizedDimension=tensor.axis)
        tensors.append(
            schema.TensorT(
                name=f"t{len(tensors)}",
                shape=list(tensor.shape),
                type=getattr(schema.TensorType, tensor.dtype.upper()),
                buffer=buffer,
                quantization=quantization,
                isVariable=tensor.variable,
            )
        )
        return len(tensors) - 1

    into = [-1 if tensor is None else add(tensor) for tensor in inputs]
    out = [add(tensor) for tensor in outputs]
    inner = [add(tensor) for tensor in intermediates]
    operator = schema.OperatorT(opcodeIndex=0, inputs=into, outputs=out)
    if inner:
        operator.intermediates = inner
    if options is not None:
        operator.builtinOptions = options
        operator.builtinOptionsType = getattr(schema.BuiltinOptions, type(options).__name__.removesuffix("T"))
    free = [
        index
        for index, tensor in zip(into, inputs, strict=True)
        if tensor is not None and tensor.values is None and not tensor.variable
    ]
    code = getattr(schema.BuiltinOperator, name)
    model = schema.ModelT(
        version=3,
        operatorCodes=[schema.OperatorCodeT(builtinCode=code, deprecatedBuiltinCode=min(code, 127), version=version)],
        subgraphs=[
            schema.SubGraphT(tensors=tensors, inputs=list(dict.fromkeys(free)), outputs=out, operators=[operator])
        ],
        buffers=buffers,
    )
    return tflite.pack(model)


class Reference:
    """TFLM's own interpreter."""

    def __init__(self, model: bytes) -> None:
        graph = tflite.parse(model, "model").main
        arena = 4 * 1024 * 1024 + 2 * sum(tensor.nbytes for tensor in graph.tensors if not tensor.constant)
        self._interpreter: Any = runtime.Interpreter.from_bytes(model, arena_size=arena)
        self._outputs = len(graph.outputs)

    def run(self, *inputs: Array) -> list[Array]:
        """The outputs of one inference."""
        for position, values in enumerate(inputs):
            self._interpreter.set_input(values, position)
        self._interpreter.invoke()
        return [np.array(self._interpreter.get_output(position)) for position in range(self._outputs)]


_FLAGS = (
    "-std=gnu++11",
    "-O0",
    "-Wall",
    "-Wextra",
    "-Werror",
    "-fPIC",
    "-fno-exceptions",
    "-fno-rtti",
    "-ffp-contract=off",
)


class Chain:
    """The chain of a model, compiled for this computer."""

    def __init__(self, model: bytes, folder: Path) -> None:
        compiled = compile_model(model, "the model", cmsis=False, profile="portable32")
        facts = tflite.parse(model, "model").main
        self._inputs = facts.of(facts.inputs)
        self._outputs = facts.of(facts.outputs)
        files = {**compiled.files, "driver.cpp": _DRIVER}
        self._library = ctypes.CDLL(str(library(files, compiled.kernels, folder)))
        self._library.input.restype = ctypes.c_void_p
        self._library.output.restype = ctypes.c_void_p
        self._library.reset()

    def reset(self) -> None:
        """Takes the state back to its beginning."""
        self._library.reset()

    def run(self, *inputs: Array) -> list[Array]:
        """The outputs of one inference, each in its tensor's shape."""
        for position, (tensor, values) in enumerate(zip(self._inputs, inputs, strict=True)):
            assert values.nbytes == tensor.nbytes, (values.shape, tensor)
            ctypes.memmove(self._library.input(position), np.ascontiguousarray(values).ctypes.data, tensor.nbytes)
        self._library.invoke()
        return [
            np.frombuffer(ctypes.string_at(self._library.output(position), tensor.nbytes), tensor.dtype).reshape(
                tensor.shape
            )
            for position, tensor in enumerate(self._outputs)
        ]


_DRIVER = b"""
#include "chain.h"
using namespace tinyhil::chain;
extern "C" {
void invoke() { for (uint16_t i = 0; i < kOperators; ++i) kRuns[i](); }
void* input(int i) { return kInputs[i]; }
const void* output(int i) { return kOutputs[i]; }
}
#pragma GCC visibility push(default)
extern "C" void reset() { tinyhil::chain::reset(); }
"""


class CompilerError(Exception):
    """A source does not compile."""


def kernels_folder() -> Path:
    """Where the kernels are; the tests of mutations replace it."""
    return resources.folder("firmware") / "lib" / "kernels"


def library(files: Mapping[str, bytes], kernels: Sequence[str], folder: Path) -> Path:
    """A shared library of sources and kernels, compiled once per content in ``folder``, as each kernel is.

    Raises:
        CompilerError: one does not compile.
    """
    sources = kernels_folder()
    folder.mkdir(parents=True, exist_ok=True)
    objects = [_kernel(sources / name, folder) for name in kernels if (sources / name).with_suffix(".cpp").exists()]
    digest = hashlib.sha256(b"".join(name.encode() + data for name, data in sorted(files.items()))).hexdigest()[:16]
    own, made = folder / digest, folder / digest / "chain.so"
    if made.exists():
        return made
    for name, data in files.items():
        path = own / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    others = []
    for source in sorted(own.glob("*.c")):
        others.append(source.with_suffix(".o"))
        _do("gcc", "-std=gnu11", "-O0", "-w", "-fPIC", f"-I{own}", "-c", source, "-o", others[-1])
    _do("g++", *_FLAGS, "-shared", f"-I{own}", f"-I{sources}", *own.glob("*.cpp"), *others, *objects, "-o", made)
    return made


def _kernel(header: Path, folder: Path) -> Path:
    source = header.with_suffix(".cpp")
    made = folder / f"{source.stem}-{hashlib.sha256(source.read_bytes()).hexdigest()[:12]}.o"
    if not made.exists():
        _do("g++", *_FLAGS, "-O1", "-c", source, "-o", made)
    return made


def _do(*command: object) -> None:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode:
        raise CompilerError(done.stderr)
