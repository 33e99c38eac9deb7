"""The host's own preprocessing: what ``prepare`` of a user's file makes of raw samples, in a child process."""

from __future__ import annotations

from pathlib import Path

from tinyhil import process, worker
from tinyhil.artifacts import arrays
from tinyhil.artifacts.temporary import TemporaryFolder
from tinyhil.artifacts.types import Array
from tinyhil.process import Limits
from tinyhil.progress import Reporter


def prepared(code: Path, raw: Array, reporter: Reporter) -> tuple[Array, ...]:
    """What the function returns: one array for each input of the model, whatever their shapes.

    Args:
        code: a Python file that defines ``prepare``.
        raw: (samples, *shape).
        reporter: told what the code prints.

    Raises:
        ConfigError: the code fails, or returns no numbers.
        ToolError: the child ended without a result.
    """
    with TemporaryFolder() as temporary:
        raw_file, features = temporary / "raw.npz", temporary / "features.npz"
        arrays.write_tensors(raw_file, "input", [raw])
        worker.call(
            "tinyhil.verify.prepare_child",
            {"code": str(code), "raw": str(raw_file), "features": str(features)},
            what="prepare the raw samples",
            reporter=reporter,
            limits=Limits(memory_bytes=process.physical_memory() * 9 // 10),
        )
        return arrays.read_tensors(features, "output")
