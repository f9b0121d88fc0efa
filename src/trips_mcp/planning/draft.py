"""What a move or a copy comes to: its changes, and notes on what it leaves to the traveller."""

from dataclasses import dataclass
from typing import Literal

from trips_mcp.itinerary.check.findings import CitedPart, begin
from trips_mcp.planning.change import Change

NoteKind = Literal["to_rebook", "names_date", "left_as_is", "left_out", "not_undone"]
"""
- to_rebook: a booking that stays on its old dates and no longer fits.
- names_date: a text with a date that moves; the text is left as it is.
- left_as_is: a part that cannot be moved.
- left_out: what a copy does not take over.
- not_undone: an item that an undo leaves as it is.
"""


class DraftNote(CitedPart):
    kind: NoteKind
    item_id: str | None = None
    why: str
    """Written by us from ids, flight numbers and dates. Contains no text from the trip."""


def note(kind: NoteKind, cited: CitedPart, why: str, item_id: str | None = None) -> DraftNote:
    cites = cited.model_dump(by_alias=True, exclude_none=True)
    return DraftNote.model_validate({**cites, "kind": kind, "itemId": item_id, "why": begin(why)})


@dataclass(frozen=True, slots=True)
class Draft:
    changes: tuple[Change, ...]
    notes: tuple[DraftNote, ...] = ()


class NotPlannableError(ValueError):
    """No such plan can be made; the message is one sentence for the caller."""
