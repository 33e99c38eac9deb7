"""Reads one TOML file into one frozen struct, and turns every way it can be wrong into a ConfigError.

The structs are `msgspec` ones with ``forbid_unknown_fields``, so a misspelt key, a wrong type or a missing value is
reported with the path of the key. The file is parsed once; nobody parses configuration strings later.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from tinyhil import kinds
from tinyhil.errors import ConfigError

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
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}", kind=kinds.WRONG_FILE) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not valid TOML: {error}", kind=kinds.WRONG_FILE) from error


def convert(data: dict[str, Any], path: Path, into: type[_S]) -> _S:
    """``data``, which comes from ``path``, as a struct of type ``into``.

    Raises:
        ConfigError: it does not fit the struct.
    """
    try:
        return msgspec.convert(data, into)
    except msgspec.ValidationError as error:
        raise ConfigError(
            f"{path}: {error}",
            hint="the known keys are in docs/design.md, 'Files that users write'",
            kind=kinds.WRONG_FILE,
        ) from error
