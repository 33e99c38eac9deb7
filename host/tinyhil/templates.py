"""Jinja environments: strict about what is undefined, and compiled once for a user and not once a run."""

from __future__ import annotations

import contextlib
from typing import Any

import jinja2

from tinyhil import resources

_CACHE = "templates"


def environment(name: str, **options: Any) -> jinja2.Environment:
    """The environment of the templates in a folder.

    Args:
        name: of the folder in ``templates``.
        options: as ``jinja2.Environment`` takes them.

    Raises:
        StorageError: the installation is incomplete.
    """
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(resources.folder("templates") / name),
        undefined=jinja2.StrictUndefined,
        bytecode_cache=_cache(),
        **options,
    )


def _cache() -> jinja2.BytecodeCache | None:
    """Where compiled templates are kept, for nobody else to write: Python runs them. None where that cannot be."""
    folder = resources.user_cache() / _CACHE
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
        return jinja2.FileSystemBytecodeCache(str(folder))
    return None
