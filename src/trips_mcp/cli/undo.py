"""The command `trips-mcp undo [ID]`, which takes a change or a whole plan back."""

from argparse import ArgumentParser, Namespace
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from trips_mcp.cli.call import call_with, connected, offer_of
from trips_mcp.cli.command import Command, CommandError, agreed, run_async
from trips_mcp.cli.output import remark, say
from trips_mcp.cli.setting_flags import add_flags

if TYPE_CHECKING:
    from trips_mcp.server.offer import Offer
    from trips_mcp.tools.tool import Answer

_FOR_AGENTS: Final = frozenset({"apply_plan", "list_changes", "plan_changes"})
"""Tools that answers advise agents to call."""


def _flags(parser: ArgumentParser) -> None:
    parser.add_argument(
        "change", nargs="?", metavar="ID", help="a change or plan of `trips-mcp history`; the newest change unless said"
    )
    parser.add_argument("--yes", action="store_true", help="do not ask")
    add_flags(parser, "offer")


def _run(arguments: Namespace) -> int:
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


UNDO = Command(words="undo", summary="take back a change or a plan: undo [ID]", flags=_flags, run=_run)
