"""Where the history is: a database, and a folder of records that it has not taken in yet."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from tinyhil.errors import ConfigError

VARIABLE = "TINYHIL_HISTORY"
"""Of the environment: the file of the database, the URL of a server, or ``off``."""
OFF = "off"
FOLDER = Path(".tinyhil")
"""In the folder in which tinyhil is called, as ``build`` is."""
DATABASE = "history.db"
RECORDS = ".records"

_SQLITE = "sqlite:///"
_POSTGRESQL = re.compile(r"postgres(ql)?(\+psycopg)?://", re.IGNORECASE)
_PASSWORD = re.compile(r"(://[^/@:]*):.*@")


@dataclass(frozen=True)
class Place:
    """Where the history of a project is.

    Attributes:
        database: the file of the database; None where a server has it.
        url: of the server; empty where it is a file.
        records: the folder of records that wait to be taken in.
    """

    database: Path | None
    url: str
    records: Path

    @property
    def shown(self) -> str:
        """The place for messages, without a password."""
        return str(self.database) if self.database is not None else _PASSWORD.sub(r"\1:***@", self.url)


def place() -> Place | None:
    """The place that the environment names, or the usual one; None where no history is wanted.

    Raises:
        ConfigError: the environment names a kind of database that is not known.
    """
    given = os.environ.get(VARIABLE, "")
    if given.lower() == OFF:
        return None
    if "://" in given and not given.startswith(_SQLITE):
        begin = _POSTGRESQL.match(given)
        if begin is None:
            raise ConfigError(
                f"{VARIABLE} names a database of an unknown kind: {given.partition('://')[0]}",
                hint="name a file for SQLite, or a URL that begins with postgresql://",
            )
        # The one driver that tinyhil[history] brings, whatever SQLAlchemy would take by itself.
        return Place(None, f"postgresql+psycopg://{given[begin.end() :]}", _records(FOLDER / DATABASE))
    file = Path(given.removeprefix(_SQLITE)) if given else FOLDER / DATABASE
    return Place(file, "", _records(file))


def _records(file: Path) -> Path:
    return file.with_name(f"{file.stem}{RECORDS}")
