"""A bundle of a stranger's: what is read of it is in it, and is what its manifest says."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from tinyhil.errors import ConfigError
from tinyhil.experiments.bisect import bundle

from ...hostile import seeds


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("seeds") / "kept"
    seeds.make(folder)
    return folder / seeds.BUNDLE


def changed(made: Path, folder: Path, change: Any) -> Path:
    shutil.copytree(made, folder / "b")
    path = folder / "b" / bundle.MANIFEST
    told = json.loads(path.read_text())
    change(told)
    path.write_text(json.dumps(told))
    return folder / "b"


@pytest.mark.parametrize("name", ["../secret", "/etc/hostname", "device/../../secret", "link/secret"])
@pytest.mark.parametrize("where", ["files", "folder", "firmware"])
def test_a_name_that_leads_out_of_it(made: Path, tmp_path: Path, name: str, where: str) -> None:
    (tmp_path / "secret").write_text("")

    def change(told: dict[str, Any]) -> None:
        if where == "files":
            told["files"][name] = "0" * 64
        else:
            told["sides"][0][where] = name

    folder = changed(made, tmp_path, change)
    (folder / "link").symlink_to(tmp_path)
    with pytest.raises(ConfigError, match="leads out of the bundle"):
        bundle.read(folder)


@pytest.mark.parametrize("name", [bundle.PREFIX, bundle.INPUT, bundle.EXPECTED, bundle.ACTUAL])
def test_a_file_without_a_hash(made: Path, tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match=f"has no SHA-256 of {name}"):
        bundle.read(changed(made, tmp_path, lambda told: told["files"].pop(name)))


@pytest.mark.parametrize("vectors", [0, -1, 2, 2**62])
def test_another_number_of_vectors(made: Path, tmp_path: Path, vectors: int) -> None:
    folder = changed(made, tmp_path, lambda told: told.update(vectors=vectors))
    with pytest.raises(ConfigError, match="is no repro bundle"):
        bundle.rerun(folder, None, None)  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["", "[" * 100_000, "{}", b"\xff\xfe", '{"schema": 1, "vectors": ' + "9" * 5000 + "}"])
def test_a_manifest_that_is_none(made: Path, tmp_path: Path, text: str | bytes) -> None:
    folder = changed(made, tmp_path, lambda told: None)
    (folder / bundle.MANIFEST).write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ConfigError, match=r"repro\.json"):
        bundle.read(folder)


def test_a_manifest_that_is_no_file(made: Path, tmp_path: Path) -> None:
    folder = changed(made, tmp_path, lambda told: None)
    (folder / bundle.MANIFEST).unlink()
    os.mkfifo(folder / "pipe")
    for place in (folder / "pipe", Path("/dev/zero"), folder):
        (folder / bundle.MANIFEST).symlink_to(place)
        with pytest.raises(ConfigError, match=r"is no repro bundle: it has no repro\.json"):
            bundle.read(folder)
        (folder / bundle.MANIFEST).unlink()
