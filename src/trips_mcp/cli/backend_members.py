"""The command `trips-mcp backend members`, which lists and changes the members of a group."""

from argparse import ArgumentParser, Namespace
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from trips_mcp.cli.backend_create_key import name
from trips_mcp.cli.command import Command, CommandError, run_async
from trips_mcp.cli.environment import database_of
from trips_mcp.cli.output import say
from trips_mcp.cli.setting_flags import add_database_flag

if TYPE_CHECKING:
    from trips_mcp.backend.groups import GroupMember


def _flags(parser: ArgumentParser) -> None:
    parser.add_argument(
        "change", nargs="?", choices=["add", "remove"], help="what to change; without it, the members are listed"
    )
    parser.add_argument("user", nargs="?", type=name, metavar="USER", help="the user's name; created if new")
    parser.add_argument("--group", type=name, metavar="NAME", help="the group (default: the one of local use)")
    parser.add_argument("--name", type=name, metavar="NAME", help="the name that others see, for the user who is added")
    add_database_flag(parser)


def _run(arguments: Namespace) -> int:
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
    words="backend members", summary="list the members of a group, add or remove one", flags=_flags, run=_run
)
