"""Types that batch and sync share, with one outcome for each item (docs/contract.md#batches)."""

from dataclasses import dataclass
from functools import cache
from typing import Annotated, Final, Literal

from pydantic import Field
from pydantic_core import MISSING

from trips_mcp.contract.errors import Fault
from trips_mcp.contract.models import Params, Result
from trips_mcp.contract.operation import NotSent


@dataclass(frozen=True, slots=True)
class AtOnce:
    """Marks a list with the most items that one request takes; the client splits a longer list."""

    items: int


@cache
def limits(model: type[Params]) -> dict[str, int]:
    """Maximum number of items of each list in one request."""
    return {
        name: mark.items
        for name, described in model.model_fields.items()
        for mark in described.metadata
        if isinstance(mark, AtOnce)
    }


BATCH: Final = AtOnce(50)
SYNC: Final = AtOnce(500)
MANY: Final = Field(min_length=1, max_length=500)
"""Bounds of a batch as the caller passes it."""

AutoClientRef = Annotated[bool | MISSING, NotSent()]
"""Whether an item without a clientRef gets one derived from its content. The default is true."""

Outcome = Literal["created", "updated", "unchanged", "error"]
"""A service's outcome for an item."""

Unanswered = Literal["unknown", "not_sent"]
"""The client's outcome for an item whose request got no response, or was not sent."""


class ItemError(Result):
    code: str | None = None
    message: str | None = None
    details: list[Fault] | None = None


class ItemOutcome(Result):
    index: int | None = None
    client_ref: str | None = None
    status: str | None = None
    """An `Outcome` or `Unanswered`."""
    id: str | None = None
    error: ItemError | None = None


class BatchReport(Result):
    results: list[ItemOutcome] = Field(default_factory=list[ItemOutcome])
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    errors: int = 0
