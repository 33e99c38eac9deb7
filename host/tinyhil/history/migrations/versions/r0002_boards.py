"""The board of a run, and how often something was done again on it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds the columns; of earlier runs nobody knows the board."""
    op.add_column("runs", sa.Column("board", sa.Text(), nullable=True))
    op.add_column("runs", sa.Column("repeated", sa.Integer(), nullable=True))
    op.create_index("ix_runs_board", "runs", ["board"])


def downgrade() -> None:
    """Removes them."""
    op.drop_index("ix_runs_board", "runs")
    op.drop_column("runs", "repeated")
    op.drop_column("runs", "board")
