"""What Alembic runs to migrate: on the connection, and in the transaction, of ``tinyhil.history.schema``."""

from __future__ import annotations

from alembic import context

from tinyhil.history.models import METADATA, REVISION_TABLE

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    version_table=REVISION_TABLE,
)
context.run_migrations()
