"""The tables of the history. ``migrations`` makes them; a test holds the two against each other.

They are plain tables: SQLAlchemy's classes for rows take a tenth of a second to import and to set up.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    DateTime,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

REVISION = "0003"
"""Of the migrations: the tables below."""
REVISION_TABLE = "tinyhil_revision"
"""Not Alembic's usual name: a team's database may have tables of other programs, with a revision of their own."""
_SHA256 = String(64)

METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

REPORTS = Table(
    "reports",
    METADATA,
    Column("sha256", _SHA256, primary_key=True),
    Column("content", LargeBinary, nullable=False),
)
"""Each ``report.json``, by the sha256 of its text, as zlib packs it: the same one is kept once."""

RUNS = Table(
    "runs",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("key", _SHA256, unique=True, nullable=False),
    Column("began", DateTime, nullable=False),
    Column("seconds", Double),
    Column("host", Text, nullable=False),
    Column("commit", _SHA256, nullable=False),
    Column("branch", Text, nullable=False),
    Column("dirty", Boolean),
    Column("verdict", String(16), nullable=False),
    Column("recipe", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("engine", Text, nullable=False),
    Column("scheme", Text, nullable=False),
    Column("kernels", Text, nullable=False),
    Column("blocked_id", String(16), nullable=False),
    Column("made_by", Text, nullable=False),
    Column("tool_versions", JSON, nullable=False),
    Column("digest", _SHA256, nullable=False),
    Column("source_sha256", _SHA256, nullable=False),
    Column("samples_sha256", _SHA256, nullable=False),
    Column("model_sha256", _SHA256, nullable=False),
    Column("project_sha256", _SHA256, nullable=False),
    Column("firmware_sha256", _SHA256, nullable=False),
    Column("report_sha256", _SHA256, ForeignKey("reports.sha256"), nullable=False),
    Column("board", Text),
    Column("repeated", Integer),
    Index(None, "recipe", "target", "engine", "scheme", "began", "verdict", "branch"),
    Index(None, "digest", "began"),
    Index(None, "commit"),
    Index(None, "board"),
)
"""One run in each row: what it was of, where and when, and what came of it. Empty texts stand for what nobody knows.

- ``key`` tells runs apart (``tinyhil.history.record.key``).
- ``began`` is in UTC, without a zone.
- ``digest`` is that of the verdict.
- ``blocked_id`` is of the kind of error that blocked it; empty for others.
- ``tool_versions`` is by tool, as in the report.
- ``board`` is the serial number of the board's USB device, or its port; empty where nobody knows, None for no board.
- ``repeated`` is how often something was done again (``tinyhil.artifacts.retries``); None where nobody knows.
"""

FIGURES = Table(
    "figures",
    METADATA,
    Column("run_id", Integer, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("name", String(64), primary_key=True),
    Column("value", Double, nullable=False),
)
"""One figure of a run in each row: a new metric is a new name, and needs no new column."""
