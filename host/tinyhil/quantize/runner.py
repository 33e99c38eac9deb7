"""Runs vectors through an interpreter, one after the other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tinyhil.artifacts.types import Array
from tinyhil.progress import Reporter
from tinyhil.quantize.interpreters import Interpreter

_EVERY = 256
"""Vectors between two reports of progress."""


def run_all(interpreter: Interpreter, inputs: Sequence[Array], reporter: Reporter, note: str) -> tuple[Array, ...]:
    """The outputs for all vectors.

    Args:
        inputs: one array per input, (vectors, *shape).
        note: what to call it in the progress.

    Returns:
        One array per output, (vectors, *shape).

    Raises:
        ModelError: the interpreter failed.
    """
    count = len(inputs[0])
    collected = []
    for index in range(count):
        collected.append(interpreter.run([part[index] for part in inputs]))
        if index % _EVERY == _EVERY - 1 or index + 1 == count:
            reporter.progress(index + 1, count, note)
    return tuple(np.stack(parts) for parts in zip(*collected, strict=True))
