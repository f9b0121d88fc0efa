"""The commands `trips-mcp history`, which lists what was changed, and `trips-mcp undo`, which takes a change back."""

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from trips_mcp.cli.call import as_json, call_tool, call_with, connected
from trips_mcp.cli.command import Command, CommandError, agreed, run_async
from trips_mcp.cli.output import Colour, Painted, is_for_a_person, remark, say
from trips_mcp.cli.settings import add_flags, offer_of

if TYPE_CHECKING:
    from trips_mcp.server.offer import Offer
    from trips_mcp.tools.tool import Answer

_KINDS: Final = {"action_item": "to-do", "map_pin": "pin", "share_token": "share link"}


def _history_flags(parser: ArgumentParser) -> None:
    parser.add_argument("--limit", type=int, metavar="N", help="show this many changes, up to 100; 20 unless said")
    parser.add_argument("--json", action="store_true", help="print the structured result, as is done into a pipe")
    add_flags(parser, "offer")


def _run_history(arguments: Namespace) -> int:
    offered = offer_of(arguments)
    if "list_changes" in offered.missing:
        raise CommandError(offered.missing["list_changes"])

    def show(answer: "Answer") -> None:
        if answer.is_error and not arguments.json:
            remark(f"trips-mcp: {answer.text}")
        elif arguments.json or not is_for_a_person():
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


HISTORY = Command(
    words="history", summary="list what was changed, newest first", flags=_history_flags, run=_run_history
)


_FOR_AGENTS: Final = frozenset({"apply_plan", "list_changes", "plan_changes"})
"""Tools that answers advise agents to call."""


def _undo_flags(parser: ArgumentParser) -> None:
    parser.add_argument(
        "change", nargs="?", metavar="ID", help="a change or plan of `trips-mcp history`; the newest change unless said"
    )
    parser.add_argument("--yes", action="store_true", help="do not ask")
    add_flags(parser, "offer")


def _run_undo(arguments: Namespace) -> int:
    offered = offer_of(arguments)
    if missing := next(
        (offered.missing[name] for name in ("plan_undo", "apply_plan") if name in offered.missing), None
    ):
        raise CommandError(missing)
    conduct = replace(offered.conduct, absent=offered.conduct.absent | _FOR_AGENTS)
    return run_async(_undo, arguments.change, replace(offered, conduct=conduct), arguments.yes)


async def _undo(change: str | None, offered: "Offer", agreed_before: bool) -> int:
    """Shows the plan of the undo, asks, and applies it with the same client. Raises: CommandError."""
    given: dict[str, object] = {} if change is None else {"changeId": change}
    async with connected(offered) as client:
        preview = await call_with(client, "plan_undo", given, offered, _show)
        plan = (preview.structured or {}).get("planId")
        if preview.is_error and change is not None:
            remark("`trips-mcp history` lists the changes.")
        if plan is None:
            return 1 if preview.is_error else 0
        if not agreed_before and not agreed("Undo this?", "nobody can be asked here; add --yes to undo it."):
            remark("Nothing was undone.")
            return 1
        applied = await call_with(client, "apply_plan", {"planId": plan}, offered, _show)
    state = (applied.structured or {}).get("state")
    if state == "unfinished":
        remark(f"`trips-mcp call apply_plan planId={plan}` makes the rest; nothing is made twice.")
    return 0 if state == "applied" else 1


def _show(answer: "Answer") -> None:
    if answer.is_error:
        remark(f"trips-mcp: {answer.text}")
    else:
        say(answer.text)


UNDO = Command(words="undo", summary="take back a change or a plan: undo [ID]", flags=_undo_flags, run=_run_undo)
