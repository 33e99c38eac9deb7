"""The schema of .tflite files as Python classes, which come with tflite-micro."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

_NAME = "tflite_micro.tensorflow.lite.micro.python.schema_py_generated"


def schema() -> Any:
    """The module ``schema_py_generated``, alone.

    tflite-micro itself imports its interpreter and its compression tools, which takes longer than to read a model.

    Raises:
        ImportError: tflite-micro is not installed.
    """
    known = sys.modules.get(_NAME)
    return known if known is not None else _alone() or importlib.import_module(_NAME)


def _alone() -> ModuleType | None:
    """The module under its own name, so that others import the same one; None where it is not to be found."""
    package, *path = _NAME.split(".")
    found = importlib.util.find_spec(package)
    folders = () if found is None else found.submodule_search_locations or ()
    for folder in folders:
        file = Path(folder, *path).with_suffix(".py")
        spec = importlib.util.spec_from_file_location(_NAME, file) if file.is_file() else None
        if spec is not None and spec.loader is not None:
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
            sys.modules[_NAME] = module
            return module
    return None
