"""What the agent gets of a call."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from trips_mcp.client.errors import TripsError

LARGEST: Final = 40_000
"""Characters of a result: above some such size hosts cut it, or put it where the model does not see it."""
_LONGEST_FAILURE: Final = 8_000

as_text: Final[Callable[[object], str]] = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
"""Compact JSON. The encoder is made once, as that takes longer than a small result."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the agent gets: text and structured content, each complete."""

    text: str
    structured: dict[str, Any] | None = None
    is_error: bool = False
    meta: dict[str, Any] | None = None
    """For the host, not for the model."""
    failure: TripsError | None = None
    """What the client failed with, where that is what the text tells."""


class ToolRefusedError(Exception):
    """A call that is not carried out, for the reason it says in a sentence."""


def within_bounds(sentence: str) -> str:
    """A failure in words, cut where it would fill pages: hundreds of items can all be wrong."""
    if len(sentence) <= _LONGEST_FAILURE:
        return sentence
    return f"{sentence[:_LONGEST_FAILURE].rpartition(' ')[0]} … (cut; fix these first)"
