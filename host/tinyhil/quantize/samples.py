"""The samples of a model of the user's own, in any form that ``tinyhil.data.samples_file`` reads.

What does not fit is refused with the names and shapes that the model takes, and those that the file has.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tinyhil import kinds
from tinyhil.affine import DType, TensorSpec
from tinyhil.artifacts.types import Array
from tinyhil.data import samples_file
from tinyhil.data.samples_file import SamplesFile
from tinyhil.errors import ConfigError

INPUTS = samples_file.INPUTS
"""Name of the inputs of a model with one input, (samples, *shape); of one with several ``x_0``, ``x_1``, ..., or the
names that the model's inputs have."""
TARGETS = samples_file.TARGETS
"""Name of the targets; may be left out."""
_SERVED = "serving_default_"
Samples = npt.NDArray[np.float32]


@dataclass(frozen=True)
class ModelSamples:
    """The samples of a model.

    Attributes:
        inputs: one array per input, (samples, *shape without the batch): reals as float32, or what stands for them
            already, in the input's own type.
        targets: (samples, *shape); None where there are none.
        classes: names of the classes, where the file has names.
    """

    inputs: tuple[Array, ...]
    targets: Array | None
    classes: tuple[str, ...]


def read(path: Path, specs: Sequence[TensorSpec]) -> ModelSamples:
    """The samples for each input of a quantized model.

    Integers of an input's own type are taken as quantized already, and so are pixels by an input of 8 bits: black is
    its lowest value, white its highest.

    Args:
        specs: the inputs.

    Raises:
        InputError: as ``samples_file.read``.
        ConfigError: arrays are missing, or the samples have another shape, are none, differ in number, or have a NaN or
            infinite value.
    """
    shapes = [spec.shape[1:] for spec in specs]
    stored = samples_file.read(path, channels=channels(shapes[0]))
    names = array_names(stored, [_plain(spec.name) for spec in specs])
    made: list[Array] = []
    for name, spec, part in zip(names, specs, shaped(path, stored, names, shapes), strict=True):
        if stored.pixels and spec.quantized and spec.dtype in (DType.INT8, DType.UINT8):
            made.append((part.astype(np.int16) + spec.dtype.limits[0]).astype(spec.dtype.numpy))
        elif spec.quantized and part.dtype == spec.dtype.numpy:
            made.append(part)
        else:
            made.append(real(path, name, part))
    targets = stored.arrays.get(TARGETS)
    if targets is not None:
        refuse_other_count(path, made[0], targets)
    return ModelSamples(tuple(made), None if targets is None else finite_targets(path, targets), stored.classes)


def refuse_other_count(path: Path, inputs: Array, targets: Array) -> None:
    """Refuses targets that are not one for each sample.

    Raises:
        ConfigError: as it says.
    """
    if count(targets) != len(inputs):
        raise ConfigError(
            f"{path} has {len(inputs)} inputs and {count(targets)} targets",
            hint="give every sample one target, the first axis the sample",
            kind=kinds.SAMPLES,
        )


def count(array: Array) -> int:
    """How many samples an array has; none where it has no axis for them."""
    return len(array) if array.ndim else 0


def array_names(found: SamplesFile, inputs: Sequence[str], prefix: str = "") -> list[str]:
    """What the arrays of a model's inputs are called in a file: as the inputs are, if all of these are there.

    Args:
        inputs: the model's own names for its inputs.
        prefix: of all names: ``train_`` or ``test_`` where the samples are divided already.
    """
    own = [f"{prefix}{name}" for name in inputs]
    if f"{prefix}{INPUTS}" not in found.arrays and len(set(own)) == len(own) and all(n in found.arrays for n in own):
        return own
    if len(inputs) == 1:
        return [f"{prefix}{INPUTS}"]
    return [f"{prefix}{INPUTS}_{index}" for index in range(len(inputs))]


def _plain(name: str) -> str:
    """The name of an input without what TensorFlow's converter puts around it: ``serving_default_image:0``."""
    return name.removeprefix(_SERVED).partition(":")[0]


def channels(shape: Sequence[int | None]) -> int | None:
    """How many channels images have for a model that takes this shape, batch left out; None where it takes none."""
    if len(shape) == 2:
        return 1
    return shape[-1] if len(shape) == 3 and shape[-1] in (1, 3) else None


def shaped(
    path: Path, found: SamplesFile, names: Sequence[str], shapes: Sequence[tuple[int, ...]]
) -> tuple[Array, ...]:
    """The arrays with these names, in these shapes: (samples, *shape) each, all of as many samples.

    Rows of a table have whatever shape is wanted, and axes of 1 are added and left out.

    Raises:
        ConfigError: one is missing, has another shape, or no samples, or they differ in number.
    """
    wanted = ", ".join(f"{name!r} {_in_words(shape)}" for name, shape in zip(names, shapes, strict=True))
    there = f"the model takes {wanted}; the file has {samples_file.contents(found)}"
    made = []
    for name, shape in zip(names, shapes, strict=True):
        array = found.arrays.get(name)
        if array is None:
            raise ConfigError(
                f"{path} has no array {name!r}: {there}",
                hint="write it with numpy.savez(path, x=..., y=...)",
                kind=kinds.SAMPLES,
            )
        if not _fits(array, shape, flat=found.flat):
            raise ConfigError(
                f"{path}: {name!r} has the shape {array.shape}, the model takes {_in_words(shape)}: {there}",
                hint="the first axis is the sample; reshape the others to the model's input",
                kind=kinds.SAMPLES,
            )
        if len(array) == 0:
            raise ConfigError(f"{path}: {name!r} has no samples", hint="put some into it", kind=kinds.SAMPLES)
        made.append(array.reshape(len(array), *shape))
    if len({len(part) for part in made}) != 1:
        raise ConfigError(
            f"{path} has {', '.join(str(len(part)) for part in made)} samples for the model's inputs",
            hint="give all inputs as many samples",
            kind=kinds.SAMPLES,
        )
    return tuple(made)


def real(path: Path, name: str, array: Array) -> Samples:
    """Samples as float32.

    Raises:
        ConfigError: there is a NaN or infinite value.
    """
    with np.errstate(over="ignore"):
        values = array.astype(np.float32)
    wrong = samples_file.not_finite(name, values)
    if wrong:
        raise ConfigError(
            f"{path}: {wrong}, as float32", hint="remove them: no model is defined for them", kind=kinds.SAMPLES
        )
    return values


def finite_targets(path: Path, targets: Array) -> Array:
    """The targets.

    Raises:
        ConfigError: there is a NaN or infinite value.
    """
    wrong = samples_file.not_finite(TARGETS, targets)
    if wrong:
        raise ConfigError(f"{path}: {wrong}", hint="remove these targets and their inputs", kind=kinds.SAMPLES)
    return targets


def _fits(array: Array, shape: tuple[int, ...], *, flat: bool) -> bool:
    if array.ndim == 0:
        return False
    own = array.shape[1:]
    if flat:
        return math.prod(own) == math.prod(shape)
    return [size for size in own if size != 1] == [size for size in shape if size != 1]


def _in_words(shape: tuple[int, ...]) -> str:
    return f"(samples, {', '.join(str(size) for size in shape)})" if shape else "(samples,)"
