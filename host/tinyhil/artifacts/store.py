"""Keeps one artifact in one folder: its files, and an ``artifact.json`` that says what they were made from.

The manifest is written last and by rename, so a folder whose making was interrupted has no manifest or an old one
that no longer matches its files; both count as *not there* and the stage runs again. Every file's SHA-256 is checked
on loading, and that of the manifest itself: what was edited by hand is made anew rather than trusted. Whatever a stage
can compute from the files again, it does not read from the facts.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from tinyhil.artifacts import hashing
from tinyhil.errors import StorageError

_T = TypeVar("_T")

MANIFEST = "artifact.json"
SCHEMA = 2
_NEW = ".new"
"""Folder in that of an artifact."""

_NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_STEPS = {
    errno.EISDIR: "remove the folder that is in its place",
    errno.ENOTDIR: "remove the file that is in the place of a folder",
    errno.EEXIST: "remove what is in its place",
    errno.EIO: "look at the disk",
}
_STORAGE_ERRNOS = {
    *(*_NO_SPACE, errno.EIO),
    *(errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EISDIR, errno.EEXIST),
}


@dataclass(frozen=True)
class Manifest:
    """What ``artifact.json`` says.

    Attributes:
        stage: the stage that made the artifact.
        key: hash of everything it was made from.
        files: SHA-256 by path relative to the folder.
        facts: what else the next stages need to know, as JSON values.
    """

    stage: str
    key: str
    files: dict[str, str]
    facts: dict[str, Any]


@contextlib.contextmanager
def storage(path: Path) -> Iterator[None]:
    """Turns the operating system's refusals to write below ``path`` into a StorageError that names the place."""
    try:
        yield
    except OSError as error:
        if error.errno not in _STORAGE_ERRNOS:
            raise
        place = error.filename or path
        step = "free some space" if error.errno in _NO_SPACE else _STEPS.get(error.errno, "look at its rights")
        raise StorageError(
            f"cannot write {place}: {error.strerror}", hint=f"{step}, or choose another folder with --build-dir"
        ) from error


def load(folder: Path, stage: str, key: str) -> Manifest | None:
    """The manifest of an artifact that is whole and made from the same inputs, else None."""
    try:
        data = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        if data["schema"] != SCHEMA:
            return None
        manifest = Manifest(data["stage"], data["key"], data["files"], data["facts"])
        if data["sha256"] != _sha256(manifest):
            return None
        if (manifest.stage, manifest.key) != (stage, key):
            return None
        if any(hashing.of_file(folder / name) != digest for name, digest in manifest.files.items()):
            return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    return manifest


def save(folder: Path, stage: str, key: str, files: tuple[str, ...], facts: Mapping[str, Any]) -> Manifest:
    """Writes the manifest for files that already lie in ``folder``.

    Raises:
        StorageError: the folder cannot be written.
    """
    manifest = Manifest(stage, key, {name: hashing.of_file(folder / name) for name in files}, dict(facts))
    said = {"schema": SCHEMA, "sha256": _sha256(manifest), **manifest.__dict__}
    write_text(folder / MANIFEST, json.dumps(said, indent=1, sort_keys=True) + "\n")
    return manifest


def _sha256(manifest: Manifest) -> str:
    """Over all that a manifest says, its facts among it."""
    return hashing.of_json({"schema": SCHEMA, **manifest.__dict__})


class _Sealed(msgspec.Struct):
    """A value with the SHA-256 of its JSON."""

    sha256: str
    value: Any


def write_sealed(path: Path, value: object) -> None:
    """As ``write_json``, so that ``read_sealed`` notices what was edited by hand.

    Raises:
        StorageError: the disk is full, or the folder cannot be written.
    """
    plain = msgspec.to_builtins(value)
    write_json(path, _Sealed(hashing.of_json(plain), plain))


def read_sealed(path: Path, kind: type[_T]) -> _T | None:
    """What ``write_sealed`` has written; None where there is nothing, or something else.

    Args:
        kind: type of the value.
    """
    try:
        found = msgspec.json.decode(path.read_bytes(), type=_Sealed)
        return msgspec.convert(found.value, kind) if hashing.of_json(found.value) == found.sha256 else None
    except (OSError, msgspec.MsgspecError):
        return None


