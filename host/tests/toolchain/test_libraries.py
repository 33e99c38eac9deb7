"""An engine's library: found by what PlatformIO writes about it, and missed in one line, quickly."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import pytest

from tinyhil.errors import MissingToolError
from tinyhil.progress import Silent
from tinyhil.targets.model import Build
from tinyhil.toolchain import libraries, platformio

WANTED = "someone/Some_Library@^2.0.0"


def install(project: Path, folder: str = "Some_Library", environment: str = "sample", **facts: Any) -> Path:
    """A library as PlatformIO lays it down."""
    path = project / ".pio" / "libdeps" / environment / folder
    path.mkdir(parents=True)
    spec = {"owner": facts.pop("owner", "someone"), "id": None, "name": "Some_Library", "requirements": None}
    about = {"type": "library", "name": "Some_Library", "version": "2.0.0", "spec": spec, **facts}
    (path / libraries.MANIFEST).write_text(json.dumps(about))
    (path / "library.h").write_text("")
    return path


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """No way out: the proxy is a port on which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{port}")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("wanted", [WANTED, "someone/Some_Library", "Some_Library", "Some_Library @ >=1.2,<3"])
def test_it_is_found(tmp_path: Path, wanted: str) -> None:
    folder = install(tmp_path)
    assert libraries.find(tmp_path, "sample", wanted) == libraries.Library("Some_Library", "2.0.0", folder)


@pytest.mark.parametrize(
    "facts",
    [
        {"owner": "other"},
        {"name": "Other_Library"},
        {"version": "1.9.9"},
        {"version": "3.0.0"},
        {"version": None},
        {"spec": None},
        {"environment": "other"},
    ],
)
def test_another_one_is_not_it(tmp_path: Path, facts: dict[str, Any]) -> None:
    install(tmp_path, **facts)
    assert libraries.find(tmp_path, "sample", WANTED) is None


def test_a_folder_without_a_readable_manifest_is_not_it(tmp_path: Path) -> None:
    (install(tmp_path) / libraries.MANIFEST).write_text("{")
    assert libraries.find(tmp_path, "sample", WANTED) is None
    install(tmp_path, folder="another")
    assert libraries.find(tmp_path, "sample", WANTED) is not None


def test_it_is_known_by_its_content(tmp_path: Path) -> None:
    folder = install(tmp_path)
    library = libraries.find(tmp_path, "sample", WANTED)
    assert library is not None
    before = library.sha256()
    assert library.sha256() == before
    (folder / "library.h").write_text("edited")
    assert library.sha256() != before


def test_a_library_that_is_there_needs_no_network(tmp_path: Path, needs: Build, offline: None) -> None:
    install(tmp_path)
    assert platformio.library(tmp_path, "sample", WANTED, needs, Silent()).version == "2.0.0"


def test_one_that_is_missing_is_told_in_one_line(tmp_path: Path, needs: Build, offline: None) -> None:
    with pytest.raises(MissingToolError) as caught:
        platformio.library(tmp_path, "sample", WANTED, needs, Silent())
    assert caught.value.message == (
        f"the library {WANTED} is not installed, and PlatformIO's registry cannot be reached"
    )
    assert str(tmp_path / ".pio" / "libdeps" / "sample" / "Some_Library") in caught.value.hint
    assert "\n" not in caught.value.hint


def test_a_registry_that_fails_is_told_too(tmp_path: Path, needs: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    """The registry seems to be there, but PlatformIO cannot work: the folder is no project."""
    monkeypatch.setattr(libraries, "registry_answers", lambda: True)
    with pytest.raises(MissingToolError, match=r"is not installed, and cannot be fetched: .*Not a PlatformIO project"):
        platformio.library(tmp_path, "sample", WANTED, needs, Silent())
