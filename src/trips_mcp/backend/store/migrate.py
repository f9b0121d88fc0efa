"""Alembic migrations on one connection, in the caller's transaction.

A migration that fails changes nothing. Import this module only if a migration is due: Alembic takes 0.3 seconds.
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
    """Upgrades to the newest revision, from the stored one, or from `since` if none is stored."""
    config = configured(schema, db)
    if since is not None:
        command.stamp(config, since)
    command.upgrade(config, schema.newest)


def configured(schema: Schema, db: Connection | None = None) -> Config:
    """Alembic's configuration in place of `alembic.ini`; env.py reads the connection and tables from it."""
    config = Config(attributes={"connection": db, "metadata": schema.metadata})
    config.set_main_option("script_location", str(schema.migrations).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
