"""The engine of the device: TFLM's own host interpreter (PyPI ``tflite-micro``), one tensor arena, generously sized.

What it refuses by an exception becomes a status for the host. What it does not survive (an abort, a segmentation
fault) ends the device, as it would end a board; whoever started the device sees how.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinyhil.affine import TensorSpec
from tinyhil.errors import MissingToolError

ARENA_BYTES = 16 * 1024 * 1024
"""It sizes nothing, it only computes: a 64-bit host needs another arena than the chip."""

REFUSED = 1
"""The status of whatever the interpreter raised: TFLM's kTfLiteError."""


class HostInterpreter:
    """Runs one model; the engine of :class:`~tinyhil.sim.server.Server`.

    Args:
        model: content of the .tflite file.
        inputs: its input tensors.
        outputs: its output tensors.
        stateful: whether an inference depends on those before it.

    Raises:
        MissingToolError: tflite-micro is not installed.
    """

    def __init__(
        self, model: bytes, inputs: Sequence[TensorSpec], outputs: Sequence[TensorSpec], *, stateful: bool
    ) -> None:
        try:
            from tflite_micro import runtime
        except ModuleNotFoundError as error:
            raise MissingToolError(
                "tflite-micro is not installed, it computes the model", hint="pip install tflite-micro"
            ) from error
        self._runtime: Any = runtime
        self._model = model
        self._stateful = stateful
        self._interpreter: Any = None
        self._inputs = [np.zeros(spec.shape, spec.dtype.numpy) for spec in inputs]
        self._outputs = [np.zeros(spec.shape, spec.dtype.numpy) for spec in outputs]

    def init(self) -> int:
        """Prepares the model; 0, or REFUSED. The reason is on standard error."""
        try:
            self._interpreter = self._runtime.Interpreter.from_bytes(self._model, arena_size=ARENA_BYTES)
        except (RuntimeError, ValueError):
            return REFUSED
        return 0

    def input(self, index: int) -> memoryview:
        """The bytes of an input."""
        return _bytes(self._inputs[index])

    def output(self, index: int) -> memoryview:
        """The bytes of an output."""
        return _bytes(self._outputs[index])

    def invoke(self) -> int:
        """One inference; 0, or REFUSED."""
        try:
            for index, tensor in enumerate(self._inputs):
                self._interpreter.set_input(tensor, index)
            self._interpreter.invoke()
            for index, tensor in enumerate(self._outputs):
                tensor[...] = self._interpreter.get_output(index).reshape(tensor.shape)
        except (RuntimeError, ValueError):
            return REFUSED
        return 0

    def reset(self) -> None:
        """A new interpreter where the model keeps state: nothing of the old one is left."""
        if self._stateful:
            self.init()


def _bytes(tensor: np.ndarray[Any, np.dtype[Any]]) -> memoryview:
    return tensor.reshape(-1).view(np.uint8).data
