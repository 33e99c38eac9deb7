"""Every way in which a TOML file can be wrong is a ConfigError that names the file and, where there is one, the key."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from tinyhil.config import toml
from tinyhil.errors import ConfigError, ExitCode


class Inner(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    count: int
    names: tuple[str, ...] = ()


class Outer(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    title: str
    inner: Inner


GOOD = 'title = "Würfel"\n[inner]\ncount = 3\nnames = ["a", "b"]\n'


def test_a_good_file(tmp_path: Path) -> None:
    path = tmp_path / "good.toml"
    path.write_text(GOOD, encoding="utf-8")
    assert toml.load(path, Outer) == Outer(title="Würfel", inner=Inner(count=3, names=("a", "b")))


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("count = 3", "count = 3\ncuont = 3", ["cuont", "$.inner"]),  # unknown key
        ("title", "titel", ["titel"]),  # misspelt key
        ("[inner]", "[innner]", ["innner"]),  # misspelt table
        ("count = 3", 'count = "3"', ["int", "str", "$.inner.count"]),  # wrong type
        ("count = 3", "count = 3.0", ["int", "float", "$.inner.count"]),
        ("count = 3", "count = true", ["int", "bool", "$.inner.count"]),
        ('["a", "b"]', '["a", 1]', ["$.inner.names[1]"]),
        ("[inner]\n", "inner = 1\n", ["object", "int", "$.inner"]),
        ("count = 3\n", "", ["missing", "count", "$.inner"]),  # missing key
        ('title = "Würfel"\n', "", ["missing", "title"]),
        ("count = 3", "count =", ["not valid TOML", "line 3"]),  # not TOML
        ("count = 3", "count = 3\ncount = 4", ["not valid TOML", "line 4"]),
    ],
)
def test_a_wrong_file_is_named_with_its_key(tmp_path: Path, old: str, new: str, words: list[str]) -> None:
    assert GOOD.count(old) == 1
    path = tmp_path / "wrong.toml"
    path.write_text(GOOD.replace(old, new), encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        toml.load(path, Outer)
    for word in [str(path), *words]:
        assert word in caught.value.message
    assert caught.value.exit_code is ExitCode.USAGE


def test_a_file_that_is_not_utf8(tmp_path: Path) -> None:
    path = tmp_path / "latin1.toml"
    path.write_bytes(GOOD.encode("latin-1"))
    with pytest.raises(ConfigError, match="is not valid TOML") as caught:
        toml.load(path, Outer)
    assert str(path) in caught.value.message


@pytest.mark.parametrize("name", ["missing.toml", "folder.toml", "file/below.toml"])
def test_a_file_that_cannot_be_read(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder.toml").mkdir()
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot read") as caught:
        toml.load(tmp_path / name, Outer)
    assert str(tmp_path / name) in caught.value.message
