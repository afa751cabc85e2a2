"""Run by Alembic: migrates over the connection that the database hands in."""

from alembic import context

import chevet.relay.relay  # noqa: F401 - brings every module that has tables
from chevet.relay.archive.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
