"""The command `trips-mcp call TOOL key=value …`, which calls one tool with the current settings.

On a terminal the result is readable: names and values, lists as tables that fit its width.
"""

import json
import shutil
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import AsyncGenerator, Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from unicodedata import combining, east_asian_width

from trips_mcp.cli.command import WORDS, Command, CommandError, run_async, standard_input
from trips_mcp.cli.output import Colour, Painted, is_for_a_person, remark, say
from trips_mcp.cli.settings import add_flags, offer_of
from trips_mcp.delivery import delivering
from trips_mcp.json_values import is_object
from trips_mcp.setting_values import nearest

if TYPE_CHECKING:
    from trips_mcp.client import TripsClient
    from trips_mcp.server.offer import Offer
    from trips_mcp.tools.tool import Answer


_MOST_NAMES: Final = 3
_LONGEST: Final = 100
_BOM: Final = "\ufeff"
_SWITCHES: Final = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}

Schema = dict[str, Any]

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
        elif arguments.json or not is_for_a_person():
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
    async with connected(offered) as client:
        return await call_with(client, name, given, offered, show)


@asynccontextmanager
async def connected(offered: "Offer") -> "AsyncGenerator[TripsClient]":
    """Raises: CommandError."""
    from trips_mcp.client.errors import CannotConnectError

    try:
        async with offered.connect() as client:
            yield client
    except CannotConnectError as error:
        raise CommandError(str(error)) from None


async def call_with(
    client: "TripsClient",
    name: str,
    given: dict[str, object],
    offered: "Offer",
    show: "Callable[[Answer], None]",
) -> "Answer":
    """As `call_tool`, with a client that is open."""
    tool = offered.load_tool(name)
    with delivering() as delivery:
        try:
            answer = await tool.call(client, given, _report, offered.conduct)
            show(answer)
            if not answer.is_error:
                await delivery.confirm()
        finally:
            await delivery.abandon()
    return answer


async def _report(progress: float, total: float | None, word: str | None) -> None:
    remark(word or f"{progress:g}{'' if total is None else f' of {total:g}'}")


def as_json(answer: "Answer") -> str:
    """An error has text and no structured content."""
    shown = {"error": answer.text} if answer.structured is None else answer.structured
    return json.dumps(shown, indent=2, ensure_ascii=False)


CALL = Command(words="call", summary="call a tool by hand: call TOOL KEY=VALUE ...", flags=_flags, run=_run)


def arguments_of(pairs: Iterable[str], whole: str | None, schema: Schema, tool: str) -> dict[str, object]:
    """`whole`: some or all arguments as a JSON object, or the file that has it.

    Raises: CommandError for unreadable arguments. The tool itself refuses arguments that it does not accept.
    """
    found = {} if whole is None else _whole(whole)
    for name in found:
        _schema_of([name], schema, name, tool)
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals:
            raise CommandError(f"{pair[:_LONGEST]!r} is not an argument, expected KEY=VALUE.")
        steps = name.split(".")
        _put(found, steps, _value(text, _schema_of(steps, schema, name, tool), name), name)
    return found


def did_you_mean(name: str, known: Collection[str]) -> str:
    names = nearest(name, known, _MOST_NAMES)
    return f"did you mean {' or '.join(names)}? " if names else ""


def _whole(text: str) -> dict[str, Any]:
    document = _read(text, "--arguments")
    try:
        found = json.loads(document, parse_constant=_no_json)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise CommandError(
            '--arguments takes one JSON object, as \'{"tripId": "jx7"}\', @FILE with one, or - for stdin.'
        )
    return found  # pyright: ignore[reportUnknownVariableType] - of JSON


def _schema_of(steps: list[str], schema: Schema, name: str, tool: str) -> Schema:
    """The schema of the argument at this path."""
    inner = schema
    for step in steps:
        properties: Mapping[str, Schema] = inner.get("properties", {})
        if step not in properties:
            above = name[: -len(".".join(steps[steps.index(step) :]))] if inner is not schema else ""
            known = f"it takes {', '.join(above + one for one in properties)}." if properties else "it takes none."
            raise CommandError(f"{tool} has no argument {name[:_LONGEST]!r}; {did_you_mean(step, properties)}{known}")
        inner = properties[step]
    return inner


def _put(found: dict[str, Any], steps: list[str], value: object, name: str) -> None:
    *above, last = steps
    for step in above:
        found = found.setdefault(step, {})
        if not isinstance(found, dict):  # pyright: ignore[reportUnnecessaryIsInstance] - it may have come as JSON
            raise CommandError(f"{name} is given twice.")
    if last in found:
        raise CommandError(f"{name} is given twice.")
    found[last] = value


