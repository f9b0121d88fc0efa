"""The generated tool listings (listing.json), read at start without importing a model.

`scripts/generate.py` writes the file from TOOLSETS; `make check` fails where the two differ.
"""

import json
import os
from collections.abc import Collection
from functools import cache
from typing import Any, Final, NotRequired, TypedDict

LISTING: Final = os.path.join(os.path.dirname(__file__), "listing.json")  # noqa: PTH118, PTH120
"""A string: importing pathlib would take a seventh of the cold start."""

PATH: Final = "path"
"""The argument that names a file in the folder of `--files`."""


class Entry(TypedDict):
    """A tool, with what decides whether it is offered and how it is described."""

    toolset: str
    module: str
    """Where the tool is, under its name, in this package."""
    api: str
    """"trips" or "events"."""
    scope: str
    """The scope its key needs, as in contract.operation.Access."""
    outbound: bool
    mentions: NotRequired[list[str]]
    """The other tools that its descriptions name."""
    local: NotRequired[str]
    """Its description where trips are kept locally."""
    apart: NotRequired[str]
    """Its description if the Events API is a separate service."""
    path: NotRequired[dict[str, Any]]
    """The schema of its argument `path`, which it has with a folder of `--files`, and which replaces a required one."""
    writes_files: NotRequired[bool]
    """Whether it writes to that folder."""
    page: NotRequired[str]
    """The URI of the page in which hosts with MCP Apps draw its results."""
    listing: dict[str, Any]
    """The entry in tools/list, in wire format."""


@cache
def entries() -> tuple[Entry, ...]:
    """Every tool, in the fixed order: read once and shared, so nobody changes an entry."""
    with open(LISTING, "rb") as file:  # noqa: PTH123
        return tuple(json.load(file))


def catalogue(apis: Collection[str]) -> list[dict[str, Any]]:
    """The wire listings of the tools that speak to these APIs."""
    return [entry["listing"] for entry in entries() if entry["api"] in apis]


def first_sentence(text: str) -> str:
    return text.partition(". ")[0].rstrip(".") + "."
