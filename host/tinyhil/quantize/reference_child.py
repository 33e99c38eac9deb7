"""The child process that computes what is expected, and looks into the model while it is at it.

A child, because an interpreter may end the process on models that it cannot take and on arenas that are too small.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from tinyhil import kinds, tflite, worker
from tinyhil.artifacts import arrays, store
from tinyhil.artifacts.types import Array
from tinyhil.errors import ModelError
from tinyhil.progress import Reporter
from tinyhil.quantize import quantized_folder
from tinyhil.quantize.inspection import OpenModel, inspect
from tinyhil.quantize.interpreters import open_interpreter
from tinyhil.quantize.runner import run_all

_FILLS = (0x35, 0xC9)
"""Bytes that lie in free memory: as int8 of different signs, and as floats and indices of different sizes."""


_MACS_AGAIN = 200_000_000
_FEWEST_AGAIN = 16
"""What is computed a second time, and how many vectors at least: the corners of the input are among the first ones."""


def work(request: dict[str, Any], reporter: Reporter) -> dict[str, Any]:
    """Runs vectors through the interpreter ``request['interpreter']``, then the samples through both models.

    The vectors are those at ``request['places']``, or all of them where that is None. With ``request['twice']`` they
    are computed again with other bytes in free memory, and have to come out the same.
    """
    folder, kind = Path(request["folder"]), request["interpreter"]
    model = (folder / quantized_folder.MODEL).read_bytes()
    stored = arrays.read_vectors(folder / quantized_folder.VECTORS)
    inputs = stored.inputs
    if request["places"] is not None:
        inputs = tuple(part[request["places"]] for part in inputs)
    interpreter = open_interpreter(kind, model, fill=_FILLS[0] if request["twice"] else None)
    outputs = run_all(interpreter, inputs, reporter, "reference")
    if request["twice"]:
        again = open_interpreter(kind, model, fill=_FILLS[1])
        count = _count_again(model, len(inputs[0]))
        repeated = run_all(again, [part[:count] for part in inputs], reporter, "reference, once more")
        _require_equal([part[:count] for part in outputs], repeated)
    arrays.write_tensors(folder / quantized_folder.REFERENCE, "reference", outputs)
    if request["inspected"]:
        floats = (folder / quantized_folder.FLOAT).read_bytes() if request["float"] else None
        _inspect(kind, model, floats, stored.samples, folder / quantized_folder.INSPECTION)
    return {"reference": interpreter.name}


def _count_again(model: bytes, count: int) -> int:
    """How many of the vectors, from the first one on, are computed a second time: what takes less than a second."""
    each = max(1, tflite.macs(tflite.parse(model, "the model")))
    return min(count, max(_FEWEST_AGAIN, _MACS_AGAIN // each))


def _require_equal(outputs: Sequence[Array], again: Sequence[Array]) -> None:
    """Raises: ModelError: they differ in a bit, though model and vectors were the same."""
    wrong = sum(
        one.tobytes() != other.tobytes()
        for both in zip(outputs, again, strict=True)
        for one, other in zip(*both, strict=True)
    )
    if wrong:
        raise ModelError(
            f"the reference computes {wrong} outputs otherwise where other bytes lie in free memory: an operator "
            "of the model reads beyond its tensors",
            hint="export the model again; where the file is as it was exported, please report it",
            kind=kinds.DAMAGED_MODEL,
        )


def _inspect(kind: str, model: bytes, floats: bytes | None, samples: tuple[Array, ...], file: Path) -> None:
    found = inspect(_opened(kind, model), None if floats is None else _opened(kind, floats), samples)
    store.write_bytes(file, msgspec.json.format(msgspec.json.encode(found), indent=1) + b"\n")


def _opened(kind: str, model: bytes) -> OpenModel:
    graph = tflite.parse(model, "the model").main
    specs = tflite.read(model, "the model").inputs
    return OpenModel(graph, specs, open_interpreter(kind, model, keep=True), tflite.bounded(model, "the model"))


if __name__ == "__main__":
    worker.serve(work)
