"""The answer to a call, and its size limits."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from trips_mcp.client.errors import TripsError

LARGEST: Final = 40_000
"""Characters of a result. Hosts cut larger ones, or put them where the model does not see them."""
_LONGEST_FAILURE: Final = 8_000

as_text: Final[Callable[[object], str]] = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
"""Compact JSON. The encoder is made once: making it takes longer than encoding a small result."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A text file beside the answer: MCP's embedded resource."""

    uri: str
    media_type: str
    text: str


@dataclass(frozen=True, slots=True)
class Answer:
    """Text and structured content, each complete in itself."""

    text: str
    structured: dict[str, Any] | None = None
    is_error: bool = False
    meta: dict[str, Any] | None = None
    """For the host, not for the model."""
    failure: TripsError | None = None
    """The client error that the text reports."""
    attachment: Attachment | None = None
    drawn: Callable[[], Awaitable[dict[str, Any] | None]] | None = None
    """Makes what a page draws, if it can, in place of the structured content, for hosts that draw it."""


class ToolRefusedError(Exception):
    """A call that was refused. The message is the reason, in one sentence."""


def within_bounds(sentence: str) -> str:
    """An error text, cut if it is too long: each of hundreds of items can be wrong."""
    if len(sentence) <= _LONGEST_FAILURE:
        return sentence
    return f"{sentence[:_LONGEST_FAILURE].rpartition(' ')[0]} … (cut; fix these first)"
