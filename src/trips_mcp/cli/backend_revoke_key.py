"""The command `trips-mcp backend revoke-key`, for keys that were lost or stolen.

The key itself is read from stdin: every user of the machine can read an argument, and it stays in the
shell's history.
"""

from argparse import ArgumentParser, Namespace
from functools import partial
from getpass import getpass

from trips_mcp.cli.command import Command, CommandError, run_async, standard_input
from trips_mcp.cli.environment import database_of
from trips_mcp.cli.output import say
from trips_mcp.cli.setting_flags import add_database_flag

_STDIN = "-"
_BEGINS = "osk_"
"""The prefix of every key. No id has it."""


def _flags(parser: ArgumentParser) -> None:
    parser.add_argument(
        "key", metavar="ID", help="its id, as trips-mcp backend keys lists it; - reads the key itself from stdin"
    )
    add_database_flag(parser)


def _run(arguments: Namespace) -> int:
    from trips_mcp.backend import DatabaseError, revoke_key

    named: str = arguments.key.strip()
    if not named or named.startswith(_BEGINS):
        raise CommandError(
            "expected the id of a key, as trips-mcp backend keys lists it, or - and the key itself on stdin."
        )
    database = database_of(arguments.database)
    which = {"secret": _of_stdin()} if named == _STDIN else {"key_id": named}
    try:
        revoked = run_async(partial(revoke_key, database, **which))
    except DatabaseError as error:
        raise CommandError(str(error)) from None
    if revoked is None:
        raise CommandError("the database has no such key; trips-mcp backend keys lists those it has.")
    say(f"{revoked.id}, a key of {revoked.user}, is revoked: from now on it opens nothing.")
    return 0


def _of_stdin() -> str:
    stdin = standard_input()
    key = (getpass("The key: ") if stdin.isatty() else stdin.readline()).strip()
    if not key:
        raise CommandError("stdin is empty; pass the key there.")
    return key


BACKEND_REVOKE_KEY = Command(
    words="backend revoke-key", summary="revoke a key, effective at once", flags=_flags, run=_run
)
