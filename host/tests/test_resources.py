"""The folders that tinyhil carries with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tinyhil import resources
from tinyhil.errors import StorageError


def test_the_folders_are_found() -> None:
    assert (resources.folder("firmware") / "lib" / "engine" / "engine.h").is_file()
    assert (resources.folder("templates") / "project" / "platformio.ini.j2").is_file()


def test_a_missing_folder_means_an_incomplete_installation() -> None:
    with pytest.raises(StorageError, match="lacks its no-such folder") as caught:
        resources.folder("no-such")
    assert caught.value.hint


def test_a_tree_is_its_files_without_pythons_caches(tmp_path: Path) -> None:
    for name in ("b/two.txt", "a.txt", "b/__pycache__/x.pyc", "__pycache__/y.pyc", "b/c/three"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    (tmp_path / "empty").mkdir()
    assert list(resources.read_tree(tmp_path).items()) == [
        (name, name.encode()) for name in ("a.txt", "b/c/three", "b/two.txt")
    ]
