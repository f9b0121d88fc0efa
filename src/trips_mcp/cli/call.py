"""The command `trips-mcp call TOOL key=value …`, which calls one tool with the current settings."""

import json
import shutil
import sys
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from trips_mcp.cli.call_arguments import Schema, arguments_of, did_you_mean
from trips_mcp.cli.command import WORDS, Command, CommandError, run_async
from trips_mcp.cli.environment import offer_of
from trips_mcp.cli.output import remark, say
from trips_mcp.cli.setting_flags import add_flags
from trips_mcp.delivery import delivering

if TYPE_CHECKING:
    from trips_mcp.server.offer import Offer
    from trips_mcp.tools.tool import Answer

_EPILOG: Final = """\
A value is read as the tool's schema says:
  title=2027              text stays as it is, even if it looks like a number
  limit=5 dryRun=yes      numbers; true, false, yes, no, on, off
  fields=title,startDate  a list, with commas or as JSON
  accommodation.name=Inn  a part of an object
  items='[{"text": "Book"}]' items=@items.json
                          anything else as JSON, or from a file, or - from stdin

trips-mcp call list_trips
trips-mcp call get_day tripId=jx7 date=tomorrow
echo '{"tripId": "jx7", "title": "Kyoto"}' | trips-mcp call update_trip --arguments -

On a terminal it prints the answer to read, into a pipe the structured result as JSON.
The exit code is 1 if the tool's answer is an error, and 2 if the tool was not called. Flags and variables are those of
the server, so the same tools are offered, masked and bound to a trip."""


def _flags(parser: ArgumentParser) -> None:
    parser.usage = "trips-mcp call [-h] TOOL [KEY=VALUE ...] [--arguments JSON] [--json | --text]"
    parser.add_argument(
        WORDS,
        nargs="*",
        metavar="TOOL [KEY=VALUE ...]",
        help="a tool of `trips-mcp tools`, and its arguments",
    )
    parser.add_argument(
        "--arguments",
        metavar="JSON",
        help="more arguments, as one JSON object; @FILE reads it from a file, - from stdin",
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print the structured result, the default into a pipe")
    form.add_argument("--text", action="store_true", help="print the text that an agent reads")
    add_flags(parser, "offer")
    parser.formatter_class = RawDescriptionHelpFormatter
    parser.epilog = _EPILOG


def _run(arguments: Namespace) -> int:
    name, *pairs = arguments.words or [""]
    offered = offer_of(arguments)
    given = arguments_of(pairs, arguments.arguments, _input_schema(name, offered), name)

    def show(answer: "Answer") -> None:
        if arguments.text:
            say(answer.text)
        elif arguments.json or not sys.stdout.isatty():
            say(as_json(answer))
        else:
            show_readable(answer)

    answer = run_async(call_tool, name, given, offered, show)
    return 1 if answer.is_error else 0


def show_readable(answer: "Answer") -> None:
    """Readable output: prose unchanged, JSON as names, values and tables."""
    if answer.structured is None or not _is_json_of(answer):
        say(answer.text)
        return
    from trips_mcp.cli.readable import readable

    for line in readable(answer.structured, shutil.get_terminal_size().columns):
        say(*line)


def _is_json_of(answer: "Answer") -> bool:
    try:
        return json.loads(answer.text) == answer.structured
    except ValueError:
        return False


def _input_schema(name: str, offered: "Offer") -> Schema:
    schemas: dict[str, Schema] = {listing["name"]: listing["inputSchema"] for listing in offered.listing}
    if name in schemas:
        return schemas[name]
    if name in offered.missing:
        raise CommandError(offered.missing[name])
    if not name:
        raise CommandError("name a tool, as in `trips-mcp call list_trips`; `trips-mcp tools` lists them.")
    raise CommandError(
        f"there is no tool {name[:100]!r}; {did_you_mean(name, schemas)}`trips-mcp tools` lists them all."
    )


async def call_tool(
    name: str, given: dict[str, object], offered: "Offer", show: "Callable[[Answer], None]"
) -> "Answer":
    """If a write's answer cannot be printed, repeating the call completes it. Raises: CommandError, OutputError."""
    from trips_mcp.client.errors import CannotConnectError

    tool = next(tool for tool in offered.load_tools() if tool.name == name)
    try:
        async with offered.connect() as client:
            with delivering() as delivery:
                try:
                    answer = await tool.call(client, given, _report, offered.conduct)
                    show(answer)
                    if not answer.is_error:
                        await delivery.confirm()
                finally:
                    await delivery.abandon()
            return answer
    except CannotConnectError as error:
        raise CommandError(str(error)) from None


async def _report(progress: float, total: float | None, word: str | None) -> None:
    remark(word or f"{progress:g}{'' if total is None else f' of {total:g}'}")


def as_json(answer: "Answer") -> str:
    """An error has text and no structured content."""
    shown = {"error": answer.text} if answer.structured is None else answer.structured
    return json.dumps(shown, indent=2, ensure_ascii=False)


CALL = Command(words="call", summary="call a tool by hand: call TOOL KEY=VALUE ...", flags=_flags, run=_run)