def _value(text: str, schema: Schema, name: str) -> object:
    """A value that is neither of the expected type nor JSON is passed on as text; the tool refuses it."""
    kind = schema["type"]
    if kind == "string":
        return text
    if kind == "boolean" and text.lower() in _SWITCHES:
        return _SWITCHES[text.lower()]
    if kind in ("array", "object"):
        text = _read(text, name)
    if kind == "array" and not text.lstrip().startswith(("[", "{")) and schema["items"]["type"] != "object":
        return [_value(part.strip(), schema["items"], name) for part in text.split(",") if part.strip()]
    try:
        return json.loads(text, parse_constant=_no_json)
    except (ValueError, RecursionError):
        return text


def _read(text: str, name: str) -> str:
    """The text itself, or the content of the file that it names."""
    try:
        if text == "-":
            return standard_input().read().removeprefix(_BOM)
        return Path(text[1:]).expanduser().read_text("utf-8-sig") if text.startswith("@") else text
    except (OSError, RuntimeError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else "no such place"
        what = "standard input" if text == "-" else text[1:][:_LONGEST]
        raise CommandError(f"{name}: {what} cannot be read ({why.lower()}).") from None
    except UnicodeDecodeError:
        raise CommandError(f"{name}: {text[1:][:_LONGEST] or 'stdin'} is not UTF-8 text.") from None


def _no_json(constant: str) -> None:
    raise ValueError(f"{constant} is known to Python alone")


_WIDEST_CELL: Final = 36
_GAP: Final = "  "
_INDENT: Final = "  "

Line = tuple[str, ...]
"""The parts of a line; some are painted."""
Row = dict[str, str]


def readable(result: Mapping[str, Any], width: int) -> Iterator[Line]:
    if set(result) == {"items"}:
        yield from _table(result["items"], width)
    else:
        yield from _block(result, width, "")


def _block(block: Mapping[str, Any], width: int, indent: str) -> Iterator[Line]:
    for name, value in block.items():
        if _is_rows(value):
            yield indent, Painted(f"{name} ({len(value)})", Colour.BOLD)
            for line in _table(value, width - len(indent) - len(_INDENT)):
                yield indent + _INDENT, *line
        elif is_object(value):
            yield indent, Painted(name, Colour.BOLD)
            yield from _block(value, width, indent + _INDENT)
        else:
            first, *more = _text(value).splitlines() or [""]
            yield indent, Painted(f"{name}: ", Colour.DIM), first
            for line in more:
                yield indent + _INDENT, line


def _is_rows(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(map(is_object, value))  # pyright: ignore[reportUnknownArgumentType]


def _table(items: Sequence[Mapping[str, Any]], width: int) -> Iterator[Line]:
    if not items:
        yield (Painted("none", Colour.DIM),)
        return
    rows = [_flat(item) for item in items]
    columns = list(dict.fromkeys(name for row in rows for name in row))
    widths = {name: max(_width(name), *(_width(row.get(name, "")) for row in rows)) for name in columns}
    shown = _fitting(columns, widths, width)
    yield (Painted(_joined(shown, widths, {name: name for name in shown}), Colour.DIM),)
    for row in rows:
        yield (_joined(shown, widths, row),)
    if left := [name for name in columns if name not in shown]:
        yield (Painted(f"not shown: {', '.join(left)} (--json has all)", Colour.DIM),)


def _fitting(columns: list[str], widths: Mapping[str, int], width: int) -> list[str]:
    """The columns that still fit, in order; always the first."""
    shown: list[str] = []
    left = width
    for name in columns:
        if not shown or widths[name] <= left:
            shown.append(name)
            left -= widths[name] + len(_GAP)
    return shown


def _joined(columns: Sequence[str], widths: Mapping[str, int], row: Mapping[str, str]) -> str:
    cells = (row.get(name, "") for name in columns)
    padded = (cell + " " * (widths[name] - _width(cell)) for name, cell in zip(columns, cells, strict=True))
    return _GAP.join(padded).rstrip()


def _flat(item: Mapping[str, Any], prefix: str = "") -> Row:
    row: Row = {}
    for name, value in item.items():
        if is_object(value):
            row |= _flat(value, f"{prefix}{name}.")
        else:
            row[f"{prefix}{name}"] = _cell(value)
    return row


def _cell(value: object) -> str:
    text = str(len(value)) if _is_rows(value) and isinstance(value, list) else _text(value)  # pyright: ignore[reportUnknownArgumentType]
    line = " ".join(text.split())
    if _width(line) <= _WIDEST_CELL:
        return line
    while _width(line) >= _WIDEST_CELL:
        line = line[:-1]
    return f"{line.rstrip()}…"


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(_text, value))  # pyright: ignore[reportUnknownArgumentType]
    return f"{value:g}" if isinstance(value, float) else str(value)


def _width(text: str) -> int:
    """Width in terminal columns: Kyoto in Japanese takes four."""
    return sum(0 if combining(one) else 2 if east_asian_width(one) in "WF" else 1 for one in text)
