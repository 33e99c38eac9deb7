"""An index that has the branch: the runs of one branch are counted without looking at the rows."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_COLUMNS = ["recipe", "target", "engine", "scheme", "began", "verdict"]
_NAME = "ix_runs_recipe_target_engine_scheme_began_verdict"


def upgrade() -> None:
    """Puts it in the place of the one without."""
    op.drop_index(_NAME, "runs")
    op.create_index(f"{_NAME}_branch", "runs", [*_COLUMNS, "branch"])


def downgrade() -> None:
    """The other way round."""
    op.drop_index(f"{_NAME}_branch", "runs")
    op.create_index(_NAME, "runs", _COLUMNS)
