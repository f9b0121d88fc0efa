"""The command `trips-mcp backend migrate`, which updates tables. PostgreSQL is migrated by it alone."""

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from trips_mcp.cli.command import Command, CommandError, run_async
from trips_mcp.cli.output import say
from trips_mcp.cli.settings import add_database_flag, database_of

if TYPE_CHECKING:
    from trips_mcp.backend.store.schema import Opened


def _flags(parser: ArgumentParser) -> None:
    add_database_flag(parser)


def _run(arguments: Namespace) -> int:
    from trips_mcp.backend import DatabaseError, migrate

    try:
        opened = run_async(migrate, database_of(arguments.database))
    except DatabaseError as error:
        raise CommandError(str(error)) from None
    say(_outcome(opened))
    return 0


def _outcome(opened: "Opened") -> str:
    if opened.before == opened.after:
        return f"{opened.shown} is up to date (database version {opened.after})."
    if opened.before is None:
        return f"{opened.shown} now has its tables (database version {opened.after})."
    kept = f"; as it was before, it is kept in {opened.copy}" if opened.copy else ""
    return f"{opened.shown} was migrated from database version {opened.before} to {opened.after}{kept}."


BACKEND_MIGRATE = Command(
    words="backend migrate",
    summary="create or update a database's tables (PostgreSQL needs it)",
    flags=_flags,
    run=_run,
)
