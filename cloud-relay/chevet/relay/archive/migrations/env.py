"""Run by Alembic: migrates over the connection that the database hands in."""

from alembic import context

from chevet.relay.archive.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
