"""Alembic's scripts, packaged so that `chevet-relay run` brings any older archive forward."""
