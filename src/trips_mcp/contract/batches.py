"""What batch and sync have in common: one outcome for each item (docs/contract.md#batches)."""

from dataclasses import dataclass
from typing import Annotated, Final, Literal

from pydantic import Field
from pydantic_core import MISSING

from trips_mcp.contract.errors import Fault
from trips_mcp.contract.http_mapping import NotSent
from trips_mcp.contract.models import Result


@dataclass(frozen=True, slots=True)
class AtOnce:
    """Marks a list of items that one request takes so many of; the client splits a longer one."""

    items: int


BATCH: Final = AtOnce(50)
SYNC: Final = AtOnce(500)
MANY: Final = Field(min_length=1, max_length=500)
"""How many items a batch takes of its caller."""

AutoClientRef = Annotated[bool | MISSING, NotSent()]
"""Whether items without a clientRef are given one that stands for their content; so it is if left out."""

Outcome = Literal["created", "updated", "unchanged", "error"]
"""What a service says of an item."""

Unanswered = Literal["unknown", "not_sent"]
"""What the client says of an item in a request that got no answer, or that was not made any more."""


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
