"""A user's own data: a file of samples, or a folder of images (``tinyhil.data.samples_file``).

Three sets of names are known, all of them in an ``.npz`` file and the last one in the others:

- ``train_x train_y validation_x validation_y test_x test_y``: the sets as they are (our own ``dataset.npz``);
- ``x_train y_train x_test y_test`` (Keras'): a sixth of the training samples is set apart for validation;
- ``x y``: divided 70/15/15.
"""

from __future__ import annotations

from pathlib import Path

from tinyhil import kinds
from tinyhil.data import samples_file
from tinyhil.data.dataset import SETS, Array, Dataset, Pair, made, split, stratified
from tinyhil.errors import InputError

LAYOUTS = (
    tuple(f"{name}_{axis}" for name in SETS for axis in "xy"),
    ("x_train", "y_train", "x_test", "y_test"),
    ("x", "y"),
)
_VALIDATION = 1 / 6
"""Of Keras' training sets: 10,000 of the 60,000 images of MNIST, as in the lesson."""


def load(path: Path, seed: int) -> Dataset:
    """Reads a file of samples.

    Args:
        path: a file of samples, or a folder of images by class.
        seed: of the division into sets, where the file has none.

    Raises:
        InputError: it cannot be read, has anything but numbers, is too large, lacks arrays, or its arrays do
            not fit one another or contain NaN or infinite values.
    """
    arrays = samples_file.read(path, {name for layout in LAYOUTS for name in layout}).arrays
    names = next((layout for layout in LAYOUTS if set(layout) <= set(arrays)), None)
    if names is None:
        raise InputError(
            f"{path} has the arrays {', '.join(sorted(arrays)) or '(none)'}, which are no known set of names",
            hint="name them " + ", or ".join(" ".join(layout) for layout in LAYOUTS),
            kind=kinds.SAMPLES,
        )
    for name in names:
        _check(path, name, arrays[name])
    pairs = [(arrays[one], arrays[other]) for one, other in zip(names[::2], names[1::2], strict=True)]
    for (inputs, targets), name in zip(pairs, names[::2], strict=True):
        if len(inputs) != len(targets):
            raise InputError(
                f"{path}: {name} has {len(inputs)} samples, but {len(targets)} targets",
                hint="give every sample one target",
                kind=kinds.SAMPLES,
            )
        if inputs.shape[1:] != pairs[0][0].shape[1:] or targets.shape[1:] != pairs[0][1].shape[1:]:
            raise InputError(
                f"{path}: the samples of {name} have another shape than those of {names[0]}",
                hint="bring all sets to one shape; the first axis is the sample",
                kind=kinds.SAMPLES,
            )
    sets, how = _divided(pairs, seed)
    return made(path.name, dict(zip(SETS, sets, strict=True)), how)


def _divided(pairs: list[Pair], seed: int) -> tuple[list[Pair], str]:
    """Three sets, and who divided them."""
    if len(pairs) == 3:
        return pairs, "as in the file"
    by = stratified(pairs[0][1])
    if len(pairs) == 2:
        parts = (1 - _VALIDATION, _VALIDATION)
        return [
            *split(*pairs[0], seed, parts),
            pairs[1],
        ], f"test as in the file, the rest divided {by} with seed {seed}"
    return split(*pairs[0], seed), f"{by} with seed {seed}"


def _check(path: Path, name: str, array: Array) -> None:
    if array.ndim == 0 or array.size == 0:
        raise InputError(f"{path}: {name} is empty", hint="put samples into it, the first axis", kind=kinds.SAMPLES)
    wrong = samples_file.not_finite(name, array)
    if wrong:
        raise InputError(f"{path}: {wrong}", hint="remove these samples, or replace the values", kind=kinds.SAMPLES)
