"""What the children may take that work on a user's model: fitted to its file and its samples.

Measured on TensorFlow 2.21: it starts with 0.43 GB of data, and converts small models with 0.55 GB; each thread adds
its stack. TFLM's interpreter starts with 0.11 GB, its arena included.
"""

from __future__ import annotations

import math
import os
from pathlib import Path

from tinyhil import tflite
from tinyhil.process import Limits

_TENSORFLOW = 3 << 30
_PER_THREAD = 64 << 20
"""More with each processor: TensorFlow has a few threads for each."""
_INTERPRETER = 1 << 30
_PER_BYTE = 40
"""Bytes of memory for one of a file: weights are held as float32, float64 and text, and samples several times."""
_SECONDS = 15
"""Of the processor, for a start, and for any model that a microcontroller has time for."""
_TENSORFLOW_SECONDS = 600
"""To start, to trace and to convert; a recurrent model of 128 steps takes about 100."""
_MOST_SECONDS = 3600
"""For the vectors of one model, whatever it says of itself."""
_PER_SECOND = 1_000_000
"""Multiplications and elements that an interpreter does at the least; TFLM's slowest kernels do some 20 million."""


def of_conversion(model: Path, dataset: Path, schemes: int) -> Limits:
    """For TensorFlow: to open a Keras model, to convert it, and to compute its samples.

    Args:
        schemes: how many times it is converted.
    """
    size = model.stat().st_size + dataset.stat().st_size
    seconds = _TENSORFLOW_SECONDS * (1 + schemes) + size // (_PER_SECOND // 10)
    return Limits(_tensorflow() + size * _PER_BYTE, seconds)


def of_layers() -> Limits:
    """For TensorFlow: to convert each layer of a model alone, with a few samples."""
    return Limits(2 * _tensorflow(), 2 * _TENSORFLOW_SECONDS)


def of_reference(model: Path, vectors: Path, count: int, *, litert: bool) -> Limits:
    """For the interpreter of a .tflite file.

    Args:
        model: the file.
        vectors: a file with all of them.
        count: how many of them are computed.
        litert: whether it is TensorFlow's.
    """
    content = model.read_bytes()
    parsed = tflite.parse(content, str(model))
    elements = sum(math.prod(map(abs, tensor.shape)) for tensor in parsed.main.used)
    work = count * (tflite.macs(parsed) + elements)
    outputs = count * sum(tensor.nbytes for tensor in parsed.main.of(parsed.main.outputs))
    size = len(content) + vectors.stat().st_size + outputs
    memory = (_tensorflow() if litert else _INTERPRETER) + size * _PER_BYTE
    return Limits(memory, min(_SECONDS + work // _PER_SECOND + size // _PER_SECOND, _MOST_SECONDS))


def _tensorflow() -> int:
    return _TENSORFLOW + _PER_THREAD * (os.cpu_count() or 1)
