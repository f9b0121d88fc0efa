"""The command `trips-mcp undo [ID]`, which takes a change or a whole plan back."""

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from trips_mcp.cli.call import call_tool, offer_of
from trips_mcp.cli.command import Command, agreed, run_async
from trips_mcp.cli.output import remark, say
from trips_mcp.cli.setting_flags import add_flags

if TYPE_CHECKING:
    from trips_mcp.tools.tool import Answer


def _flags(parser: ArgumentParser) -> None:
    parser.add_argument(
        "change", nargs="?", metavar="ID", help="a change or plan of `trips-mcp history`; the newest change unless said"
    )
    parser.add_argument("--yes", action="store_true", help="do not ask")
    add_flags(parser, "offer")


def _run(arguments: Namespace) -> int:
    """Shows the plan of the undo, asks, and applies it."""
    offered = offer_of(arguments)
    given: dict[str, object] = {} if arguments.change is None else {"changeId": arguments.change}
    preview = run_async(call_tool, "plan_undo", given, offered, _show)
    plan = (preview.structured or {}).get("planId")
    if preview.is_error or plan is None:
        return 1 if preview.is_error else 0
    if not arguments.yes and not agreed("Undo this?", "nobody can be asked here; add --yes to undo it."):
        remark("Nothing was undone.")
        return 1
    applied = run_async(call_tool, "apply_plan", {"planId": plan}, offered, _show)
    return 1 if applied.is_error else 0


def _show(answer: "Answer") -> None:
    say(answer.text)


UNDO = Command(words="undo", summary="take back a change or a plan: undo [ID]", flags=_flags, run=_run)
