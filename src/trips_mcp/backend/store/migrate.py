"""Alembic, at work on one connection. Imported only where a migration is due: it takes a third of a second.

The caller's transaction is around all of it, so that a migration that fails leaves everything as it was.
"""

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from trips_mcp.backend.store.schema import Schema


def knows(schema: Schema, revision: str) -> bool:
    scripts = ScriptDirectory.from_config(configured(schema))
    return any(script.revision == revision for script in scripts.walk_revisions())


def upgrade(db: Connection, schema: Schema, *, since: str | None = None) -> None:
    """To the newest revision, from the one that the database says, or from `since` when it does not say one yet."""
    config = configured(schema, db)
    if since is not None:
        command.stamp(config, since)
    command.upgrade(config, schema.newest)


def configured(schema: Schema, db: Connection | None = None) -> Config:
    """What `alembic.ini` says elsewhere; env.py takes the connection and the tables from it."""
    config = Config(attributes={"connection": db, "metadata": schema.metadata})
    config.set_main_option("script_location", str(schema.migrations).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
