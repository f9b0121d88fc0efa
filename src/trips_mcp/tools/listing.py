"""The tools' listings as they were generated into listing.json: read at start, without importing a model.

`scripts/generate.py` writes the file from TOOLSETS; `make check` fails where the two differ.
"""

import json
import os
from collections.abc import Collection
from typing import Any, Final, NotRequired, TypedDict

LISTING: Final = os.path.join(os.path.dirname(__file__), "listing.json")  # noqa: PTH118, PTH120
"""A path in words: importing pathlib would take a seventh of a start."""


class Entry(TypedDict):
    """A tool, and what decides whether it is offered, and how it is described."""

    toolset: str
    api: str
    """Which of the two it speaks to: trips, events."""
    scope: str
    """What its key must allow, as contract.operation.Access says it."""
    outbound: bool
    local: NotRequired[str]
    """Its description where trips are kept locally."""
    apart: NotRequired[str]
    """Its description where the Events API is a service of its own."""
    listing: dict[str, Any]
    """As it stands on the wire."""


def entries() -> list[Entry]:
    """Of every tool there is, in their fixed order."""
    with open(LISTING, "rb") as file:  # noqa: PTH123
        return json.load(file)


def catalogue(apis: Collection[str]) -> list[dict[str, Any]]:
    """The wire listings of the tools that speak to these APIs."""
    return [entry["listing"] for entry in entries() if entry["api"] in apis]


def first_sentence(text: str) -> str:
    return text.partition(". ")[0].rstrip(".") + "."
