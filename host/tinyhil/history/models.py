"""The tables of the history. ``migrations`` makes them; a test holds the two against each other."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, Boolean, DateTime, Double, ForeignKey, Index, Integer, LargeBinary, MetaData, String, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

REVISION = "0002"
"""Of the migrations: the tables below."""
REVISION_TABLE = "tinyhil_revision"
"""Not Alembic's usual name: a team's database may have tables of other programs, with a revision of their own."""
_SHA256 = String(64)


class Base(DeclarativeBase):
    """What the tables have in common."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class StoredReport(Base):
    """A ``report.json``: the same one is kept once.

    Attributes:
        sha256: of its text.
        content: the text, as zlib packs it.
    """

    __tablename__ = "reports"

    sha256: Mapped[str] = mapped_column(_SHA256, primary_key=True)
    content: Mapped[bytes] = mapped_column(LargeBinary)


class StoredRun(Base):
    """One run: what it was of, where and when, and what came of it. Empty texts stand for what nobody knows.

    Attributes:
        key: tells runs apart (``tinyhil.history.record.key``).
        began: in UTC, without a zone.
        digest: of the verdict.
        blocked_id: of the kind of error that blocked it; empty for others.
        tool_versions: by tool, as in the report.
        board: serial number of the board's USB device, or its port; empty where nobody knows, None for no board.
        repeated: how often something was done again (``tinyhil.artifacts.retries``); None where nobody knows.
    """

    __tablename__ = "runs"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(_SHA256, unique=True)
    began: Mapped[datetime] = mapped_column(DateTime)
    seconds: Mapped[float | None] = mapped_column(Double)
    host: Mapped[str] = mapped_column(Text)
    commit: Mapped[str] = mapped_column(_SHA256)
    branch: Mapped[str] = mapped_column(Text)
    dirty: Mapped[bool | None] = mapped_column(Boolean)
    verdict: Mapped[str] = mapped_column(String(16))
    recipe: Mapped[str] = mapped_column(Text)
    target: Mapped[str] = mapped_column(Text)
    engine: Mapped[str] = mapped_column(Text)
    scheme: Mapped[str] = mapped_column(Text)
    kernels: Mapped[str] = mapped_column(Text)
    blocked_id: Mapped[str] = mapped_column(String(16))
    made_by: Mapped[str] = mapped_column(Text)
    tool_versions: Mapped[dict[str, str]] = mapped_column(JSON)
    digest: Mapped[str] = mapped_column(_SHA256)
    source_sha256: Mapped[str] = mapped_column(_SHA256)
    samples_sha256: Mapped[str] = mapped_column(_SHA256)
    model_sha256: Mapped[str] = mapped_column(_SHA256)
    project_sha256: Mapped[str] = mapped_column(_SHA256)
    firmware_sha256: Mapped[str] = mapped_column(_SHA256)
    report_sha256: Mapped[str] = mapped_column(_SHA256, ForeignKey("reports.sha256"))
    board: Mapped[str | None] = mapped_column(Text)
    repeated: Mapped[int | None] = mapped_column(Integer)

    __table_args__ = (
        Index(None, "recipe", "target", "engine", "scheme", "began", "verdict"),
        Index(None, "digest", "began"),
        Index(None, "commit"),
        Index(None, "board"),
    )


class StoredFigure(Base):
    """One figure of a run: a new metric is a new name, and needs no new column."""

    __tablename__ = "figures"

    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    value: Mapped[float] = mapped_column(Double)
