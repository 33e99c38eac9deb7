"""Runs, their figures, and their reports."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_SHA256 = sa.String(64)


def upgrade() -> None:
    """Makes the tables."""
    op.create_table(
        "reports",
        sa.Column("sha256", _SHA256, nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name="pk_reports"),
    )
    op.create_table(
        "runs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", _SHA256, nullable=False),
        sa.Column("began", sa.DateTime(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=True),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("commit", _SHA256, nullable=False),
        sa.Column("branch", sa.Text(), nullable=False),
        sa.Column("dirty", sa.Boolean(), nullable=True),
        sa.Column("verdict", sa.String(16), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("recipe", "target", "engine", "scheme", "kernels")),
        sa.Column("blocked_id", sa.String(16), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("tool_versions", sa.JSON(), nullable=False),
        sa.Column("digest", _SHA256, nullable=False),
        *(
            sa.Column(f"{name}_sha256", _SHA256, nullable=False)
            for name in ("source", "samples", "model", "project", "firmware", "report")
        ),
        sa.PrimaryKeyConstraint("id", name="pk_runs"),
        sa.UniqueConstraint("key", name="uq_runs_key"),
        sa.ForeignKeyConstraint(["report_sha256"], ["reports.sha256"], name="fk_runs_report_sha256_reports"),
    )
    op.create_index(
        "ix_runs_recipe_target_engine_scheme_began_verdict",
        "runs",
        ["recipe", "target", "engine", "scheme", "began", "verdict"],
    )
    op.create_index("ix_runs_digest_began", "runs", ["digest", "began"])
    op.create_index("ix_runs_commit", "runs", ["commit"])
    op.create_table(
        "figures",
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("value", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "name", name="pk_figures"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_figures_run_id_runs", ondelete="CASCADE"),
    )


def downgrade() -> None:
    """Removes them."""
    for name in ("figures", "runs", "reports"):
        op.drop_table(name)
