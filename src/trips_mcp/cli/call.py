"""`trips-mcp call TOOL key=value …`: one tool, run by hand on the settings of this environment."""

import json
from argparse import ArgumentParser, Namespace
from collections.abc import Collection, Iterable
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final

from trips_mcp.cli.choices import chosen, flags_that_choose
from trips_mcp.cli.command import Command, CommandError
from trips_mcp.cli.environment import settings_of_the_environment
from trips_mcp.cli.output import remark, say
from trips_mcp.settings import SettingsError

if TYPE_CHECKING:
    from trips_mcp.server.offer import Offer
    from trips_mcp.tools.tool import Answer

_MOST_NAMES: Final = 3

Schema = dict[str, Any]


def _flags(parser: ArgumentParser) -> None:
    parser.usage = "trips-mcp call [-h] TOOL [KEY=VALUE ...] [--json]"
    parser.add_argument(
        "words",
        nargs="*",
        metavar="TOOL [KEY=VALUE ...]",
        help="a tool of `trips-mcp tools`, and its arguments: lists, objects, numbers, true and false as JSON",
    )
    # It takes words, too, as argparse finds none for `words` behind a flag.
    parser.add_argument("--json", nargs="*", metavar="KEY=VALUE", help="print the structured result, not the text")
    flags_that_choose(parser)


def _run(arguments: Namespace) -> int:
    import anyio

    words: list[str] = [*arguments.words, *(arguments.json or [])]
    name, *pairs = words or [""]
    offered = _offer(arguments)
    given = _arguments(pairs, _input_schema(name, offered), name)
    answer = anyio.run(_called, name, given, offered)
    say(answer.text if arguments.json is None else _as_json(answer))
    return 1 if answer.is_error else 0


def _offer(arguments: Namespace) -> "Offer":
    from trips_mcp.server.offer import offer

    try:
        return offer(settings_of_the_environment(chosen(arguments)))
    except SettingsError as error:
        raise CommandError(str(error)) from None


def _input_schema(name: str, offered: "Offer") -> Schema:
    schemas: dict[str, Schema] = {listing["name"]: listing["inputSchema"] for listing in offered.listing}
    if name in schemas:
        return schemas[name]
    if name in offered.missing:
        raise CommandError(offered.missing[name])
    if not name:
        raise CommandError("name a tool, as in `trips-mcp call list_trips`; `trips-mcp tools` lists them.")
    raise CommandError(f"there is no tool {name[:100]!r}; {_nearest(name, schemas)}`trips-mcp tools` lists them all.")


def _arguments(pairs: Iterable[str], schema: Schema, tool: str) -> dict[str, object]:
    properties: dict[str, Schema] = schema["properties"]
    found: dict[str, object] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals:
            raise CommandError(f"{pair[:100]!r} is not an argument, want KEY=VALUE.")
        if name not in properties:
            known = f"it takes {', '.join(properties)}." if properties else "it takes none."
            raise CommandError(f"{tool} has no argument {name[:100]!r}; {_nearest(name, properties)}{known}")
        if name in found:
            raise CommandError(f"{name} is given twice.")
        found[name] = _value(text, properties[name])
    return found


def _nearest(name: str, known: Collection[str]) -> str:
    names = get_close_matches(name.lower(), {one.lower(): one for one in known}, n=_MOST_NAMES)
    spelled = [one for near in names for one in known if one.lower() == near]
    return f"did you mean {' or '.join(spelled)}? " if spelled else ""


def _value(text: str, schema: Schema) -> object:
    """JSON where the tool wants anything but text; what is no JSON then is for the tool to refuse."""
    if schema["type"] == "string":
        return text
    try:
        return json.loads(text, parse_constant=_no_json)
    except (ValueError, RecursionError):
        return text


def _no_json(constant: str) -> None:
    raise ValueError(f"{constant} is known to Python alone")


async def _called(name: str, given: dict[str, object], offered: "Offer") -> "Answer":
    from trips_mcp.client.errors import CannotConnectError

    tool = next(tool for tool in offered.load_tools() if tool.name == name)
    try:
        async with offered.connect() as client:
            return await tool.call(client, given, _report, offered.conduct)
    except CannotConnectError as error:
        raise CommandError(str(error)) from None


async def _report(progress: float, total: float | None, word: str | None) -> None:
    remark(word or f"{progress:g}{'' if total is None else f' of {total:g}'}")


def _as_json(answer: "Answer") -> str:
    """An error has words alone."""
    shown = {"error": answer.text} if answer.structured is None else answer.structured
    return json.dumps(shown, indent=2, ensure_ascii=False)


CALL = Command(words="call", summary="try a tool by hand: call TOOL KEY=VALUE ...", flags=_flags, run=_run)
