"""Reads one TOML file into one frozen struct, and turns every way it can be wrong into a ConfigError.

The structs are `msgspec` ones with ``forbid_unknown_fields``, so a misspelt key, a wrong type or a missing value is
reported with the path of the key. The file is parsed once; nobody parses configuration strings later.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from tinyhil import kinds
from tinyhil.artifacts import foreign
from tinyhil.errors import ConfigError

MAX_CHARACTERS = 1 << 20
_HINT = "correct this place; the known keys are in docs/design.md, 'Files that users write'"
_NUMBER = re.compile(r"[0-9_]{1000,}")
_DEEP = 100

_S = TypeVar("_S", bound=msgspec.Struct)


def load(path: Path, into: type[_S]) -> _S:
    """Reads ``path`` as a struct of type ``into``.

    Raises:
        ConfigError: the file cannot be read, is not TOML, or does not fit the struct; the message names file and key.
    """
    return convert(read(path), path, into)


def read(path: Path) -> dict[str, Any]:
    """What a file says, whatever it is.

    Raises:
        ConfigError: the file cannot be read, or is not TOML.
    """
    other = foreign.why_not_regular(path)
    if other:
        raise ConfigError(f"cannot read {path}: it is {other}", hint="name a file", kind=kinds.WRONG_FILE)
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(
            f"cannot read {path}: {error.strerror}", hint="look at its name and its rights", kind=kinds.WRONG_FILE
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"{path} is not valid TOML: {error.reason} at byte {error.start}",
            hint="save it in UTF-8",
            kind=kinds.WRONG_FILE,
        ) from error
    if len(text) > MAX_CHARACTERS:
        raise _refusal(f"{path} has {len(text):,} characters, the limit is {MAX_CHARACTERS:,}")
    with foreign.reading(f"{path}{_place(text)}", "valid TOML", _refusal):
        try:
            return tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise _refusal(f"{path} is not valid TOML: {error}") from error


def _refusal(message: str) -> ConfigError:
    return ConfigError(message, hint=_HINT, kind=kinds.WRONG_FILE)


def _place(text: str) -> str:
    """Where a file goes too far in a way for which the parser names no line: its deepest, or its longest number."""
    depth, deepest, at, line = 0, 0, 0, 1
    for character in text:
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(character, 0)
        line += character == "\n"
        if depth > deepest:
            deepest, at = depth, line
    longest = max(_NUMBER.finditer(text), key=lambda found: len(found[0]), default=None)
    if longest is not None:
        return f", line {text.count(chr(10), 0, longest.start()) + 1}"
    return f", line {at}" if deepest > _DEEP else ""


def convert(data: dict[str, Any], path: Path, into: type[_S]) -> _S:
    """``data``, which comes from ``path``, as a struct of type ``into``.

    Raises:
        ConfigError: it does not fit the struct.
    """
    with foreign.reading(path, "a file of known keys", _refusal):
        try:
            return msgspec.convert(data, into)
        except msgspec.ValidationError as error:
            raise _refusal(f"{path}: {error}") from error
