"""The command `trips-mcp tools`, which lists the tools offered with the current settings and flags."""

import json
from argparse import ArgumentParser, Namespace
from collections.abc import Iterable, Iterator, Mapping
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from trips_mcp.cli.command import Command
from trips_mcp.cli.output import columns, say
from trips_mcp.cli.settings import add_flags, choice_of, given, settings_of_the_environment
from trips_mcp.tools.listing import first_sentence

if TYPE_CHECKING:
    from trips_mcp.tools.listing import Entry
    from trips_mcp.tools.selection import Hidden, Selection

BYTES_PER_TOKEN = 4
"""An estimate for English and JSON."""

Listing = dict[str, Any]


def _flags(parser: ArgumentParser) -> None:
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print the listings as a client gets them")
    form.add_argument(
        "--markdown", action="store_true", help="print a page with every argument, hint, scope and result"
    )
    add_flags(parser, "offer")


def _run(arguments: Namespace) -> int:
    choice = choice_of(settings_of_the_environment(given(arguments, "offer")))
    if arguments.json:
        say(json.dumps(choice.listing, indent=2, ensure_ascii=False))
        return 0
    if arguments.markdown:
        say(_page(choice))
        return 0
    for line in (*table(choice.entries), "", *_wrapped((*left_out(choice.hidden), total(choice.listing)))):
        say(line)
    return 0


def _wrapped(lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        yield from wrap(line, columns(), subsequent_indent="  ", break_on_hyphens=False)


def _page(choice: "Selection") -> str:
    """The page of docs/tools.md, for the offered tools."""
    from trips_mcp.cli.tools_page import tool_sections, tool_table

    known = len(choice.entries) + len(choice.hidden)
    hidden = "".join(f"\n- {line}" for line in left_out(choice.hidden))
    return (
        f"# Tools\n\n{len(choice.entries)} of {known} tools are offered. Hints are MCP's tool annotations; an argument "
        f"with * is required.\n\n{tool_table(choice.listing)}\n{tool_sections(choice.listing)}"
        + (f"\n## Not offered\n{hidden}" if hidden else "")
    ).rstrip("\n")


def table(entries: "Iterable[Entry]") -> Iterator[str]:
    """By toolset: each tool, its scope, and when to use it."""
    shown = list(entries)
    names = max((len(entry["listing"]["name"]) for entry in shown), default=0)
    scopes = max((len(entry["scope"]) for entry in shown), default=0)
    width = columns()
    toolset = ""
    for entry in shown:
        if entry["toolset"] != toolset:
            toolset = entry["toolset"]
            yield toolset
        head = f"  {entry['listing']['name']:<{names}}  {entry['scope']:<{scopes}}  "
        sentence = first_sentence(entry["listing"]["description"])
        yield from wrap(sentence, width, initial_indent=head, subsequent_indent=" " * len(head), break_on_hyphens=False)


def left_out(hidden: "Mapping[str, Hidden]") -> Iterator[str]:
    """The hidden tools, by the setting that hides them or would offer them."""
    for setting in dict.fromkeys(why.setting for why in hidden.values()):
        whys = {name: why for name, why in hidden.items() if why.setting == setting}
        if any(why.brings_back for why in whys.values()):
            yield f"not offered: {', '.join(whys)} {'needs' if len(whys) == 1 else 'need'} {setting}"
        else:
            yield f"not offered ({setting}): {', '.join(whys)}"


def total(listings: list[Listing]) -> str:
    """The size of the list in a model's context."""
    size = sum(map(prompt_bytes, listings))
    tokens = size // BYTES_PER_TOKEN
    return f"{len(listings)} tools: {size:,} bytes of names, descriptions and schemas, about {tokens:,} tokens"


def prompt_bytes(listing: Listing) -> int:
    seen = {part: listing[part] for part in ("name", "description", "inputSchema")}
    return len(json.dumps(seen, separators=(",", ":"), ensure_ascii=False).encode())


TOOLS = Command(words="tools", summary="list the offered tools and their size", flags=_flags, run=_run)
