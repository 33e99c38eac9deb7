"""The child process in which the ``prepare`` of a user's file runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from tinyhil import worker
from tinyhil.artifacts import arrays
from tinyhil.config import recipe as recipes
from tinyhil.config import recipe_code
from tinyhil.progress import Reporter

FUNCTION = "prepare"


def work(request: dict[str, Any], _: Reporter) -> dict[str, Any]:
    """Writes what the function returns for the raw samples in a file to another one."""
    file = Path(request["code"])
    (raw,) = arrays.read_tensors(Path(request["raw"]), "input")
    returned = recipes.load_code(file, (FUNCTION,)).prepare(raw)
    with recipe_code.looking_at(file, f"what {FUNCTION}() returns is no array of numbers"):
        made = [np.asarray(part) for part in (returned if isinstance(returned, tuple) else (returned,))]
        for part in made:
            if part.dtype.kind not in "iuf":
                raise ValueError(f"elements of type {part.dtype}")
    arrays.write_tensors(Path(request["features"]), "output", made)
    return {}


if __name__ == "__main__":
    worker.serve(work)
