"""The child process of a :class:`tinyhil.quantize.reference.Reference`: one interpreter, asked again and again."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from tinyhil import worker
from tinyhil.artifacts import arrays
from tinyhil.progress import Reporter
from tinyhil.quantize.interpreters import Interpreter, open_interpreter
from tinyhil.quantize.runner import run_all


def work(request: dict[str, Any], reporter: Reporter) -> dict[str, Any]:
    """Runs the vectors in the file ``request['inputs']``, and puts their outputs into ``request['outputs']``."""
    inputs = arrays.read_tensors(Path(request["inputs"]), "input")
    interpreter = _opened(request["interpreter"], request["model"])
    outputs = run_all(interpreter, inputs, reporter, "reference")
    arrays.write_tensors(Path(request["outputs"]), "output", outputs)
    return {}


@cache
def _opened(kind: str, model: str) -> Interpreter:
    return open_interpreter(kind, Path(model).read_bytes())


if __name__ == "__main__":
    worker.serve(work)
