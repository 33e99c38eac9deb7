"""The child process that looks into an HDF5 file: on damaged ones the HDF5 library loops for ever, or crashes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tinyhil import worker
from tinyhil.progress import Reporter
from tinyhil.quantize import keras_sizes


def work(request: dict[str, Any], reporter: Reporter) -> dict[str, Any]:
    """Refuses the weights in ``request['path']`` where they are absurd; returns the configuration, if it has one."""
    path, name = Path(request["path"]), request["name"]
    config = keras_sizes.configuration(path, name) if request["config"] else None
    keras_sizes.refuse_weights(path, name)
    return {"config": config}


if __name__ == "__main__":
    worker.serve(work)
