"""Finds the files that have a name: those that ship in the package, and the user's own in a folder of theirs.

A user's file adds a name; one that takes a shipped name is refused, because a report names things by name only.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path

from tinyhil import kinds
from tinyhil.errors import ConfigError


def paths(kind: str, shipped: Path, user: Path) -> dict[str, Path]:
    """Every file by name, shipped ones first.

    Args:
        kind: what they are, for messages: ``recipe``.
        shipped: folder of those in the package.
        user: folder of the user's own, which need not exist.

    Raises:
        ConfigError: a user's file takes the name of a shipped one.
    """
    found = {path.stem: path for path in _by_name(shipped)}
    for path in _by_name(user):
        if path.stem in found:
            raise ConfigError(
                f"{path} takes the name of the {kind} {path.stem!r} that tinyhil ships",
                hint="rename the file",
                kind=kinds.WRONG_FILE,
            )
        found[path.stem] = path
    return found


def _by_name(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.toml"), key=lambda path: path.stem)


def find(name: str, kind: str, shipped: Path, user: Path) -> Path:
    """The file called ``name``.

    Raises:
        ConfigError: there is none.
    """
    known = paths(kind, shipped, user)
    if name not in known:
        raise unknown(kind, name, known, f"; yours go to {user}/NAME.toml")
    return known[name]


def unknown(kind: str, name: str, known: Iterable[str], more: str = "") -> ConfigError:
    """The error for a name that there is not, with the one that may be meant.

    Args:
        kind: what it should name: ``recipe``.
        known: the names that there are.
        more: what else to say of these.
    """
    names = list(known)
    return ConfigError(
        f"unknown {kind} {name!r}",
        hint=f"{meant(name, names)}known {kind}s: {', '.join(names)}{more}",
        kind=kinds.UNKNOWN_NAME,
    )


def meant(name: str, known: Iterable[str]) -> str:
    """A question for the known name that is nearest, with a space behind it; empty where none is near."""
    near = difflib.get_close_matches(name.lower(), list(known), 1)
    return f"did you mean {near[0]}? " if near else ""
