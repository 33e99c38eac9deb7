"""What a recipe's ``truth`` gives for inputs: computed by its code in a child process, kept until either changes."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tinyhil import process, worker
from tinyhil.artifacts import arrays, hashing, store
from tinyhil.artifacts.types import Reals
from tinyhil.process import Limits
from tinyhil.progress import Reporter

STAGE = "truth"
INPUTS = "inputs.npz"
VALUES = "values.npz"


def truth_values(code: Path, inputs: Reals, folder: Path, reporter: Reporter) -> Reals:
    """The noise-free targets.

    Args:
        code: the recipe's Python file, which defines ``truth``.
        inputs: real ones, (vectors, *shape).
        folder: where they are kept; the caller holds its lock.
        reporter: told what the code prints.

    Returns:
        What the function returns, as float64; nothing is known of its shape.

    Raises:
        ConfigError: the code fails, or returns no numbers.
        StorageError: the folder cannot be written.
        ToolError: the child ended without a result.
    """
    key = hashing.of_json(
        {
            "stage": hashing.of_sources([Path(__file__).parent]),
            "code": hashing.of_file(code),
            "inputs": hashing.of_bytes(np.ascontiguousarray(inputs, np.float64).tobytes()),
            "shape": inputs.shape,
        }
    )
    if store.load(folder, STAGE, key) is None:
        with store.scratch(folder) as new:
            arrays.write_tensors(new / INPUTS, "input", [inputs])
            worker.call(
                "tinyhil.verify.truth_child",
                {"code": str(code), "inputs": str(new / INPUTS), "values": str(new / VALUES)},
                what="compute the truth",
                reporter=reporter,
                limits=Limits(memory_bytes=process.physical_memory() * 9 // 10),
            )
            store.adopt(folder, new, STAGE, key, (VALUES,), {})
    return arrays.read_tensors(folder / VALUES, "output")[0].astype(np.float64)
