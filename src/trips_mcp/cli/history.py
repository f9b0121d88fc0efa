"""The command `trips-mcp history`, which lists what was changed through the servers of this user."""

import sys
from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from trips_mcp.cli.call import as_json, call_tool, offer_of, show_readable
from trips_mcp.cli.command import Command, run_async
from trips_mcp.cli.output import say
from trips_mcp.cli.setting_flags import add_flags

if TYPE_CHECKING:
    from trips_mcp.tools.tool import Answer


def _flags(parser: ArgumentParser) -> None:
    parser.add_argument("--limit", type=int, metavar="N", help="show this many changes; 20 unless said")
    parser.add_argument("--json", action="store_true", help="print the structured result, as is done into a pipe")
    add_flags(parser, "offer")


def _run(arguments: Namespace) -> int:
    def show(answer: "Answer") -> None:
        if arguments.json or not sys.stdout.isatty():
            say(as_json(answer))
        else:
            show_readable(answer)

    given: dict[str, object] = {} if arguments.limit is None else {"limit": arguments.limit}
    answer = run_async(call_tool, "list_changes", given, offer_of(arguments), show)
    return 1 if answer.is_error else 0


HISTORY = Command(words="history", summary="list what was changed, newest first", flags=_flags, run=_run)
