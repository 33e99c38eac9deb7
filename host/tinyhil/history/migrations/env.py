"""What Alembic runs to migrate: on the connection, and in the transaction, of ``tinyhil.history.schema``."""

from __future__ import annotations

from alembic import context

from tinyhil.history.models import REVISION_TABLE, Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    version_table=REVISION_TABLE,
)
context.run_migrations()
