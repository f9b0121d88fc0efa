"""The command `trips-mcp backend move-trip`, which moves a trip to another group of its owner."""

from argparse import ArgumentParser, Namespace

from trips_mcp.cli.backend_create_key import name
from trips_mcp.cli.command import Command, CommandError, run_async
from trips_mcp.cli.environment import database_of
from trips_mcp.cli.output import say
from trips_mcp.cli.setting_flags import add_database_flag


def _flags(parser: ArgumentParser) -> None:
    parser.add_argument("trip", metavar="TRIP", help="the trip's id")
    parser.add_argument("--group", type=name, metavar="NAME", required=True, help="a group that the trip's owner is in")
    add_database_flag(parser)


def _run(arguments: Namespace) -> int:
    from trips_mcp.backend import DatabaseError, move_trip

    try:
        moved = run_async(move_trip, database_of(arguments.database), arguments.trip, arguments.group)
    except DatabaseError as error:
        raise CommandError(str(error)) from None
    say(f"{moved.title} is now in {moved.group}: its members can read and change it, others no longer.")
    if moved.ownerless:
        say(f"Action items of people who are not in it: {moved.ownerless}. They have no owner now.")
    return 0


BACKEND_MOVE_TRIP = Command(
    words="backend move-trip", summary="move a trip to another group of its owner", flags=_flags, run=_run
)
