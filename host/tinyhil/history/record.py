"""Records: what a run leaves for the history, a file each, until the database has taken it in.

A record appears whole or not at all, under a name of its own; so any number of processes may leave and take records at
once, without a lock. It has the text of ``report.json``: whatever is read out of it is read when it is taken in.
"""

from __future__ import annotations

import contextlib
import gzip
import io
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from tinyhil import kinds
from tinyhil.artifacts import foreign, hashing, store
from tinyhil.compare.digest import digest
from tinyhil.errors import ConfigError
from tinyhil.history.context import Context

if TYPE_CHECKING:
    from tinyhil.compare.verdict import Report

SCHEMA = 1
SUFFIX = ".run.json.gz"
MOST_BYTES = 1 << 26
"""Of a record, unpacked: far more than any report has."""
_QUICK = 1
"""Of gzip's levels: six times smaller in a millisecond."""
_IGNORED = "# Written by tinyhil: the history is of this computer.\n*\n"


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """One run.

    Attributes:
        schema: version of this format.
        context: when and where the run was carried out.
        report: the text of its ``report.json``.
    """

    schema: int = SCHEMA
    context: Context
    report: str

    @property
    def report_sha256(self) -> str:
        """SHA-256 of the report's text."""
        return hashing.of_bytes(self.report.encode())

    def decoded(self, name: str) -> Report:
        """The report.

        Args:
            name: of the file that it is from, for the error.

        Raises:
            ConfigError: it is no report of this version.
        """
        from tinyhil.report import files  # with its templates and tables: not before there is something to read

        return files.decoded(self.report, name)


def of_report(report: Report, context: Context) -> Record:
    """The record of a run."""
    from tinyhil.report import files

    return Record(context=context, report=files.to_json(report))


def key(report: Report, context: Context) -> str:
    """Tells runs apart: SHA-256 over what was found, of which commit, and when."""
    return key_of(digest(report), context)


def key_of(found: str, context: Context) -> str:
    """As ``key``, of a report's digest."""
    return hashing.of_json([found, context.commit, context.began.isoformat()])


def leave(report: Report, context: Context, folder: Path) -> Path:
    """Writes a record.

    Args:
        folder: for records; it is made, and git does not see it.

    Raises:
        StorageError: the disk is full, or the folder cannot be written.
    """
    if not folder.is_dir():
        store.make_folder(folder)
        ignore = folder.parent / ".gitignore"
        if folder.parent.name == ".tinyhil" and not ignore.exists():
            store.write_text(ignore, _IGNORED)
    path = folder / f"{context.began:%Y%m%dT%H%M%S}-{key(report, context)[:24]}{SUFFIX}"
    packed = gzip.compress(msgspec.json.encode(of_report(report, context)), _QUICK, mtime=0)
    store.write_bytes(path, packed)
    return path


def waiting(folder: Path) -> Iterator[Path]:
    """The records in a folder, in the order of their times."""
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        yield from sorted(path for path in folder.iterdir() if path.name.endswith(SUFFIX))


def read(path: Path) -> Record:
    """Reads a record.

    Raises:
        ConfigError: it is none, or damaged, or of a later version.
        FileNotFoundError: another process has taken it in.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise
    except OSError as error:
        raise _refusal(f"cannot read {path}: {error.strerror}") from error
    with foreign.reading(path, "a record of a run", _refusal):
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as stream:
            unpacked = stream.read(MOST_BYTES + 1)
        if len(unpacked) > MOST_BYTES:
            raise _refusal(f"{path} has more than {MOST_BYTES:,} bytes")
        found = msgspec.json.decode(unpacked, type=Record)
    if found.schema != SCHEMA:
        raise _refusal(f"{path} is a record of another version: schema {found.schema}, known is {SCHEMA}")
    return found


def _refusal(message: str) -> ConfigError:
    return ConfigError(message, hint="remove it, or read it with the version that wrote it", kind=kinds.OTHER_VERSION)
