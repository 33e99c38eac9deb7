"""The child process that computes the integer reference: TFLM's own host interpreter (PyPI ``tflite-micro``).

A child, because the interpreter ends the process on models that it cannot take and on arenas that are too small.
"""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from tinyhil import worker
from tinyhil.artifacts import store
from tinyhil.errors import MissingToolError, ModelError
from tinyhil.progress import Reporter

ARENA_BYTES = 16 * 1024 * 1024
"""Generous: this interpreter sizes nothing, it only computes."""


def work(request: dict[str, Any], reporter: Reporter) -> dict[str, Any]:
    """Runs every vector of ``request['vectors']`` and writes the outputs to ``request['reference']``."""
    try:
        from tflite_micro import runtime
    except ModuleNotFoundError as error:
        raise MissingToolError(
            "tflite-micro is not installed, it is the integer reference", hint="pip install tflite-micro"
        ) from error
    with np.load(request["vectors"], allow_pickle=False) as stored:
        inputs = [stored[f"input_{index}"] for index in range(request["inputs"])]
    try:
        interpreter = runtime.Interpreter.from_bytes(Path(request["model"]).read_bytes(), arena_size=ARENA_BYTES)
    except (RuntimeError, ValueError) as error:
        raise ModelError(f"TFLM's interpreter does not take the model: {error}") from error
    outputs: list[list[Any]] = [[] for _ in range(request["outputs"])]
    count = len(inputs[0])
    for index in range(count):
        for position, part in enumerate(inputs):
            interpreter.set_input(part[index], position)
        interpreter.invoke()
        for position, collected in enumerate(outputs):
            collected.append(np.array(interpreter.get_output(position)))
        if index % 256 == 255 or index + 1 == count:
            reporter.progress(index + 1, count, "reference")
    target = Path(request["reference"])
    with store.storage(target):
        arrays: dict[str, Any] = {f"reference_{position}": np.stack(part) for position, part in enumerate(outputs)}
        np.savez(target, **arrays)
    return {"reference": f"tflite-micro {version('tflite-micro')}"}


if __name__ == "__main__":
    worker.serve(work)
