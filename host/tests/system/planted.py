"""A copy of the package with a change in it, for what happens when the code is another."""

from __future__ import annotations

import shutil
from pathlib import Path

from .cli import REPOSITORY


def package_with(folder: Path, file: str, old: str, new: str) -> Path:
    """Copies the package, with one text in one file replaced by another.

    Returns:
        The folder in which Python finds it.
    """
    host = folder / "planted" / "host"
    if not host.exists():
        shutil.copytree(REPOSITORY / "host/tinyhil", host / "tinyhil", ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("firmware", "templates"):
            (host.parent / name).symlink_to(REPOSITORY / name)
    path = host / "tinyhil" / file
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{file} has {text.count(old)} places like {old!r}"
    path.write_text(text.replace(old, new), encoding="utf-8")
    return host
