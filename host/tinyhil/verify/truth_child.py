"""The child process in which a recipe's ``truth`` runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from tinyhil import worker
from tinyhil.artifacts import arrays
from tinyhil.config import recipe as recipes
from tinyhil.config import recipe_code
from tinyhil.progress import Reporter


def work(request: dict[str, Any], _: Reporter) -> dict[str, Any]:
    """Writes what the function returns for the inputs in a file to another one."""
    file = Path(request["code"])
    (inputs,) = arrays.read_tensors(Path(request["inputs"]), "input")
    returned = recipes.load_code(file).truth(inputs)
    with recipe_code.looking_at(file, "what truth() returns is no array of numbers"):
        values = np.asarray(returned, np.float64)
    arrays.write_tensors(Path(request["values"]), "output", [values])
    return {}


if __name__ == "__main__":
    worker.serve(work)
