"""The commands that administer the backend's database: its keys, its groups, its tables.

A key to revoke is read from stdin, because every user of the machine can read an argument, and it stays in the
shell's history. The database has only hashes of keys. PostgreSQL's tables are changed by `backend migrate` alone.
"""

import json
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Coroutine, Iterator, Sequence
from functools import partial
from getpass import getpass
from typing import TYPE_CHECKING, Any

from trips_mcp.cli.command import Command, CommandError, run_async, standard_input
from trips_mcp.cli.output import remark, say
from trips_mcp.cli.settings import add_database_flag, database_of

if TYPE_CHECKING:
    from trips_mcp.backend.admin import GroupMember
    from trips_mcp.backend.callers import HeldKey
    from trips_mcp.backend.store.schema import Opened
    from trips_mcp.scopes import Scope


_LONGEST_NAME = 200


def _create_flags(parser: ArgumentParser) -> None:
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


def _create(arguments: Namespace) -> int:
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
    words="backend create-key", summary="create a key for the backend's APIs", flags=_create_flags, run=_create
)


_HEAD = ("ID", "USER", "GROUP", "LABEL", "MADE AT", "LAST USE", "SCOPES")


def _list_flags(parser: ArgumentParser) -> None:
    add_database_flag(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")


def _list(arguments: Namespace) -> int:
    from trips_mcp.backend import DatabaseError, list_keys

    try:
        held = run_async(list_keys, database_of(arguments.database))
    except DatabaseError as error:
        raise CommandError(str(error)) from None
    if arguments.json:
        say(json.dumps([_as_json(key) for key in held], indent=2, ensure_ascii=False))
    elif held:
        for line in _table(held):
            say(line)
    else:
        remark("There are no keys; trips-mcp backend create-key makes one.")
    return 0


def _as_json(key: "HeldKey") -> dict[str, object]:
    return {
        "id": key.id,
        "user": key.user,
        "group": key.group,
        "label": key.label,
        "scopes": list(key.scopes),
        "createdAt": key.created_at,
        "lastUsedAt": key.last_used_at,
    }


def _table(held: "Sequence[HeldKey]") -> Iterator[str]:
    rows = [_HEAD, *map(_row, held)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD) - 1)]
    for *cells, scopes in rows:
        yield "  ".join([*(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)), scopes])


def _row(key: "HeldKey") -> tuple[str, ...]:
    used = key.last_used_at or "never"
    return key.id, key.user, key.group or "-", key.label or "-", key.created_at, used, " ".join(key.scopes)


BACKEND_KEYS = Command(words="backend keys", summary="list the keys and their users", flags=_list_flags, run=_list)


_STDIN = "-"
_BEGINS = "osk_"
"""The prefix of every key. No id has it."""


def _revoke_flags(parser: ArgumentParser) -> None:
    parser.add_argument(
        "key", metavar="ID", help="its id, as trips-mcp backend keys lists it; - reads the key itself from stdin"
    )
    add_database_flag(parser)


def _revoke(arguments: Namespace) -> int:
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
    words="backend revoke-key", summary="revoke a key, effective at once", flags=_revoke_flags, run=_revoke
)


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


def _migrate_flags(parser: ArgumentParser) -> None:
    add_database_flag(parser)


def _migrate(arguments: Namespace) -> int:
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
    flags=_migrate_flags,
    run=_migrate,
)
