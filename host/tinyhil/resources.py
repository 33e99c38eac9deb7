"""Where the device's sources and the templates lie: inside an installed package, or at the top of a checkout."""

from __future__ import annotations

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


def read_tree(root: Path) -> dict[str, bytes]:
    """The content of every file below ``root`` by relative POSIX path, Python caches left out."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }
