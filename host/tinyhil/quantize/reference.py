"""The reference interpreter of one model, kept open to be asked again and again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Self

from tinyhil.artifacts import arrays
from tinyhil.artifacts.temporary import TemporaryFolder
from tinyhil.artifacts.types import Array
from tinyhil.errors import ModelError, ToolError
from tinyhil.progress import Silent
from tinyhil.quantize import limits
from tinyhil.quantize.interpreters import LITERT, TFLM
from tinyhil.worker import Worker


class Reference:
    """Computes what is expected of vectors of one's own: by TFLM, or by LiteRT where TFLM does not take the model.

    The interpreter keeps what state the model has from one call to the next. It runs in a child process, which it may
    end.

    Ownership: whoever opens it closes it, or uses it as a context manager.

    Args:
        path: the .tflite file.

    Raises:
        OSError: it cannot be read.
    """

    def __init__(self, path: Path) -> None:
        model = path.read_bytes()
        self._folder = TemporaryFolder()
        self._model = self._folder.path / "model.tflite"
        self._model.write_bytes(model)
        self._kind = TFLM
        self._child: Worker | None = None

    def __call__(self, *inputs: Array) -> tuple[Array, ...]:
        """The outputs, one array per tensor, (vectors, *shape) in the tensor's dtype.

        Args:
            inputs: one array per input tensor, likewise.

        Raises:
            MissingToolError: the interpreter is not installed.
            ModelError: no interpreter takes the model or the vectors.
            ToolError: the interpreter has crashed.
        """
        first = self._child is None
        try:
            return self._computed(inputs)
        except (ModelError, ToolError):
            if not first:
                raise
        self._end_child()
        self._kind = LITERT
        return self._computed(inputs)

    def close(self) -> None:
        """Ends the child."""
        self._end_child()
        self._folder.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _computed(self, inputs: tuple[Array, ...]) -> tuple[Array, ...]:
        if self._child is None:
            # Asked as often as its owner likes: its memory is limited, and the time of the whole is not.
            allowed = limits.of_reference(self._model, self._model, 1, litert=self._kind == LITERT)
            self._child = Worker(
                "tinyhil.quantize.reference_server",
                what="compute the reference",
                reporter=Silent(),
                limits=replace(allowed, processor_seconds=None),
            )
        inputs_file, outputs_file = (self._folder.path / name for name in ("inputs.npz", "outputs.npz"))
        arrays.write_tensors(inputs_file, "input", inputs)
        files = {"model": str(self._model), "inputs": str(inputs_file), "outputs": str(outputs_file)}
        self._child.ask({"interpreter": self._kind, **files})
        return arrays.read_tensors(outputs_file, "output")

    def _end_child(self) -> None:
        if self._child is not None:
            self._child.close()
            self._child = None
