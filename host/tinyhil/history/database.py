"""The database of the history: opened, migrated, and brought up to what runs have left. SQLAlchemy is imported here.

One writer at a time: SQLite's transactions are begun with the lock of the file, and PostgreSQL's take a lock of ours.
So a run is looked for and then written, in the same words for both.
"""

from __future__ import annotations

import contextlib
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import SQLAlchemyError

from tinyhil import kinds
from tinyhil.artifacts import store
from tinyhil.artifacts.foreign import first_line
from tinyhil.compare import metrics
from tinyhil.compare.digest import digest
from tinyhil.errors import ConfigError, MissingToolError, StorageError, TinyhilError
from tinyhil.history import record, schema
from tinyhil.history.context import Context
from tinyhil.history.models import FIGURES, REPORTS, REVISION, RUNS
from tinyhil.history.place import Place
from tinyhil.history.record import Record
from tinyhil.plain_text import plain

if TYPE_CHECKING:
    from tinyhil.compare.verdict import Report

WAIT_SECONDS = 10
"""How long another process may hold the database."""
CONNECT_SECONDS = 5
"""How long a server may take to answer: a run that has shown its verdict ends so much later at most."""
_BATCH = 200
"""Records that are taken in in one transaction: the lock is held for a moment."""
_LOCK = 0x74696E79
"""PostgreSQL's advisory lock of whoever writes the history."""
_WRITES = "tinyhil_writes"
_LONGEST = dict.fromkeys(("source_sha256", "samples_sha256", "model_sha256", "project_sha256", "firmware_sha256"), 64)
"""Characters that a column takes: a record from elsewhere may have any text."""
_MOST = 2**31 - 1
"""That an integer column takes."""


@dataclass
class TakenIn:
    """What became of records.

    Attributes:
        new: runs that the history did not have.
        completed: runs that it had without their commit, which is known now.
        known: runs that it had.
        refused: why a record was left where it is, by the file's name.
    """

    new: int = 0
    completed: int = 0
    known: int = 0
    refused: dict[str, str] = field(default_factory=dict)

    def count(self, more: TakenIn) -> None:
        """Adds what became of further records."""
        self.new += more.new
        self.completed += more.completed
        self.known += more.known
        self.refused |= more.refused


class Database:
    """The database, with tables of this version.

    Args:
        engine: of SQLAlchemy.
        place: where it is.
        taken_in: what became of the records that waited.
    """

    def __init__(self, engine: Engine, place: Place, taken_in: TakenIn) -> None:
        self._engine = engine
        self.place = place
        self.taken_in = taken_in

    @contextlib.contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction to read in.

        Raises:
            StorageError: the database cannot be read.
        """
        with _said(self.place), self._engine.begin() as connection:
            yield connection

    def add(self, found: Iterable[tuple[Record, str]]) -> TakenIn:
        """Takes runs in; those that are there already are not taken a second time.

        Args:
            found: records, each with the name of what it was read from.

        Raises:
            StorageError: the database cannot be written; what was taken in before stays.
        """
        taken, rest = TakenIn(), list(found)
        while rest:
            batch, rest = rest[:_BATCH], rest[_BATCH:]
            with _said(self.place), writing(self._engine) as connection:
                for one, name in batch:
                    _add(connection, one, name, taken)
        return taken


@contextlib.contextmanager
def opened(place: Place) -> Iterator[Database]:
    """The database of a place, made or migrated where needed, after it has taken in the records that wait there.

    Records that cannot be taken in because the database must not be written stay where they are: it can still be read.

    Raises:
        MissingToolError: the driver of PostgreSQL is not installed.
        StorageError: it cannot be read, is no history, or is of a newer version.
    """
    engine = _engine(place)
    try:
        found = list(record.waiting(place.records))
        with _said(place):
            _prepare(engine, place)
        database = Database(engine, place, TakenIn())
        if found:
            try:
                _take_in(database, found)
            except StorageError as error:
                database.taken_in.refused[str(place.records)] = f"{len(found)} runs wait there: {error.message}"
        yield database
    finally:
        engine.dispose()


def exists(place: Place) -> bool:
    """Whether there is a database, or something to make one of; always, where a server has it."""
    return place.database is None or place.database.exists() or any(True for _ in record.waiting(place.records))


def _prepare(engine: Engine, place: Place) -> None:
    """Sees that the tables are those of this version."""
    if place.database is not None and not place.database.exists():
        store.make_folder(place.database.parent)
    with engine.begin() as connection:
        now = schema.revision(connection)
    if now != REVISION:
        with writing(engine) as connection:
            schema.migrate(connection)


def _take_in(database: Database, paths: list[Path]) -> None:
    """Takes in the records of some files, and removes those that the database has then."""
    for start in range(0, len(paths), _BATCH):
        read: list[tuple[Record, str]] = []
        for path in paths[start : start + _BATCH]:
            try:
                read.append((record.read(path), str(path)))
            except FileNotFoundError:
                continue
            except ConfigError as error:
                database.taken_in.refused[str(path)] = error.message
        more = database.add(read)
        for _, name in read:
            if name not in more.refused:
                with store.storage(Path(name)):
                    Path(name).unlink(missing_ok=True)
        database.taken_in.count(more)


@contextlib.contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that no other writer disturbs."""
    with engine.connect().execution_options(**{_WRITES: True}) as connection, connection.begin():
        if connection.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
        yield connection


