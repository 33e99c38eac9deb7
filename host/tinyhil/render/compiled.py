"""The engine ``compiled``: the model as a chain of operators in C++, made by ``tinyhil.chain``."""

from __future__ import annotations

import re
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tinyhil import chain, resources, tflite
from tinyhil.artifacts import hashing
from tinyhil.artifacts.types import QuantizedModel
from tinyhil.targets.model import Chip, Engine

KERNELS = "kernels"
"""Folder of our kernels in the model library."""
_KEPT = (".c", ".cpp", ".h", ".txt")
_INCLUDE = re.compile(r'^#include "([^"]+)"', re.MULTILINE)


def generate(model: QuantizedModel, engine: Engine) -> dict[str, bytes]:
    """The files of the model library, by path relative to it.

    Raises:
        ModelError: the model has something that the engine does not compute.
    """
    compiled = chain.compile_model(
        model.path.read_bytes(), model.path.name, cmsis=engine.kernels == "cmsis-nn", profile=engine.profile
    )
    files = {path: data for path, data in compiled.files.items() if path.endswith(_KEPT)}
    return files | _kernels(compiled.kernels)


def _kernels(headers: tuple[str, ...]) -> dict[str, bytes]:
    """The kernels behind these headers, with everything that they include."""
    folder = resources.folder("firmware") / "lib" / KERNELS
    files: dict[str, bytes] = {}
    open_ = list(headers)
    while open_:
        name = open_.pop()
        for path in (folder / name, (folder / name).with_suffix(".cpp")):
            if path.is_file() and f"{KERNELS}/{path.name}" not in files:
                files[f"{KERNELS}/{path.name}"] = content = path.read_bytes()
                open_ += _INCLUDE.findall(content.decode())
    return files


def sources() -> str:
    """SHA-256 of what makes the files, besides this package."""
    kernels = resources.read_tree(resources.folder("firmware") / "lib" / KERNELS)
    return hashing.of_json({"compiler": chain.sources_sha256(), "kernels": hashing.of_tree(kernels)})


def describe(engine: Engine) -> str:
    """Compiler, version, kernel set and the instructions that it computes with, for the report."""
    extension = chain.extension(engine.profile) if engine.kernels == "cmsis-nn" else ""
    return f"bakenn {version('bakenn')}, {engine.kernels}{f' with {extension}' if extension else ''}"


def flags(files: dict[str, bytes]) -> list[str]:
    """Compiler flags of the generated sources.

    No warnings, which are their generators' affair; include folders; and no multiplication and addition of floats in
    one rounding, which TFLM's reference has not either.
    """
    folders = {Path(path).parent.as_posix() for path in files if path.endswith(".h")}
    return ["-w", "-ffp-contract=off", *(f"-I{folder}" for folder in sorted(folders) if folder != ".")]


def context(model: QuantizedModel, engine: Engine, chip: Chip, arena: int | None) -> dict[str, Any]:
    """What the templates are given."""
    return {"stateful": tflite.stateful(model.ops)}
