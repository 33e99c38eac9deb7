"""A user's .npz: what is taken, and every way in which one can be wrong."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tinyhil import data
from tinyhil.data import npz
from tinyhil.errors import InputError

X = np.arange(120, dtype=np.float32).reshape(60, 2)
Y = np.repeat(np.arange(3, dtype=np.int64), 20)


@pytest.fixture
def saved(tmp_path: Path) -> Callable[..., Path]:
    def save(**arrays: Any) -> Path:
        np.savez(tmp_path / "mine.npz", **arrays)
        return tmp_path / "mine.npz"

    return save


def test_one_set_is_divided(saved: Callable[..., Path]) -> None:
    made = data.load(saved(x=X, y=Y, more=X), 7)
    assert made.provenance == "mine.npz; 42/9/9 training/validation/test, stratified with seed 7"
    assert {name: np.bincount(y).tolist() for name, (_, y) in made.sets.items()} == {
        "train": [14, 14, 14],
        "validation": [3, 3, 3],
        "test": [3, 3, 3],
    }
    # Every sample is in one set, beside its own target.
    inputs = np.concatenate([x for x, _ in made.sets.values()])
    targets = np.concatenate([y for _, y in made.sets.values()])
    assert sorted(inputs[:, 0]) == X[:, 0].tolist()
    np.testing.assert_array_equal(targets, Y[(inputs[:, 0] / 2).astype(int)])
    again = data.load(saved(x=X, y=Y), 7)
    np.testing.assert_array_equal(again.sets["train"][0], made.sets["train"][0])
    assert (data.load(saved(x=X, y=Y), 8).sets["train"][0] != made.sets["train"][0]).any()


def test_keras_names_keep_the_test_set(saved: Callable[..., Path]) -> None:
    made = data.load(saved(x_train=X, y_train=Y, x_test=X[:5], y_test=Y[:5]), 1)
    np.testing.assert_array_equal(made.sets["test"][0], X[:5])
    assert made.provenance.startswith("mine.npz; 51/9/5 training/validation/test, test as in the file")


def test_three_sets_are_kept(saved: Callable[..., Path]) -> None:
    parts = {"train": slice(0, 40), "validation": slice(40, 50), "test": slice(50, 60)}
    named = {f"{name}_{axis}": array[part] for name, part in parts.items() for axis, array in (("x", X), ("y", Y))}
    made = data.load(saved(**named), 1)
    assert made.provenance == "mine.npz; 40/10/10 training/validation/test, as in the file"
    for name, part in parts.items():
        np.testing.assert_array_equal(made.sets[name][0], X[part])
        np.testing.assert_array_equal(made.sets[name][1], Y[part])


def test_real_targets_are_divided_at_random(saved: Callable[..., Path]) -> None:
    assert data.load(saved(x=X, y=X[:, 0]), 1).provenance.endswith(
        "42/9/9 training/validation/test, at random with seed 1"
    )


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"x": X}, "has the arrays x, which are no known set of names"),
        ({"a": X}, r"\(none\)"),
        ({"x": X, "y": Y[:-1]}, "x has 60 samples, but 59 targets"),
        ({"x": X[:2], "y": Y[:2]}, "too few"),
        ({"x": np.where(X == 3, np.nan, X), "y": Y}, r"x has 1 value that is NaN or infinite, the first at x\[1, 1\]"),
        ({"x": X, "y": np.where(Y == 1, np.inf, Y)}, r"y has 20 values that are NaN or infinite, the first at y\[20\]"),
        ({"x": X[:0], "y": Y[:0]}, "x is empty"),
        ({"x": np.float32(1), "y": np.float32(1)}, "x is empty"),
        ({"x": X.astype(complex), "y": Y}, "complex128, not numbers"),
        ({"x": X.astype(str), "y": Y}, "not numbers"),
        ({"x": np.array([[1], [1, 2]], dtype=object), "y": Y[:2]}, "x holds pickled Python objects"),
        ({"x_train": X, "y_train": Y, "x_test": X[:, :1], "y_test": Y}, "samples of x_test have another shape"),
    ],
)
def test_arrays_that_cannot_be_used(saved: Callable[..., Path], arrays: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        data.load(saved(**arrays), 1)
    assert caught.value.exit_code == 2


def test_pickles_are_never_loaded(saved: Callable[..., Path], tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[Any, ...]:
            return Path.touch, (tmp_path / "sprung",)

    with pytest.raises(InputError, match="pickled"):
        data.load(saved(x=np.array([Trap()] * 3, dtype=object), y=np.arange(3)), 1)
    assert not (tmp_path / "sprung").exists()


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot read .*none\.npz: No such file"):
        data.load(tmp_path / "none.npz", 1)
    with pytest.raises(InputError, match="has no images"):
        data.load(tmp_path, 1)


def test_a_damaged_file(saved: Callable[..., Path]) -> None:
    path = saved(x=X, y=Y)
    whole = path.read_bytes()
    for damaged in (b"", b"PK", whole[: len(whole) // 2], whole.replace(b"NUMPY", b"NUMPI")):
        path.write_bytes(damaged)
        with pytest.raises(InputError, match="damaged"):
            data.load(path, 1)
    flipped = bytearray(whole)
    flipped[200] ^= 1  # in the values of x: only the zip's checksum knows
    path.write_bytes(bytes(flipped))
    with pytest.raises(InputError, match="damaged"):
        data.load(path, 1)


def test_a_small_file_cannot_claim_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f4", "fortran_order": False, "shape": (1 << 40, 2)})
    path = tmp_path / "mine.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.npy", header.getvalue() + bytes(8))
        archive.writestr("y.npy", header.getvalue() + bytes(8))
    with pytest.raises(InputError, match="claims the shape"):
        data.load(path, 1)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.npy", bytes(100_000))
    assert path.stat().st_size < 1000
    monkeypatch.setattr(npz, "MAX_BYTES", 99_999)
    with pytest.raises(InputError, match="unpacks to 100,000 bytes, the limit is 99,999"):
        data.load(path, 1)
