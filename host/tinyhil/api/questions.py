"""What is typed at a prompt, as inputs of a model.

    1.57                 a number, for a model with one number as its input
    0.1 0.2 0.3          a vector; commas do as well
    sweep 0..6.28 100    so many numbers, evenly spaced, both ends included
    sample 17            a sample of the test set, counted from 0; without one, of the vectors
    random 10            so many of these, by chance
    pi / 2               an expression; over a sweep with its x: sin(x) over 0..6.28 100
    FILE                 all samples of a file or folder, in any form that ``tinyhil.quantize.samples`` reads

Whatever is typed becomes arrays as the model's inputs take them.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tinyhil.affine import TensorSpec
from tinyhil.api.expressions import VARIABLE, evaluated
from tinyhil.artifacts.types import Array, Vectors
from tinyhil.errors import InputError
from tinyhil.quantize import samples, vectors
from tinyhil.session.tensors import quantized
from tinyhil.stream.numbers import NUMBER, number

MOST = 100_000
"""Inputs that one question may have."""

_SWEEP = re.compile(rf"sweep\s+({NUMBER})\s*\.\.\s*({NUMBER})\s+(\d{{1,6}})", re.ASCII)
_SAMPLE = re.compile(r"sample[\s:]+(\d{1,9})", re.ASCII)
_RANDOM = re.compile(r"random[\s:]+(\d{1,6})", re.ASCII)
_OVER = re.compile(rf"(.+?)\s+over\s+({NUMBER})\s*\.\.\s*({NUMBER})\s+(\d{{1,6}})", re.ASCII)
_HINT = (
    "type a number or a vector, `sweep 0..6.28 100`, `sin(x) over 0..6.28 100`, `sample 17`, `random 10`, or the name "
    "of a file of samples"
)
_FILES = (".npy", ".npz", ".csv")


class Questions:
    """Takes questions to one model.

    Args:
        specs: its input tensors.
        known: its vectors.
        seed: of what is taken by chance.
    """

    def __init__(self, specs: Sequence[TensorSpec], known: Vectors, seed: int = 1) -> None:
        self._specs = tuple(specs)
        self._known = known
        self._samples = np.arange(known.count) if known.data is None else np.flatnonzero(known.data)
        self._chance = np.random.default_rng(seed)

    def inputs(self, text: str) -> tuple[Array, ...]:
        """One array per input tensor, (vectors, *shape) in its dtype.

        Raises:
            InputError: it is no question, or does not fit the model.
        """
        text = text.strip()
        if found := _SWEEP.fullmatch(text):
            return self._sweep(number(found[1]), number(found[2]), int(found[3]))
        if found := _OVER.fullmatch(text):
            return self._sweep(number(found[2]), number(found[3]), int(found[4]), found[1])
        if found := _SAMPLE.fullmatch(text):
            return self._sample(int(found[1]))
        if found := _RANDOM.fullmatch(text):
            return self._random(int(found[1]))
        if text.lower().endswith(_FILES) or _is_folder(text):
            return self._file(Path(text))
        parts = re.split(r"\s*,\s*|\s+", text)
        if not text:
            raise InputError(f"{text!r} is no input", hint=_HINT)
        if not all(re.fullmatch(NUMBER, part, re.ASCII) for part in parts):
            if len(parts) == 1 and parts[0].isidentifier() and parts[0] not in ("pi", "e"):
                raise InputError(f"{text!r} is no input", hint=_HINT)
            return self._vector(evaluated(text, None).tolist())
        return self._vector([number(part) for part in parts])

    def _vector(self, values: list[float]) -> tuple[Array, ...]:
        sizes = [spec.elements for spec in self._specs]
        if len(values) != sum(sizes):
            raise InputError(
                f"the model takes {sum(sizes)} numbers, {len(values)} were given",
                hint="give all of them, those of one input behind those of the other"
                if sum(sizes) <= 16
                else "a sample is named by its number: `sample 17`; an array by its file: `x.npy`",
            )
        ends = np.cumsum(sizes)[:-1]
        parts = np.split(np.array(values), ends)
        shaped = [part.reshape(1, *spec.shape) for part, spec in zip(parts, self._specs, strict=True)]
        return self._quantized(shaped)

    def _sweep(self, first: float, last: float, count: int, expression: str = VARIABLE) -> tuple[Array, ...]:
        if len(self._specs) != 1 or self._specs[0].elements != 1:
            raise InputError("`sweep` is for a model with one number as its input", hint=_HINT)
        if not 1 <= count <= MOST:
            raise InputError(f"a sweep of {count} steps is none", hint=f"give 1 to {MOST:,} steps")
        values = evaluated(expression, np.linspace(first, last, count))
        return self._quantized([values.reshape(-1, *self._specs[0].shape)])

    def _sample(self, place: int) -> tuple[Array, ...]:
        if place >= len(self._samples):
            raise InputError(
                f"there is no sample {place}", hint=f"the model has {len(self._samples):,}, counted from 0"
            )
        return tuple(part[self._samples[place : place + 1]] for part in self._known.inputs)

    def _random(self, count: int) -> tuple[Array, ...]:
        if not 1 <= count <= MOST:
            raise InputError(f"{count} inputs cannot be asked at once", hint=f"ask for 1 to {MOST:,}")
        chosen = self._chance.choice(self._samples, count)
        return tuple(part[chosen] for part in self._known.inputs)

    def _file(self, path: Path) -> tuple[Array, ...]:
        found = samples.read(path, self._specs).inputs
        if len(found[0]) > MOST:
            raise InputError(f"{path} has {len(found[0]):,} samples", hint=f"ask for at most {MOST:,} at once")
        return tuple(
            vectors.quantized(spec, part).reshape(-1, *spec.shape)
            for spec, part in zip(self._specs, found, strict=True)
        )

    def _quantized(self, values: list[Array]) -> tuple[Array, ...]:
        """Reals as the tensors take them; integers that stand for no reals are rounded."""
        made = []
        for part, spec in zip(values, self._specs, strict=True):
            whole = not spec.quantized and spec.dtype.numpy.kind in "iu"
            made.append(np.rint(part).astype(np.int64) if whole and np.isfinite(part).all() else part)
        return quantized(made, self._specs)


def _is_folder(text: str) -> bool:
    with contextlib.suppress(OSError, ValueError):  # no file can have such a name
        return bool(text) and Path(text).is_dir()
    return False
