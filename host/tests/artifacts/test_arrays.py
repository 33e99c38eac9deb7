"""What one stage writes, the next one reads: every array comes back, in its order and under its name."""

from __future__ import annotations

import ast
from dataclasses import fields
from pathlib import Path

import numpy as np

from tinyhil.artifacts import arrays
from tinyhil.artifacts.arrays import StoredVectors


def test_vectors_come_back_whole(tmp_path: Path) -> None:
    vectors = StoredVectors(
        inputs=tuple(np.full((3, 1), index, np.int8) for index in range(11)),  # more than ten: 10 comes behind 9
        samples=(np.ones((2, 4), np.float32),),
        floats=(np.zeros((3, 2)), np.ones((3, 1))),
        test=(np.full((2, 2), 0.5), np.ones((2, 1))),
        data=np.array([True, False, True]),
        targets=np.array([[1], [2]]),
    )
    arrays.write_vectors(tmp_path / "v.npz", vectors)
    found = arrays.read_vectors(tmp_path / "v.npz")
    for field in fields(StoredVectors):
        for wanted, got in zip(_row(vectors, field.name), _row(found, field.name), strict=True):
            np.testing.assert_array_equal(got, wanted)
            assert got.dtype == wanted.dtype


def test_what_is_not_there_is_none(tmp_path: Path) -> None:
    arrays.write_vectors(tmp_path / "v.npz", StoredVectors((np.zeros((1, 1), np.int8),)))
    found = arrays.read_vectors(tmp_path / "v.npz")
    assert (found.samples, found.floats, found.test, found.data, found.targets) == ((), (), (), None, None)


def test_a_set_of_a_dataset(tmp_path: Path) -> None:
    sets = {name: (np.full((2, 1), number), np.full((2, 0), number)) for number, name in enumerate(("train", "test"))}
    arrays.write_dataset(tmp_path / "d.npz", sets)
    x, y = arrays.read_set(tmp_path / "d.npz", "test")
    assert (x.tolist(), y.shape) == ([[1], [1]], (2, 0))
    with np.load(tmp_path / "d.npz") as stored:  # the names are a contract with recipes' authors and users
        assert set(stored.files) == {"train_x", "train_y", "test_x", "test_y"}
    assert [part.tolist() for part in arrays.read_inputs(tmp_path / "d.npz", "test")] == [[[1], [1]]]


def test_what_several_inputs_take(tmp_path: Path) -> None:
    first, further = np.zeros((2, 3)), [np.full((2, place), place) for place in range(1, 12)]
    arrays.write_dataset(tmp_path / "d.npz", {"test": (first, np.zeros((2, 0)))}, {"test": further})
    found = arrays.read_inputs(tmp_path / "d.npz", "test")
    assert [part.tolist() for part in found] == [part.tolist() for part in (first, *further)]
    assert arrays.read_set(tmp_path / "d.npz", "test")[0].tolist() == first.tolist()


def test_tensors_are_named_by_their_kind(tmp_path: Path) -> None:
    arrays.write_tensors(tmp_path / "t.npz", "input", [np.array([1]), np.array([2])])
    assert [part.tolist() for part in arrays.read_tensors(tmp_path / "t.npz", "input")] == [[1], [2]]
    assert arrays.read_tensors(tmp_path / "t.npz", "output") == ()


def test_no_other_module_writes_or_reads_npz_files(package: Path) -> None:
    """But for samples in memory or of the self-test, and series that a user saves.

    Samples of users are read array by array (data/npz.py).
    """
    found = {
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and ast.unparse(node) in ("np.load", "np.savez", "np.savez_compressed")
    }
    assert found == {"artifacts/arrays.py", "api/memory.py", "experiments/selftest/given.py", "stream/table.py"}


def _row(vectors: StoredVectors, name: str) -> tuple[np.ndarray[tuple[int, ...], np.dtype[np.generic]], ...]:
    value = getattr(vectors, name)
    return value if isinstance(value, tuple) else (value,)
