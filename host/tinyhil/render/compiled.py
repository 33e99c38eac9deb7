"""The engine ``compiled``: the model as C, compiled ahead of time by bakenn, with the kernels it selects.

bakenn is asked for the fixed name ``model``, so neither file names nor C identifiers depend on what the user calls
things.
"""

from __future__ import annotations

import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tinyhil import resources
from tinyhil.artifacts.types import QuantizedModel
from tinyhil.errors import ModelError
from tinyhil.targets.model import Chip, Engine

NAME = "model"
_KEPT = (".c", ".h", ".txt")
_LEFT_OUT = ("memory.txt",)
"""Of bakenn's output: sources and licences are kept, its reports and build fragments are not needed in the project."""


def generate(model: QuantizedModel, engine: Engine) -> dict[str, bytes]:
    """The files of the model library, by path relative to it.

    Raises:
        ModelError: the model has something that the engine does not compute.
    """
    import bakenn

    cmsis = engine.kernels == "cmsis-nn"
    policy = bakenn.KernelPolicy.STATIC_PRIORITY if cmsis else bakenn.KernelPolicy.PORTABLE
    options = bakenn.CBackendOptions(kernel_policy=policy, enable_cmsis_nn=cmsis)
    with tempfile.TemporaryDirectory(prefix="tinyhil-") as folder:
        try:
            bakenn.compile_tflite(
                model.path.read_bytes(), folder, name=NAME, backend_options=options, target=engine.profile
            )
        except bakenn.BakeNNError as error:
            raise ModelError(
                f"the engine 'compiled' cannot compute {model.path.name}: {error}",
                hint=f"it takes {', '.join(engine.ops)}, int8, batch 1, one input and one output",
            ) from error
        files = resources.read_tree(Path(folder))
    return {path: data for path, data in files.items() if path.endswith(_KEPT) and not path.endswith(_LEFT_OUT)}


def describe(engine: Engine) -> str:
    """Compiler, version and kernel set, for the report."""
    return f"bakenn {version('bakenn')}, {engine.kernels}"


def flags(files: dict[str, bytes]) -> list[str]:
    """Compiler flags of the generated sources: no warnings, which are their generator's affair, and include folders."""
    folders = {Path(path).parent.as_posix() for path in files if path.endswith(".h")}
    return ["-w", *(f"-I{folder}" for folder in sorted(folders) if folder != ".")]


def context(model: QuantizedModel, engine: Engine, chip: Chip, arena: int | None) -> dict[str, Any]:
    """What the templates are given: it takes no operator that keeps anything, and needs nothing else."""
    return {"stateful": False}
