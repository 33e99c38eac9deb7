"""SHA-256 of bytes, files, folders and of the inputs of a stage."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from importlib.metadata import distribution
from pathlib import Path


def of_bytes(data: bytes) -> str:
    """SHA-256 of ``data`` as 64 hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def of_file(path: Path) -> str:
    """SHA-256 of a file's content as 64 hexadecimal digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def of_tree(files: Mapping[str, bytes]) -> str:
    """SHA-256 over files by relative path: independent of order, but not of names."""
    listing = "".join(f"{of_bytes(content)}  {path}\n" for path, content in sorted(files.items()))
    return of_bytes(listing.encode())


def of_sources(folders: Iterable[Path]) -> str:
    """SHA-256 over the Python files in some folders: the version of the code that makes an artifact."""
    files = {
        f"{folder.name}/{path.name}": path.read_bytes() for folder in folders for path in sorted(folder.glob("*.py"))
    }
    return of_tree(files)


def of_distribution(name: str) -> str:
    """SHA-256 over what an installed Python package consists of, by its own record; empty where that has no hashes.

    What an installer adds (byte code, scripts, its own notes) is left out, so that it is the same on every computer
    with the same wheel.

    Raises:
        PackageNotFoundError: it is not installed.
    """
    record = distribution(name).files or []
    lines = [
        f"{file.hash.mode}={file.hash.value}  {file.as_posix()}\n"
        for file in record
        if file.hash is not None and ".." not in file.parts and not file.parts[0].endswith(".dist-info")
    ]
    return of_bytes("".join(sorted(lines)).encode()) if lines else ""


def of_json(value: object) -> str:
    """SHA-256 over the canonical JSON of a value made of dicts, lists, strings and numbers."""
    return of_bytes(json.dumps(value, sort_keys=True, separators=(",", ":")).encode())
