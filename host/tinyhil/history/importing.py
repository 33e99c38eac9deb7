"""Runs of before, and of CI: from report.json files, from records, and from folders and archives with such in them."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

import msgspec

from tinyhil import kinds
from tinyhil.artifacts import foreign
from tinyhil.errors import ConfigError, InputError
from tinyhil.history import record
from tinyhil.history.context import Context
from tinyhil.history.record import Record
from tinyhil.report import files

MOST_BYTES = 1 << 26
"""Of a report: far more than any has."""


@dataclass
class Found:
    """What some paths have.

    Attributes:
        records: with the name of the file that each is from.
        refused: why a file was left out, by its name.
    """

    records: list[tuple[Record, str]] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)


def find(paths: list[Path], commit: str = "", branch: str = "") -> Found:
    """Reads what there is in some files and folders.

    Args:
        paths: report.json files, records (``*.run.json.gz``), archives (.zip) of CI artifacts, or folders, which are
            searched for all of them.
        commit: of runs whose files do not say it: those of a report.json.
        branch: likewise.

    Raises:
        ConfigError: a path leads nowhere, or to nothing of the kind; of a file in a folder that is said in ``refused``.
    """
    found = Found()
    for path in paths:
        if path.is_dir():
            for each in _below(path):
                try:
                    found.records += _read(each, commit, branch)
                except InputError as error:
                    found.refused[str(each)] = error.message
        elif path.exists():
            found.records += _read(path, commit, branch)
        else:
            raise ConfigError(f"there is no {path}", hint="name report.json files, or a folder with such in it")
    # Records first: they know the commit, and a report.json of the same run does not.
    found.records.sort(key=lambda one: not one[0].context.commit)
    return found


def _below(folder: Path) -> Iterator[Path]:
    yield from sorted(
        path
        for path in folder.rglob("*")
        if path.name == files.JSON or (path.name.endswith((record.SUFFIX, ".zip")) and path.is_file())
    )


def _read(path: Path, commit: str, branch: str) -> list[tuple[Record, str]]:
    if path.name.endswith(record.SUFFIX):
        return [(record.read(path), str(path))]
    if path.suffix == ".zip":
        return list(_of_archive(path, commit, branch))
    with foreign.reading(path, "a report of a run", _refusal):
        content, modified = path.read_bytes(), datetime.fromtimestamp(int(path.stat().st_mtime), UTC)
        beside = path.with_name(files.XML)
        junit = beside.read_bytes() if path.name == files.JSON and beside.is_file() else b""
        context = Context(began=modified, commit=commit, branch=branch)
    return [_of_report(content, str(path), junit, context)]


def _of_archive(path: Path, commit: str, branch: str) -> Iterator[tuple[Record, str]]:
    with foreign.reading(path, "an archive of CI artifacts", _refusal), zipfile.ZipFile(path) as archive:
        members = {member.filename: member for member in archive.infolist()}
        for name, member in sorted(members.items()):
            if PurePosixPath(name).name != files.JSON:
                continue
            content, shown = _of_member(archive, member), f"{path}/{name}"
            beside = members.get(str(PurePosixPath(name).with_name(files.XML)))
            junit = b"" if beside is None else _of_member(archive, beside)
            modified = datetime(*member.date_time, tzinfo=UTC)  # it has no zone
            yield _of_report(content, shown, junit, Context(began=modified, commit=commit, branch=branch))


def _of_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    with archive.open(member) as stream:
        content = stream.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise _refusal(f"{archive.filename}/{member.filename} has more than {MOST_BYTES:,} bytes")
    return content


def _of_report(content: bytes, name: str, junit: bytes, context: Context) -> tuple[Record, str]:
    """A report.json as a record: its time is that of the JUnit file beside it, or else of the file."""
    with foreign.reading(name, "a report of a run", _refusal):
        text, took = content.decode(), files.time_of(junit)
        if took is not None:
            context = msgspec.structs.replace(context, began=took.began, seconds=took.seconds)
    files.from_json(text, name)  # raises
    return Record(context=context, report=text), name


def _refusal(message: str) -> ConfigError:
    return ConfigError(
        message, hint="name report.json files, records, archives, or a folder with such", kind=kinds.OTHER_VERSION
    )
