"""The command `trips-mcp backend keys`, which lists keys by id. The database has only their hashes."""

import json
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from trips_mcp.cli.command import Command, CommandError, run_async
from trips_mcp.cli.environment import database_of
from trips_mcp.cli.output import remark, say
from trips_mcp.cli.setting_flags import add_database_flag

if TYPE_CHECKING:
    from trips_mcp.backend.callers.users import HeldKey

_HEAD = ("ID", "USER", "GROUP", "LABEL", "MADE AT", "LAST USE", "SCOPES")


def _flags(parser: ArgumentParser) -> None:
    add_database_flag(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")


def _run(arguments: Namespace) -> int:
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


BACKEND_KEYS = Command(words="backend keys", summary="list the keys and their users", flags=_flags, run=_run)
