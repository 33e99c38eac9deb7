"""What is loaded is what was saved, whole and of the same inputs; everything else is made anew."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tinyhil.artifacts import store

STAGE, KEY = "stage", "key"
FILES = ("one.bin", "folder/two.txt")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An artifact of two files."""
    store.write_bytes(tmp_path / FILES[0], bytes(range(256)))
    store.write_text(tmp_path / FILES[1], "zwei Würfel\n")
    store.save(tmp_path, STAGE, KEY, FILES, {"figure": 0.5, "list": [1, "a"]})
    return tmp_path


def rewrite(folder: Path, **changes: Any) -> None:
    """Edits the manifest by hand."""
    path = folder / store.MANIFEST
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_what_was_saved_is_loaded(folder: Path) -> None:
    loaded = store.load(folder, STAGE, KEY)
    assert loaded is not None
    assert loaded == store.save(folder, STAGE, KEY, FILES, {"figure": 0.5, "list": [1, "a"]})
    assert loaded.facts == {"figure": 0.5, "list": [1, "a"]}
    assert set(loaded.files) == set(FILES)


def test_saving_again_writes_the_same_bytes(folder: Path) -> None:
    before = (folder / store.MANIFEST).read_bytes()
    store.save(folder, STAGE, KEY, FILES[::-1], {"list": [1, "a"], "figure": 0.5})
    assert (folder / store.MANIFEST).read_bytes() == before


def test_what_is_not_there_is_not_loaded(tmp_path: Path) -> None:
    assert store.load(tmp_path, STAGE, KEY) is None
    assert store.load(tmp_path / "missing", STAGE, KEY) is None


def test_another_stage_or_other_inputs_are_not_loaded(folder: Path) -> None:
    assert store.load(folder, "other", KEY) is None
    assert store.load(folder, STAGE, "other") is None


@pytest.mark.parametrize("name", FILES)
def test_a_tampered_or_lost_file_is_noticed(folder: Path, name: str) -> None:
    path = folder / name
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    assert store.load(folder, STAGE, KEY) is None
    path.write_bytes(content)
    assert store.load(folder, STAGE, KEY) is not None
    path.write_bytes(content + b"\0")
    assert store.load(folder, STAGE, KEY) is None
    path.unlink()
    assert store.load(folder, STAGE, KEY) is None
    path.mkdir()
    assert store.load(folder, STAGE, KEY) is None


def test_a_manifest_that_was_cut_is_noticed(folder: Path) -> None:
    whole = (folder / store.MANIFEST).read_bytes()
    assert whole.endswith(b"}\n")
    for length in range(len(whole) - 1):  # without the last newline it is still whole
        (folder / store.MANIFEST).write_bytes(whole[:length])
        assert store.load(folder, STAGE, KEY) is None


@pytest.mark.parametrize("content", [b"[]", b"null", b'"text"', b"7", b"{}", b"\xff\xfe", b'{"schema": 1}'])
def test_a_manifest_that_is_something_else_is_noticed(folder: Path, content: bytes) -> None:
    (folder / store.MANIFEST).write_bytes(content)
    assert store.load(folder, STAGE, KEY) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"schema": store.SCHEMA + 1},
        {"files": []},
        {"files": {"one.bin": 7}},
        {"files": None},
        {"stage": None},
        {"key": []},
        {"facts": {"figure": 0.25, "list": [1, "a"]}},
        {"facts": {"figure": 0.5, "list": [1, "a"], "exhaustive": True}},
        {"facts": {"figure": 0.5}},
        {"facts": {"figure": 0.5, "list": [True, "a"]}},
        {"sha256": "0" * 64},
        {"sha256": None},
    ],
)
def test_an_edited_manifest_is_noticed(folder: Path, changes: dict[str, Any]) -> None:
    rewrite(folder)
    assert store.load(folder, STAGE, KEY) is not None
    rewrite(folder, **changes)
    assert store.load(folder, STAGE, KEY) is None


def test_a_manifest_that_is_a_folder_is_noticed(folder: Path) -> None:
    (folder / store.MANIFEST).unlink()
    (folder / store.MANIFEST).mkdir()
    assert store.load(folder, STAGE, KEY) is None


def test_a_forgotten_artifact_is_made_anew(folder: Path) -> None:
    store.forget(folder)
    assert store.load(folder, STAGE, KEY) is None
    assert (folder / FILES[0]).is_file()
    store.forget(folder)  # there is nothing to forget


def test_who_reads_the_old_file_keeps_reading_it(tmp_path: Path) -> None:
    """The new content takes the name; it is never written into the old file."""
    path = tmp_path / "file"
    store.write_text(path, "old")
    with path.open() as reader:
        store.write_text(path, "new and longer")
        assert reader.read() == "old"
    assert path.read_text() == "new and longer"


def test_writing_makes_the_folders_and_leaves_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "file"
    store.write_text(path, "old")
    store.write_text(path, "neu: ü")
    assert path.read_text(encoding="utf-8") == "neu: ü"
    assert list(path.parent.iterdir()) == [path]
    assert path.stat().st_mode & 0o777 == 0o644


def test_a_sealed_value_that_was_edited_is_none(tmp_path: Path) -> None:
    place = tmp_path / "row.json"
    store.write_sealed(place, {"outcome": "fail", "count": 3})
    assert store.read_sealed(place, dict) == {"outcome": "fail", "count": 3}
    whole = place.read_text()
    for old, new in (("fail", "pass"), ("3", "4"), ('"value"', '"other"'), ("{", "[")):
        place.write_text(whole.replace(old, new, 1))
        assert store.read_sealed(place, dict) is None
    place.unlink()
    assert store.read_sealed(place, dict) is None
