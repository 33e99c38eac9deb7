"""The child process that opens a user's .keras file and says what its input looks like. Imports TensorFlow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tinyhil import worker
from tinyhil.errors import ModelError
from tinyhil.progress import Reporter
from tinyhil.quantize import keras_file


def work(request: dict[str, Any], reporter: Reporter) -> dict[str, Any]:
    """The shape of the only input of ``request['model']``, without the batch; None for a size that is open."""
    model = keras_file.load(Path(request["model"]))
    inputs, outputs = len(model.inputs or ()), len(model.outputs or ())
    if (inputs, outputs) != (1, 1):
        raise ModelError(
            f"{request['model']} has {inputs} inputs and {outputs} outputs, one of each is supported for Keras models",
            hint="build it before saving it; or export it yourself, and give the .tflite file",
        )
    return {"shape": list(model.inputs[0].shape[1:])}


if __name__ == "__main__":
    worker.serve(work)
