"""Two interpreters of .tflite files behind one interface. For child processes: either may end the process.

TFLM's own host interpreter (PyPI ``tflite-micro``) is the reference: it runs the kernels that run on the device. It
computes float32, int8 and int16x8. It refuses float32 layers with int8 weights, which the scheme ``dynamic`` makes
("Input type: FLOAT32 with filter type: INT8 not supported"): for these there is LiteRT, TensorFlow's interpreter for
phones, with its reference kernels. LiteRT rounds otherwise here and there, so where both can run a model, it stands
beside TFLM and never for it.
"""

from __future__ import annotations

import ctypes
import warnings
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any, Protocol

import numpy as np

from tinyhil import tflite
from tinyhil.artifacts.types import Array
from tinyhil.errors import MissingToolError, ModelError

ARENA_BYTES = 16 * 1024 * 1024
"""Generous: it sizes nothing, it only computes."""

_BEHIND = 64 * 1024
"""Bytes of the fill behind a model: more than an operator that reads on usually reaches."""
_M_PERTURB = -6
"""Of glibc's malloc.h."""

TFLM = "tflm"
LITERT = "litert"


class Interpreter(Protocol):
    """Runs one model.

    Attributes:
        name: with its version, for the report.
    """

    name: str

    def run(self, inputs: Sequence[Array]) -> tuple[Array, ...]:
        """The outputs for one vector, each with its tensor's shape.

        Raises:
            ModelError: the interpreter failed.
        """

    def tensor(self, index: int) -> Array:
        """What a tensor held in the last run; for interpreters that were opened with ``keep``."""


def open_interpreter(kind: str, model: bytes, *, keep: bool = False, fill: int | None = None) -> Interpreter:
    """An interpreter of ``model``.

    Args:
        kind: ``tflm`` or ``litert``.
        model: content of the .tflite file.
        keep: whether tensors are to be asked for, which takes memory for all of them.
        fill: the byte that lies in all memory that is allocated from now on, and behind the model; None for whatever
            lies there. A model that reads beyond its tensors computes something else with another fill.

    Raises:
        MissingToolError: the interpreter is not installed.
        ModelError: it does not take the model.
    """
    if fill is not None:
        _fill_memory(fill)
        model += bytes([fill]) * _BEHIND
    return _Tflm(model, keep) if kind == TFLM else _LiteRt(model, keep)


def _fill_memory(fill: int) -> None:
    """Has the C library fill what it allocates, where it is glibc: elsewhere only what is behind the model differs."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_PERTURB, fill ^ 0xFF)  # which is what is freed; what is allocated has the other bits


class _Tflm:
    def __init__(self, model: bytes, keep: bool) -> None:
        try:
            from tflite_micro import runtime
        except ModuleNotFoundError as error:
            raise MissingToolError(
                "tflite-micro is not installed, it is the reference", hint="pip install tflite-micro"
            ) from error
        self.name = f"tflite-micro {version('tflite-micro')}"
        config = runtime.InterpreterConfig
        try:
            self._interpreter: Any = runtime.Interpreter.from_bytes(
                model,
                arena_size=ARENA_BYTES,
                intrepreter_config=config.kPreserveAllTensors if keep else config.kAllocationRecording,
            )
        except (RuntimeError, ValueError) as error:
            raise ModelError(
                f"TFLM's interpreter does not take the model: {error}",
                hint="export it with operators of TensorFlow Lite Micro, and with a fixed batch of 1",
            ) from error
        self._outputs = tflite.read(model, "the model").outputs

    def run(self, inputs: Sequence[Array]) -> tuple[Array, ...]:
        try:
            for position, part in enumerate(inputs):
                self._interpreter.set_input(part, position)
            self._interpreter.invoke()
            return tuple(
                np.array(self._interpreter.get_output(position)).reshape(spec.shape)
                for position, spec in enumerate(self._outputs)
            )
        except (RuntimeError, ValueError) as error:
            raise ModelError(
                f"TFLM's interpreter failed: {error}",
                hint="export it again; where other models work, please report it with the file",
            ) from error

    def tensor(self, index: int) -> Array:
        return np.array(self._interpreter.GetTensor(index, 0)["tensor_data"])


class _LiteRt:
    def __init__(self, model: bytes, keep: bool) -> None:
        try:
            import tensorflow as tf
        except ModuleNotFoundError as error:
            raise MissingToolError(
                "TensorFlow is not installed, LiteRT is a part of it", hint="pip install 'tinyhil[train]'"
            ) from error
        self.name = f"LiteRT of TensorFlow {tf.__version__}, reference kernels"
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # that it moves to another package
                self._interpreter: Any = tf.lite.Interpreter(
                    model_content=model,
                    experimental_op_resolver_type=tf.lite.experimental.OpResolverType.BUILTIN_REF,
                    experimental_preserve_all_tensors=keep,
                    num_threads=1,
                )
                self._interpreter.allocate_tensors()
        except (RuntimeError, ValueError) as error:
            raise ModelError(
                f"LiteRT does not take the model: {error}",
                hint="export it with operators of TensorFlow Lite only, and with a fixed batch of 1",
            ) from error
        self._inputs = [detail["index"] for detail in self._interpreter.get_input_details()]
        self._outputs = [detail["index"] for detail in self._interpreter.get_output_details()]

    def run(self, inputs: Sequence[Array]) -> tuple[Array, ...]:
        try:
            for index, part in zip(self._inputs, inputs, strict=True):
                self._interpreter.set_tensor(index, part)
            self._interpreter.invoke()
        except (RuntimeError, ValueError) as error:
            raise ModelError(
                f"LiteRT failed: {error}",
                hint="export it again; where other models work, please report it with the file",
            ) from error
        return tuple(self._interpreter.get_tensor(index) for index in self._outputs)

    def tensor(self, index: int) -> Array:
        return np.array(self._interpreter.get_tensor(index))
