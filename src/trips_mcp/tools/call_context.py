"""The server-wide context of every call: masking, the bound trip, absent tools, the clock."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection
    from contextlib import AbstractAsyncContextManager
    from datetime import datetime
    from typing import Protocol

    from trips_mcp.client import TripsClient
    from trips_mcp.json_values import JsonObject

    class Twin(Protocol):
        def __call__(
            self, export: JsonObject, events: list[JsonObject], number: int | None, other_numbers: Collection[int] = ()
        ) -> AbstractAsyncContextManager[TripsClient]:
            """A client of a copy of the trip, in wire format, that nobody else sees.

            `number`: the trip's id in the Events API. `other_numbers`: those of other trips that events may be put on.
            """
            ...


def _now() -> "datetime":
    from datetime import UTC, datetime  # keeps the cold start fast

    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)  # nothing compares it, and the start is faster
class Conduct:
    """What holds for every call on a server."""

    mask_secrets: bool = False
    """Whether secrets such as door codes are masked; `get_secret` then reveals one at a time."""
    trip: str | None = None
    """The tripId that the server is bound to."""
    local: bool = False
    """Whether trips are kept locally, where nobody else reads them."""
    share_base: "Callable[[], str | None] | None" = None
    """The address that the caller reaches this server by, if known. None if it serves no share links.

    See docs/files.md#shared-files.
    """
    one_store: bool = True
    """Whether a trip's `number` is its id in the Events API (docs/contract.md#one-store-for-both)."""
    event_trips: Mapping[str, int] = field(default_factory=dict[str, int])
    """The Events API's id of each tripId that the user has linked."""
    absent: frozenset[str] = frozenset()
    """Tools that are not offered; no answer refers to them."""
    twin: "Twin | None" = None
    """Opens a twin of a trip, on which a plan is tried out."""
    files: str | None = None
    """The folder that agents may read from; absolute."""
    writes_files: bool = False
    """Whether exports are written to that folder, too."""
    now: "Callable[[], datetime]" = _now
    """The current time, with its zone."""
