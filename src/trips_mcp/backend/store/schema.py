"""The expected schema, the revision that a database stores, and the migrations between them.

A table with one row has the revision of the tables; Alembic updates it (migrations/). One query tells whether it is
the newest, so a start does not import Alembic, which takes 0.3 seconds.
"""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import Column, Connection, MetaData, String, Table, insert, select

from trips_mcp.backend.store import DatabaseError
from trips_mcp.backend.store.tables import metadata

if TYPE_CHECKING:
    from alembic.config import Config

LOG = logging.getLogger("trips_mcp.backend")

REVISIONS: Final = "schema_version"
"""The table's name. Before Alembic its column was a number called `version`."""
REVISION: Final = "version_num"
"""Its column, as Alembic names it."""

_held = Table(REVISIONS, MetaData(), Column(REVISION, String(32), primary_key=True))


@dataclass(frozen=True, slots=True)
class Schema:
    metadata: MetaData
    migrations: Path
    """The folder with Alembic's scripts."""
    newest: str
    """The last revision in that folder. Its tables are those of `metadata`."""


SCHEMA: Final = Schema(metadata, Path(__file__).with_name("migrations"), "0002")


@dataclass(frozen=True, slots=True)
class Opened:
    """The result of creating, checking or migrating the tables."""

    shown: str
    before: str | None
    """The previous revision; None if there were no tables."""
    after: str
    copy: Path | None = None
    """The backup of the file, if it was migrated."""


def make_tables(db: Connection, schema: Schema, shown: str) -> Opened:
    """Creates all tables of the newest revision at once, in an empty database."""
    schema.metadata.create_all(db)
    _held.create(db)
    db.execute(insert(_held).values({REVISION: schema.newest}))
    return Opened(shown, None, schema.newest)


def held_revision(db: Connection, shown: str) -> str:
    """Raises: DatabaseError."""
    return the_only(list(db.execute(select(_held.c[REVISION])).scalars()), shown)


def the_only(revisions: list[str], shown: str) -> str:
    """Raises: DatabaseError."""
    if len(revisions) != 1:
        raise DatabaseError(f"{shown} is damaged: it does not say its version. Restore a backup of it.")
    return revisions[0]


def newer(shown: str, found: str, schema: Schema) -> DatabaseError:
    return DatabaseError(
        f"{shown} was written by a newer trips-mcp (database version {found}; this one knows "
        f"{schema.newest}); update trips-mcp or name another database."
    )


def not_migrated(shown: str, found: str | None, schema: Schema, why: Exception) -> DatabaseError:
    reason = " ".join(str(getattr(why, "orig", None) or why).split())
    LOG.error("the migration of %s broke: %s: %s", shown, type(why).__name__, reason)
    return DatabaseError(
        f"{shown} could not be migrated from version {found or 'none'} to {schema.newest} and is as it was; "
        "the log has the reason."
    )


def knows(schema: Schema, revision: str) -> bool:
    """Whether there is a migration from this revision."""
    from alembic.script import ScriptDirectory

    scripts = ScriptDirectory.from_config(configured(schema))
    return any(script.revision == revision for script in scripts.walk_revisions())


def upgrade(db: Connection, schema: Schema, *, since: str | None = None) -> None:
    """Upgrades to the newest revision, from the stored one, or from `since` if none is stored.

    In the caller's transaction: a migration that fails changes nothing.
    """
    from alembic import command

    config = configured(schema, db)
    if since is not None:
        command.stamp(config, since)
    command.upgrade(config, schema.newest)


def configured(schema: Schema, db: Connection | None = None) -> "Config":
    """Alembic's configuration in place of `alembic.ini`; env.py reads the connection and tables from it."""
    from alembic.config import Config

    config = Config(attributes={"connection": db, "metadata": schema.metadata})
    config.set_main_option("script_location", str(schema.migrations).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
