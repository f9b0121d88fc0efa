"""The command `trips-mcp history`, which lists what was changed through the servers of this user."""

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from trips_mcp.cli.call import as_json, call_tool, offer_of
from trips_mcp.cli.command import Command, CommandError, run_async
from trips_mcp.cli.output import Colour, Painted, remark, say
from trips_mcp.cli.setting_flags import add_flags

if TYPE_CHECKING:
    from trips_mcp.tools.tool import Answer

_KINDS: Final = {"action_item": "to-do", "map_pin": "pin", "share_token": "share link"}


def _flags(parser: ArgumentParser) -> None:
    parser.add_argument("--limit", type=int, metavar="N", help="show this many changes, up to 100; 20 unless said")
    parser.add_argument("--json", action="store_true", help="print the structured result, as is done into a pipe")
    add_flags(parser, "offer")


def _run(arguments: Namespace) -> int:
    offered = offer_of(arguments)
    if "list_changes" in offered.missing:
        raise CommandError(offered.missing["list_changes"])

    def show(answer: "Answer") -> None:
        if answer.is_error and not arguments.json:
            remark(f"trips-mcp: {answer.text}")
        elif arguments.json or not sys.stdout.isatty():
            say(as_json(answer))
        else:
            _show_lines(answer.structured or {})

    given: dict[str, object] = {} if arguments.limit is None else {"limit": arguments.limit}
    answer = run_async(call_tool, "list_changes", given, offered, show)
    return 1 if answer.is_error else 0


def _show_lines(page: dict[str, Any]) -> None:
    changes: list[dict[str, Any]] = page.get("items", [])
    if not changes:
        say("No changes are recorded yet.")
    widest = max((len(change["tool"]) for change in changes), default=0)
    for change in changes:
        at = datetime.fromisoformat(change["at"]).astimezone().strftime("%Y-%m-%d %H:%M")
        what = " ".join(_parts(change))
        say(Painted(change["id"], Colour.NAME), f"  {at}  {change['tool']:<{widest}}  {what}".rstrip())
    if "nextCursor" in page:
        remark("Older changes are not shown; --limit 100 shows more of them.")


def _parts(change: dict[str, Any]) -> Iterator[str]:
    """What was changed, and what became of it."""
    items: list[dict[str, Any]] = change.get("items", [])
    if items:
        kind: str = items[0]["kind"]
        title = items[0].get("title")
        yield _KINDS.get(kind, kind) + (f" “{title}”" if title else "")
    others: int = change.get("more") or 0
    more = len(items) + others - 1
    if items and more:
        yield f"and {more} more"
    if change.get("outcome") == "unknown":
        yield "(outcome unknown)"
    if change.get("undone"):
        yield "(undone)"
    if change.get("undoes"):
        yield f"(undoes {change['undoes']})"


HISTORY = Command(words="history", summary="list what was changed, newest first", flags=_flags, run=_run)
