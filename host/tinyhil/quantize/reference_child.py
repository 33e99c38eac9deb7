"""The child process that computes what is expected, and looks into the model while it is at it.

A child, because an interpreter may end the process on models that it cannot take and on arenas that are too small.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from tinyhil import tflite, worker
from tinyhil.artifacts import arrays, store
from tinyhil.artifacts.types import Array
from tinyhil.progress import Reporter
from tinyhil.quantize import stage
from tinyhil.quantize.inspection import OpenModel, inspect
from tinyhil.quantize.interpreters import open_interpreter
from tinyhil.quantize.runner import run_all


def work(request: dict[str, Any], reporter: Reporter) -> dict[str, Any]:
    """Runs vectors through the interpreter ``request['interpreter']``, then the samples through both models.

    The vectors are those at ``request['places']``, or all of them where that is None.
    """
    folder, kind = Path(request["folder"]), request["interpreter"]
    model = (folder / stage.MODEL).read_bytes()
    stored = arrays.read_vectors(folder / stage.VECTORS)
    interpreter = open_interpreter(kind, model)
    inputs = stored.inputs
    if request["places"] is not None:
        inputs = tuple(part[request["places"]] for part in inputs)
    outputs = run_all(interpreter, inputs, reporter, "reference")
    arrays.write_tensors(folder / stage.REFERENCE, "reference", outputs)
    if request["inspected"]:
        floats = (folder / stage.FLOAT).read_bytes() if request["float"] else None
        _inspect(kind, model, floats, stored.samples, folder / stage.INSPECTION)
    return {"reference": interpreter.name}


def _inspect(kind: str, model: bytes, floats: bytes | None, samples: tuple[Array, ...], file: Path) -> None:
    found = inspect(_opened(kind, model), None if floats is None else _opened(kind, floats), samples)
    store.write_bytes(file, msgspec.json.format(msgspec.json.encode(found), indent=1) + b"\n")


def _opened(kind: str, model: bytes) -> OpenModel:
    graph = tflite.parse(model, "the model").main
    return OpenModel(graph, tflite.read(model, "the model").inputs, open_interpreter(kind, model, keep=True))


if __name__ == "__main__":
    worker.serve(work)