def _engine(place: Place) -> Engine:
    if place.database is not None:
        url = sa.URL.create("sqlite", database=str(place.database))
        engine = sa.create_engine(url, connect_args={"timeout": WAIT_SECONDS})
        event.listen(engine, "connect", _leave_transactions_to_us)
        event.listen(engine, "begin", _begin)
        return engine
    settings = f"-c lock_timeout={WAIT_SECONDS}s -c statement_timeout=60s"
    try:
        return sa.create_engine(place.url, connect_args={"connect_timeout": CONNECT_SECONDS, "options": settings})
    except ImportError as error:
        raise MissingToolError(
            "the driver of PostgreSQL is not installed", hint="pip install 'tinyhil[history]'"
        ) from error
    except (SQLAlchemyError, ValueError) as error:
        raise ConfigError(
            "TINYHIL_HISTORY is no URL of a database",  # what the parser says may have the password in it
            hint="write it as postgresql://USER:PASSWORD@HOST/DATABASE",
        ) from error


def _leave_transactions_to_us(connection: Any, _: object) -> None:
    connection.isolation_level = None  # Python's module would begin them late, and fail where two have read


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get(_WRITES)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextlib.contextmanager
def _said(place: Place) -> Iterator[None]:
    """Turns what goes wrong with the database into an error of ours."""
    try:
        yield
    except TinyhilError:
        raise
    except SQLAlchemyError as error:
        cause = first_line(getattr(error, "orig", None) or error)
        raise StorageError(f"the history {place.shown} cannot be used: {cause}", kind=kinds.HISTORY) from error


def _add(connection: Connection, one: Record, name: str, taken: TakenIn) -> None:
    try:
        report = one.decoded(name)
    except ConfigError as error:
        taken.refused[name] = error.message
        return
    context, found = one.context, digest(report)
    began, known = _in_utc(context.began), sa.select(RUNS.c.id, RUNS.c.began, RUNS.c.commit)
    about = RUNS.c.began.between(began - timedelta(seconds=1), began + timedelta(seconds=1))
    there = connection.execute(known.where(RUNS.c.digest == found, about)).all()
    same = [row for row in there if _same_time(row.began, began)]
    bare = next((row.id for row in same if not row.commit), None)
    if any(row.commit == context.commit for row in same) or (same and not context.commit):
        taken.known += 1
    elif bare is not None:
        values = {"key": record.key_of(found, context), **_of_git(context)}
        connection.execute(sa.update(RUNS).where(RUNS.c.id == bare).values(values))
        taken.completed += 1
    else:
        _insert(connection, one, report, found)
        taken.new += 1


def _same_time(there: datetime, other: datetime) -> bool:
    """Whether two times are one: JUnit, which reports of CI have theirs from, has whole seconds."""
    if there.microsecond and other.microsecond:
        return there == other
    return there.replace(microsecond=0) == other.replace(microsecond=0)


def _insert(connection: Connection, one: Record, report: Report, found: str) -> None:
    sha256, context = one.report_sha256, one.context
    if connection.execute(sa.select(REPORTS.c.sha256).where(REPORTS.c.sha256 == sha256)).first() is None:
        content = zlib.compress(one.report.encode())
        connection.execute(sa.insert(REPORTS).values(sha256=sha256, content=content))
    texts = ("verdict", "recipe", "target", "engine", "scheme", "kernels", "made_by", *_LONGEST)
    made = connection.execute(
        sa.insert(RUNS)
        .values(
            key=record.key_of(found, context),
            began=_in_utc(context.began),
            seconds=context.seconds,
            host=plain(context.host),
            **_of_git(context),
            **{name: plain(getattr(report, name) or "")[: _LONGEST.get(name)] for name in texts},
            blocked_id="" if report.blocked is None else plain(report.blocked.id)[:16],
            tool_versions={plain(name): plain(version) for name, version in report.tool_versions.items()},
            digest=found,
            report_sha256=sha256,
            board=None if context.board is None else plain(context.board),
            repeated=None if report.retries is None else max(0, min(report.retries.repeated, _MOST)),
        )
        .returning(RUNS.c.id)
    ).scalar_one()
    values = [{"run_id": made, "name": name, "value": value} for name, value in metrics.figures(report).items()]
    if values:
        connection.execute(sa.insert(FIGURES), values)


def _of_git(context: Context) -> dict[str, Any]:
    return {"commit": plain(context.commit)[:64], "branch": plain(context.branch), "dirty": context.dirty}


def _in_utc(when: datetime) -> datetime:
    """Without a zone, as the database has it."""
    return (when.astimezone(UTC) if when.tzinfo else when).replace(tzinfo=None)
