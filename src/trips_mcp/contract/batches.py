"""What batch and sync have in common: one outcome for each item (CONTRACT §1, Batch)."""

from typing import Final, Literal

from pydantic import Field

from trips_mcp.contract.errors import Fault
from trips_mcp.contract.models import Result

BATCH: Final = Field(min_length=1, max_length=50)
"""How many items a batch takes."""

Outcome = Literal["created", "updated", "unchanged", "error"]


class ItemError(Result):
    code: str | None = None
    message: str | None = None
    details: list[Fault] | None = None


class ItemOutcome(Result):
    index: int | None = None
    client_ref: str | None = None
    status: str | None = None
    """One of `Outcome`."""
    id: str | None = None
    error: ItemError | None = None


class BatchReport(Result):
    results: list[ItemOutcome] = Field(default_factory=list[ItemOutcome])
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    errors: int = 0
