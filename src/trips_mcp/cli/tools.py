"""`trips-mcp tools`: the tools that an agent is offered under the current settings."""

import json
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from typing import Any

from trips_mcp.cli.command import Command
from trips_mcp.cli.environment import settings_of_the_environment
from trips_mcp.cli.output import say

BYTES_PER_TOKEN = 4
"""Roughly, for English and JSON."""

Listing = dict[str, Any]


def _flags(parser: ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="the listings as they stand on the wire")


def _run(arguments: Namespace) -> int:
    from trips_mcp.tools.catalogue import catalogue

    listings = catalogue(settings_of_the_environment().apis)
    if arguments.json:
        say(json.dumps(listings, indent=2, ensure_ascii=False))
    else:
        for line in table(listings):
            say(line)
    return 0


def table(listings: list[Listing]) -> Iterator[str]:
    """One line a tool, in columns, and their cost in a model's context."""
    from trips_mcp.contract import OPERATIONS

    operations = {operation.name: operation for operation in OPERATIONS}
    rows: list[tuple[str, str, str, str]] = []
    for listing in listings:
        name, sentence = listing["name"], _first_sentence(listing["description"])
        called = operations.get(name)
        rows.append(
            (name, f"{called.method} {called.path}", called.scope, sentence) if called else (name, "-", "-", sentence)
        )
    widths = [max((len(row[column]) for row in rows), default=0) for column in range(3)]
    for row in rows:
        yield "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[3]])
    size = sum(map(_prompt_bytes, listings))
    yield ""
    tokens = size // BYTES_PER_TOKEN
    yield f"{len(rows)} tools: {size:,} bytes of names, descriptions and schemas, about {tokens:,} tokens"


def _first_sentence(text: str) -> str:
    return text.partition(". ")[0].rstrip(".") + "."


def _prompt_bytes(listing: Listing) -> int:
    seen = {part: listing[part] for part in ("name", "description", "inputSchema")}
    return len(json.dumps(seen, separators=(",", ":"), ensure_ascii=False).encode())


TOOLS = Command(words="tools", summary="list the tools, with their operation and scope", flags=_flags, run=_run)
