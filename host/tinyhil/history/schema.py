"""The version of a database's tables: an old one is migrated, a newer one refused. Alembic is imported only here."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text

from tinyhil import kinds
from tinyhil.errors import StorageError
from tinyhil.history.models import METADATA, REVISION, REVISION_TABLE

if TYPE_CHECKING:
    from alembic.config import Config

_OURS = frozenset(METADATA.tables)


def revision(connection: Connection) -> str:
    """The revision of a database; empty where it has no tables yet.

    Raises:
        StorageError: it has tables of something else.
    """
    names = set(inspect(connection).get_table_names())
    if REVISION_TABLE in names:
        found = connection.execute(text(f"SELECT version_num FROM {REVISION_TABLE}")).scalar()
        return str(found or "")
    if names & _OURS or (names and connection.dialect.name == "sqlite"):
        raise StorageError(
            f"the database has tables of something else: {', '.join(sorted(names)[:5])}",
            hint="name another file with TINYHIL_HISTORY",
            kind=kinds.HISTORY,
        )
    return ""


def migrate(connection: Connection, to: str = REVISION) -> None:
    """Brings the tables to a revision: up, or down where ``to`` is an older one or ``base``.

    Args:
        connection: in a transaction, which is the caller's to commit.

    Raises:
        StorageError: the database is of a newer version.
    """
    from alembic import command

    config = _config(connection)
    now = revision(connection)
    if now and now not in _known(config):
        raise newer(now)
    if now and (to == "base" or now > to):
        command.downgrade(config, to)
    else:
        command.upgrade(config, to)


def newer(found: str) -> StorageError:
    """The error of a database that a newer version has written."""
    return StorageError(
        f"the history was written by a newer version of tinyhil: its tables are of revision {found}, "
        f"this version knows {REVISION}",
        hint="update tinyhil, or name another history with TINYHIL_HISTORY",
        kind=kinds.NEWER_HISTORY,
    )


def _config(connection: Connection) -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _known(config: Config) -> set[str]:
    from alembic.script import ScriptDirectory

    return {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
