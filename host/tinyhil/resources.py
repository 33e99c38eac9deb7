"""Where the device's sources and the templates lie, and where what is kept for the user lies.

The former lie inside an installed package, or at the top of a checkout.
"""

from __future__ import annotations

import os
from pathlib import Path

from tinyhil.errors import StorageError

_PACKAGE = Path(__file__).parent


def folder(name: str) -> Path:
    """The folder ``firmware`` or ``templates``.

    Raises:
        StorageError: the installation is incomplete.
    """
    for candidate in (_PACKAGE / "_resources" / name, _PACKAGE.parents[1] / name):
        if candidate.is_dir():
            return candidate
    raise StorageError(f"this installation of tinyhil lacks its {name} folder", hint="install tinyhil again")


def user_cache() -> Path:
    """The folder of tinyhil in the user's cache: ``$XDG_CACHE_HOME/tinyhil``, by default ``~/.cache/tinyhil``.

    The XDG Base Directory Specification has relative paths ignored. The folder may not exist yet.
    """
    given = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(given) if Path(given).is_absolute() else Path.home() / ".cache") / "tinyhil"


def user_state() -> Path:
    """The folder of tinyhil in the user's state: ``$XDG_STATE_HOME/tinyhil``, by default ``~/.local/state/tinyhil``.

    As ``user_cache``; but nothing in it can be made again.
    """
    given = os.environ.get("XDG_STATE_HOME", "")
    return (Path(given) if Path(given).is_absolute() else Path.home() / ".local" / "state") / "tinyhil"


def read_tree(root: Path) -> dict[str, bytes]:
    """The content of every file below ``root`` by relative POSIX path, Python caches left out."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }
