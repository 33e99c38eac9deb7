"""SHA-256 of what an artifact is made from."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyhil.artifacts import hashing

FILES = st.dictionaries(st.text("abc/.", min_size=1), st.binary(max_size=8), max_size=5)


def test_bytes_and_files_as_sha256sum_sees_them(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(range(256)) * 1000)
    expected = subprocess.run(["sha256sum", "file"], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert hashing.of_file(path) == expected.split()[0]
    assert hashing.of_bytes(path.read_bytes()) == expected.split()[0]
    # A tree's hash is that of the list which sha256sum prints for its files.
    assert hashing.of_tree({"file": path.read_bytes()}) == hashing.of_bytes(expected.encode())


@given(FILES, FILES)
def test_trees_are_alike_only_if_names_and_contents_are(one: dict[str, bytes], other: dict[str, bytes]) -> None:
    assert (hashing.of_tree(one) == hashing.of_tree(other)) == (one == other)
    assert hashing.of_tree(dict(reversed(one.items()))) == hashing.of_tree(one)


def test_the_sources_of_a_stage(tmp_path: Path) -> None:
    folder = tmp_path / "stage"
    folder.mkdir()
    (folder / "a.py").write_text("one")
    before = hashing.of_sources([folder])
    (folder / "notes.txt").write_text("not code")
    assert hashing.of_sources([folder]) == before
    (folder / "b.py").write_text("")
    with_more = hashing.of_sources([folder])
    (folder / "a.py").write_text("two")
    assert len({before, with_more, hashing.of_sources([folder])}) == 3


def test_json_does_not_depend_on_the_order_of_keys() -> None:
    assert hashing.of_json({"a": 1, "b": [1, 2.5, "ü"]}) == hashing.of_json({"b": (1, 2.5, "ü"), "a": 1})
    assert hashing.of_json({"a": 1}) != hashing.of_json({"a": "1"})
    assert hashing.of_json([1, 2]) != hashing.of_json([2, 1])


def test_what_a_package_consists_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two installations of one wheel are alike, whatever the installer has added; another content is another."""
    monkeypatch.syspath_prepend(str(tmp_path))
    folder = tmp_path / "planted-1.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: planted\nVersion: 1.0\n")

    def with_record(*lines: str) -> str:
        (folder / "RECORD").write_text("".join(f"{line}\n" for line in lines))
        return hashing.of_distribution("planted")

    first = with_record("planted/a.py,sha256=aa,1", "planted/b.so,sha256=bb,2")
    assert first == hashing.of_bytes(b"sha256=aa  planted/a.py\nsha256=bb  planted/b.so\n")
    added = (
        "planted/__pycache__/a.pyc,,",
        "../../bin/planted,sha256=cc,3",
        "planted-1.0.dist-info/INSTALLER,sha256=d,4",
    )
    assert with_record(*added, "planted/b.so,sha256=bb,2", "planted/a.py,sha256=aa,1") == first
    assert with_record("planted/a.py,sha256=ab,1", "planted/b.so,sha256=bb,2") != first
    assert with_record("planted/a.py,,") == ""
