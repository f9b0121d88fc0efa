"""The command `trips-mcp backend create-key`, which creates an API key in the database."""

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from functools import partial
from typing import TYPE_CHECKING

from trips_mcp.cli.command import Command, CommandError, run_async
from trips_mcp.cli.environment import database_of
from trips_mcp.cli.output import remark, say
from trips_mcp.cli.setting_flags import add_database_flag

if TYPE_CHECKING:
    from trips_mcp.scopes import Scope

_LONGEST_NAME = 200


def _flags(parser: ArgumentParser) -> None:
    parser.add_argument(
        "scopes",
        nargs="+",
        metavar="SCOPE",
        help="trips:read, trips:write, messages:read or messages:write, each with or without :<tripId>",
    )
    add_database_flag(parser)
    parser.add_argument(
        "--user", type=name, default="owner", help="the key's user; created if new (default: %(default)s)"
    )
    parser.add_argument(
        "--group",
        type=name,
        metavar="NAME",
        help="a group that the user joins; created if new (default: one of their own)",
    )
    parser.add_argument("--label", type=name, metavar="TEXT", help="what the key is for; `backend keys` shows it")


def name(text: str) -> str:
    if text.strip() and text.isprintable() and len(text) <= _LONGEST_NAME:
        return text
    raise ArgumentTypeError(f"not a name, expected 1 to {_LONGEST_NAME} printable characters")


def _run(arguments: Namespace) -> int:
    from trips_mcp.backend import DatabaseError, make_key

    database = database_of(arguments.database)
    scopes = [_scope(text) for text in arguments.scopes]
    make = partial(make_key, database, scopes, user=arguments.user, group=arguments.group, label=arguments.label)
    try:
        made = run_async(make)
    except DatabaseError as error:
        raise CommandError(str(error)) from None
    remark(f"Made {made.id} for {arguments.user}: {' '.join(map(str, scopes))}. By this id it is listed and revoked.")
    remark("The key itself is shown this once; keep it safe.")
    say(made.secret)
    return 0


def _scope(text: str) -> "Scope":
    from trips_mcp.scopes import Scope

    try:
        return Scope.parse(text)
    except ValueError as error:
        raise CommandError(str(error)) from None


BACKEND_CREATE_KEY = Command(
    words="backend create-key", summary="create a key for the backend's APIs", flags=_flags, run=_run
)
