"""The commands for groups: `backend members` lists and changes their members, `backend move-trip` moves a trip."""

from argparse import ArgumentParser, Namespace
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from trips_mcp.cli.backend_keys import name
from trips_mcp.cli.command import Command, CommandError, run_async
from trips_mcp.cli.output import say
from trips_mcp.cli.settings import add_database_flag, database_of

if TYPE_CHECKING:
    from trips_mcp.backend.admin import GroupMember


def _members_flags(parser: ArgumentParser) -> None:
    parser.add_argument(
        "change", nargs="?", choices=["add", "remove"], help="what to change; without it, the members are listed"
    )
    parser.add_argument("user", nargs="?", type=name, metavar="USER", help="the user's name; created if new")
    parser.add_argument("--group", type=name, metavar="NAME", help="the group (default: the one of local use)")
    parser.add_argument("--name", type=name, metavar="NAME", help="the name that others see, for the user who is added")
    add_database_flag(parser)


def _members(arguments: Namespace) -> int:
    from trips_mcp.backend import DatabaseError

    if arguments.change and not arguments.user:
        raise CommandError(f"whom to {arguments.change} is missing; name the user.")
    if arguments.name and arguments.change != "add":
        raise CommandError("--name goes with add alone; to rename a member, add them again with another one.")
    try:
        members = run_async(_changed, arguments)
    except DatabaseError as error:
        raise CommandError(str(error)) from None
    width = max(len(member.user) for member in members)
    for member in members:
        shown = f"  shown as {member.shown_name}" if member.shown_name != member.user else ""
        say(f"{member.user.ljust(width)}  {member.role}{shown}")
    return 0


def _changed(arguments: Namespace) -> "Coroutine[Any, Any, list[GroupMember]]":
    from trips_mcp.backend import add_member, list_members, remove_member

    database, group = database_of(arguments.database), arguments.group
    if arguments.change == "add":
        return add_member(database, arguments.user, group, shown_name=arguments.name)
    if arguments.change == "remove":
        return remove_member(database, arguments.user, group)
    return list_members(database, group)


BACKEND_MEMBERS = Command(
    words="backend members",
    summary="list the members of a group, add or remove one",
    flags=_members_flags,
    run=_members,
)


def _move_flags(parser: ArgumentParser) -> None:
    parser.add_argument("trip", metavar="TRIP", help="the trip's id")
    parser.add_argument("--group", type=name, metavar="NAME", required=True, help="a group that the trip's owner is in")
    add_database_flag(parser)


def _move(arguments: Namespace) -> int:
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
    words="backend move-trip", summary="move a trip to another group of its owner", flags=_move_flags, run=_move
)
