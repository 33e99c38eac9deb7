"""Runs of before and of CI: the same facts as a run leaves, each run once, and nothing else taken for one."""

from __future__ import annotations

import os
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tinyhil import kinds
from tinyhil.errors import ConfigError
from tinyhil.history import database, importing, record
from tinyhil.history.models import RUNS
from tinyhil.history.place import Place
from tinyhil.report import files

from . import made

TOOK = files.Took(made.NOON, 1.5)


@pytest.fixture
def build(tmp_path: Path) -> Path:
    """A build folder with the reports of two runs, as ``tinyhil run`` writes them."""
    folder = tmp_path / "artifacts/build"
    files.write(made.report(), folder / "tiny/qemu-m4", TOOK)
    files.write(made.report(target="sim"), folder / "tiny/sim", TOOK)
    return folder


def taken(place: Place, *paths: Path, commit: str = "", branch: str = "") -> database.TakenIn:
    with database.opened(place) as history:
        return history.add(importing.find(list(paths), commit, branch).records)


def rows(place: Place) -> list[sa.Row[Any]]:
    with database.opened(place) as history, history.reading() as connection:
        return list(connection.execute(sa.select(RUNS).order_by(RUNS.c.target)).all())


def test_an_imported_run_has_the_facts_that_the_run_itself_leaves(place: Place, build: Path, tmp_path: Path) -> None:
    assert taken(place, build, commit=made.COMMITS[0], branch="main").new == 2
    (imported, _) = rows(place)
    record.leave(made.report(), made.context(began=made.NOON, seconds=1.5), tmp_path / "other.records")
    other = Place(tmp_path / "other.db", "", tmp_path / "other.records")
    (left,) = rows(other)
    apart = {name for name in left._mapping if left._mapping[name] != imported._mapping[name]}
    assert apart == {"key", "began", "host", "dirty"}  # JUnit has whole seconds; the files do not say the others
    assert imported.began == made.NOON.replace(microsecond=0, tzinfo=None)


def test_nothing_is_imported_twice(place: Place, build: Path) -> None:
    assert taken(place, build).new == 2
    assert taken(place, build / "tiny/sim/report.json").known == 1
    again = taken(place, build, commit=made.COMMITS[0])
    assert (again.new, again.completed) == (0, 2)
    assert {row.commit for row in rows(place)} == {made.COMMITS[0]}


def test_a_run_that_has_left_a_record_is_known_by_its_report(place: Place, build: Path) -> None:
    record.leave(made.report(), made.context(began=made.NOON), place.records)
    result = taken(place, build)
    assert (result.new, result.known) == (1, 1)


def test_records_and_archives_in_a_folder_are_found(place: Place, build: Path, tmp_path: Path) -> None:
    artifact = tmp_path / "artifacts/artifact.zip"
    with zipfile.ZipFile(artifact, "w") as archive:
        for path in build.rglob("*"):
            archive.write(path, path.relative_to(build))
    records = tmp_path / "artifacts/.tinyhil/history.records"
    record.leave(made.report(), made.context(began=made.NOON), records)  # the same run, with its commit
    record.leave(made.failed(), made.context(1), records)
    result = taken(place, tmp_path / "artifacts")
    assert (result.new, result.known) == (3, 3)
    assert [row.commit for row in rows(place)] == [*made.COMMITS[:2], ""]


def test_without_its_junit_file_a_run_has_the_time_of_its_report(place: Place, build: Path) -> None:
    (build / "tiny/sim/report.xml").unlink()
    os.utime(build / "tiny/sim/report.json", (1e9, 1e9))
    assert taken(place, build).new == 2
    assert [row.began for row in rows(place)][1] == datetime.fromtimestamp(1e9, UTC).replace(tzinfo=None)


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff", b"[" * 10_000, b'{"schema": 1}'])
def test_what_is_no_report_is_refused(build: Path, content: bytes) -> None:
    path = build / "tiny/sim/report.json"
    path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        importing.find([path])
    assert caught.value.kind is kinds.OTHER_VERSION
    found = importing.find([build])  # in a folder the others count
    assert len(found.records) == 1
    assert list(found.refused) == [str(path)]


def test_a_report_that_contradicts_itself_is_refused(build: Path) -> None:
    path = build / "tiny/sim/report.json"
    path.write_text(path.read_text().replace(str(made.FLASH), "-5"))
    with pytest.raises(ConfigError) as caught:
        importing.find([path])
    assert caught.value.kind is kinds.CONTRADICTORY_REPORT


@pytest.mark.parametrize("content", [b"no archive", b"PK\x03\x04 damaged"])
def test_a_damaged_archive_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "artifact.zip"
    path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        importing.find([path])
    assert caught.value.kind is kinds.OTHER_VERSION


def test_an_archive_of_a_huge_member_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "MOST_BYTES", 1000)
    path = tmp_path / "artifact.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("build/report.json", b" " * 1001)
    with pytest.raises(ConfigError, match="more than 1,000 bytes"):
        importing.find([path])


def test_a_path_that_leads_nowhere_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="nothing"):
        importing.find([tmp_path / "nothing"])