def forget(folder: Path) -> None:
    """Removes the manifest, so that an artifact whose making is interrupted now is not taken for the old one."""
    with storage(folder):
        (folder / MANIFEST).unlink(missing_ok=True)


@contextlib.contextmanager
def scratch(folder: Path) -> Iterator[Path]:
    """A folder in ``folder`` for what is being made: what lies there stays until :func:`adopt`, whatever goes wrong.

    It is removed at the end, and so is that of a run that was killed. One process at a time makes something in a
    folder: it holds the folder's lock, or that of one above.

    Raises:
        StorageError: the folder cannot be written.
    """
    new = make_folder(folder) / _NEW
    _remove(new)
    make_folder(new)
    try:
        yield new
    finally:
        _remove(new)


def adopt(folder: Path, new: Path, stage: str, key: str, files: tuple[str, ...], facts: Mapping[str, Any]) -> Manifest:
    """Puts finished files in the place of those of before, and writes the manifest.

    Args:
        new: the folder that they lie in, on the same disk.

    Raises:
        StorageError: the folder cannot be written.
    """
    forget(folder)
    with storage(folder):
        for name in files:
            (new / name).replace(folder / name)
    return save(folder, stage, key, files, facts)


def _remove(folder: Path) -> None:
    with storage(folder), contextlib.suppress(FileNotFoundError):
        shutil.rmtree(folder)


def make_folder(folder: Path) -> Path:
    """Creates a folder and its parents.

    Raises:
        StorageError: it cannot be created.
    """
    with storage(folder):
        folder.mkdir(parents=True, exist_ok=True)
    return folder


def refuse_unwritable(path: Path) -> None:
    """Sees that a file can be written, before anything is done for what is to be in it; leaves all as it is.

    Raises:
        StorageError: it is a folder, a pipe or a device, its folder cannot be made, or it must not be written.
    """
    if path.is_dir():
        raise StorageError(f"cannot write {path}: it is a folder", hint="name a file in it")
    if path.exists() and not path.is_file():  # a file would take its place
        raise StorageError(f"cannot write {path}: it is a pipe or a device", hint="name a file")
    if not path.parent.is_dir():
        refuse_unwritable_folder(path.parent)
        return
    there = path.exists() or path.is_symlink()
    try:
        # Without touching what the file has.
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_NONBLOCK | os.O_CLOEXEC, 0o644))
        if not there:
            path.unlink()
    except OSError as error:
        raise StorageError(
            f"cannot write {path}: {error.strerror}", hint="look at its rights, or name another file"
        ) from error


def refuse_unwritable_folder(folder: Path, names: Iterable[str] = ()) -> None:
    """Sees that files can be made in a folder, or in the nearest one above it that is there.

    Args:
        folder: need not be there yet.
        names: of the files.

    Raises:
        StorageError: they cannot.
    """
    there = folder
    while not (there.exists() or there.is_symlink()) and there != there.parent:
        there = there.parent
    if not there.is_dir():
        raise StorageError(
            f"cannot write below {folder}: {there} is no folder", hint="name another one, such as with --build-dir"
        )
    if not os.access(there, os.W_OK | os.X_OK):
        raise StorageError(
            f"cannot write below {folder}: {there} must not be written",
            hint="look at its rights, or name another one, such as with --build-dir",
        )
    for name in names:
        if (folder / name).is_dir():
            raise StorageError(
                f"cannot write {folder / name}: it is a folder",
                hint="remove it, or choose another folder with --build-dir",
            )


def write_bytes(path: Path, data: bytes) -> None:
    """Writes a file whole or not at all (temporary file, then rename).

    Raises:
        StorageError: the disk is full, or the folder cannot be written.
    """
    make_folder(path.parent)
    with storage(path):
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        temporary = Path(name)
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(data)
            temporary.chmod(0o644)
            temporary.replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise


def write_text(path: Path, text: str) -> None:
    """Writes a UTF-8 text file whole or not at all; what UTF-8 cannot carry is written out.

    Raises:
        StorageError: the disk is full, or the folder cannot be written.
    """
    write_bytes(path, text.encode(errors="backslashreplace"))


def write_json(path: Path, value: object) -> None:
    """Writes a value of plain data classes as indented JSON, whole or not at all.

    Raises:
        StorageError: the disk is full, or the folder cannot be written.
    """
    write_bytes(path, msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n")
