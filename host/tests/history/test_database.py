"""The database: what is taken in, once; the tables of every version; and every way in which it cannot be used."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from tinyhil import kinds
from tinyhil.compare import metrics
from tinyhil.errors import ConfigError, StorageError
from tinyhil.history import database, record, schema
from tinyhil.history.models import FIGURES, METADATA, REPORTS, REVISION, REVISION_TABLE, RUNS
from tinyhil.history.place import Place

from . import made


def leave(place: Place, *numbers: int, **changed: Any) -> None:
    for number in numbers:
        record.leave(made.report(flash=made.FLASH + number), made.context(number, **changed), place.records)


def count(place: Place, table: sa.Table = RUNS) -> int:
    with database.opened(place) as history, history.reading() as connection:
        return connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()


def test_what_runs_have_left_is_taken_in_once_and_whole(any_place: Place) -> None:
    leave(any_place, 0, 1)
    record.leave(made.blocked(), made.context(2), any_place.records)
    with database.opened(any_place) as history:
        assert (history.taken_in.new, history.taken_in.refused) == (3, {})
        assert list(record.waiting(any_place.records)) == []
        with history.reading() as connection:
            first, _, last = connection.execute(sa.select(RUNS).order_by(RUNS.c.began)).all()
            of_first = sa.select(FIGURES).where(FIGURES.c.run_id == first.id)
            values = {row.name: row.value for row in connection.execute(of_first)}
    assert values == metrics.figures(made.report())
    assert (first.recipe, first.target, first.engine, first.scheme) == ("tiny", "qemu-m4", "compiled", "int8")
    assert (first.commit, first.branch, first.dirty, first.host) == (made.COMMITS[0], "main", False, "box")
    assert (first.began, first.seconds) == (made.NOON.replace(tzinfo=None), 1.5)
    assert first.tool_versions == made.report().tool_versions
    assert (last.verdict, last.blocked_id, last.scheme) == ("blocked", "TH-320", "")


def test_the_report_itself_is_kept_by_its_hash_and_once(any_place: Place) -> None:
    leave(any_place, 0)
    record.leave(made.report(), made.context(1), any_place.records)
    assert (count(any_place), count(any_place, REPORTS)) == (2, 1)


def test_a_run_that_is_there_is_not_taken_in_again(any_place: Place) -> None:
    report, known = made.report(), made.context()
    again = [made.context(), made.context(began=known.began.replace(microsecond=0)), made.context(commit="", branch="")]
    others = [made.context(began=known.began + timedelta(seconds=2)), made.context(commit=made.COMMITS[1])]
    with database.opened(any_place) as history:
        for context in (known, *again, *others):
            taken = history.add([(record.of_report(report, context), "given")])
            assert (taken.new, taken.known) == ((1, 0) if context is known or context in others else (0, 1)), context
    assert count(any_place) == 3


def test_a_run_without_its_commit_is_completed(any_place: Place) -> None:
    bare = made.context(commit="", branch="", dirty=None)
    with database.opened(any_place) as history:
        history.add([(record.of_report(made.report(), bare), "given")])
        taken = history.add([(record.of_report(made.report(), made.context()), "given")])
        assert (taken.new, taken.completed) == (0, 1)
        with history.reading() as connection:
            (found,) = connection.execute(sa.select(RUNS)).all()
    assert (found.commit, found.branch, found.dirty) == (made.COMMITS[0], "main", False)
    assert found.key == record.key(made.report(), made.context())


def test_texts_that_a_database_cannot_hold_are_written_out(any_place: Place) -> None:
    report = made.report(tool_versions={"gcc\x00": "12\ud800"}, recipe="t\x00ny")
    record.leave(report, made.context(branch="a\x00b"), any_place.records)
    with database.opened(any_place) as history, history.reading() as connection:
        found = connection.execute(sa.select(RUNS)).one()
    assert (found.recipe, found.branch) == ("t\\x00ny", "a\\x00b")


def test_a_url_that_is_none_is_refused_without_its_password(tmp_path: Path) -> None:
    place = Place(None, "postgresql+psycopg://u:secret@h:port/d", tmp_path)
    with pytest.raises(ConfigError) as caught, database.opened(place):
        pass
    assert "secret" not in f"{caught.value.message} {caught.value.hint} {place.shown}"


def test_a_damaged_record_stays_where_it_is_and_is_named(place: Place) -> None:
    leave(place, 0)
    damaged = place.records / f"damaged{record.SUFFIX}"
    damaged.write_bytes(b"nothing")
    with database.opened(place) as history:
        assert history.taken_in.new == 1
        assert list(history.taken_in.refused) == [str(damaged)]
    assert list(record.waiting(place.records)) == [damaged]


def _migrated(place: Place, to: str) -> None:
    engine = database._engine(place)
    with database.writing(engine) as connection:
        schema.migrate(connection, to)
    engine.dispose()


def _are_those_of_the_models(place: Place) -> bool:
    with database.opened(place) as history, history.reading() as connection:
        context = MigrationContext.configure(
            connection, opts={"version_table": REVISION_TABLE, "compare_type": True, "compare_server_default": True}
        )
        assert compare_metadata(context, METADATA) == []
        return schema.revision(connection) == REVISION


def test_the_migrations_make_the_tables_of_the_models(any_place: Place) -> None:
    assert _are_those_of_the_models(any_place)


def test_all_migrations_run_both_ways_on_a_filled_database(any_place: Place) -> None:
    leave(any_place, 0, 1, 2, board="N1")
    assert count(any_place) == 3
    _migrated(any_place, "0001")  # what version 1 knows of the runs is still there
    engine = database._engine(any_place)
    with engine.begin() as connection:
        columns = {column["name"] for column in sa.inspect(connection).get_columns("runs")}
        assert connection.execute(sa.text("SELECT count(*) FROM runs")).scalar_one() == 3
    engine.dispose()
    assert columns == {column.name for column in RUNS.columns} - {"board", "repeated"}
    assert _are_those_of_the_models(any_place)  # an old one is migrated
    with database.opened(any_place) as history, history.reading() as connection:
        assert connection.execute(sa.select(RUNS.c.board)).scalars().all() == [None] * 3
        assert connection.execute(sa.select(sa.func.count()).select_from(FIGURES)).scalar_one() > 3
    _migrated(any_place, "base")
    leave(any_place, 0)
    assert count(any_place) == 1


def _newer(place: Place) -> None:
    leave(place, 0)
    with database.opened(place):
        pass
    with sqlite3.connect(str(place.database)) as connection:
        connection.execute(f"UPDATE {REVISION_TABLE} SET version_num = '9999'")
    connection.close()


def _foreign(place: Place) -> None:
    assert place.database is not None
    place.database.parent.mkdir(parents=True)
    with sqlite3.connect(place.database) as connection:
        connection.execute("CREATE TABLE others (id INTEGER)")
    connection.close()


def _no_database(place: Place) -> None:
    assert place.database is not None
    place.database.parent.mkdir(parents=True)
    place.database.write_text("this is no database, however long it is read " * 100)


@pytest.mark.parametrize(
    ("spoil", "kind"),
    [(_newer, kinds.NEWER_HISTORY), (_foreign, kinds.HISTORY), (_no_database, kinds.HISTORY)],
)
def test_what_is_no_history_of_this_version_is_refused_and_left_alone(
    place: Place, spoil: Callable[[Place], None], kind: kinds.Kind
) -> None:
    spoil(place)
    assert place.database is not None
    before = place.database.read_bytes()
    leave(place, 1)
    with pytest.raises(StorageError) as caught, database.opened(place):
        pass
    assert caught.value.kind is kind
    assert place.database.read_bytes() == before
    assert len(list(record.waiting(place.records))) == 1


def _held(place: Place) -> sqlite3.Connection:
    assert place.database is not None
    other = sqlite3.connect(place.database, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    return other


def test_a_locked_database_delays_no_run_and_loses_none(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "WAIT_SECONDS", 0)
    leave(place, 0)
    assert count(place) == 1
    other = _held(place)
    leave(place, 1)  # what a run does: it does not look at the database
    with pytest.raises(StorageError, match="locked"), database.opened(place):
        pass
    other.close()
    assert count(place) == 2


def test_a_full_database_keeps_what_waits(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    leave(place, 0)
    assert count(place) == 1
    leave(place, *range(1, 60))
    with monkeypatch.context() as patched:
        begin = database._leave_transactions_to_us

        def small(connection: Any, entry: object) -> None:
            begin(connection, entry)
            pages = connection.execute("PRAGMA page_count").fetchone()[0]
            connection.execute(f"PRAGMA max_page_count = {pages}")  # SQLite's way to say that a disk is full

        patched.setattr(database, "_leave_transactions_to_us", small)
        with database.opened(place) as history:
            assert "full" in str(history.taken_in.refused)
    assert len(list(record.waiting(place.records))) == 59
    assert count(place) == 60


def test_a_database_that_must_not_be_written_can_still_be_read(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    leave(place, 0)
    assert count(place) == 1
    leave(place, 1)

    def read_only(connection: Any, _: object) -> None:
        connection.isolation_level = None
        connection.execute("PRAGMA query_only = ON")  # root may write what is read-only to others

    monkeypatch.setattr(database, "_leave_transactions_to_us", read_only)
    with database.opened(place) as history, history.reading() as connection:
        assert "readonly" in str(history.taken_in.refused)
        assert connection.execute(sa.select(sa.func.count()).select_from(RUNS)).scalar_one() == 1


_WRITER = """
import sys
from datetime import timedelta
from pathlib import Path
from tests.history import made
from tinyhil.history import database, place, record
where, number = place.place(), int(sys.argv[1])
for each in range(500):
    context = made.context(0, began=made.NOON + timedelta(seconds=each), host=str(number), commit=str(number) * 40)
    record.leave(made.report(), context, where.records)
    if each % 100 == 99:
        with database.opened(where):
            pass
"""


@pytest.mark.long
def test_two_processes_that_write_at_once_lose_nothing(any_place: Place, child_environment: dict[str, str]) -> None:
    host = Path(__file__).parents[2]
    environment = {**child_environment, "PYTHONPATH": str(host), "TINYHIL_HISTORY": os.environ["TINYHIL_HISTORY"]}
    writers = [
        subprocess.Popen([sys.executable, "-c", _WRITER, str(number)], env=environment, cwd=Path.cwd())
        for number in (1, 2)
    ]
    assert [writer.wait() for writer in writers] == [0, 0]
    assert count(any_place) == 1000
