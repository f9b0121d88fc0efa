"""Texts of a trip that name dates: to-dos, titles and notes. A plan moves dates, but leaves texts as they are."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

from trips_mcp.itinerary.check.findings import (
    CitedPart,
    appointment,
    cite_appointment,
    cite_pin,
    cite_stay,
    leg_of,
    named,
)
from trips_mcp.itinerary.formatting import short
from trips_mcp.itinerary.journey import Journey
from trips_mcp.planning.draft import DraftNote, note
from trips_mcp.planning.named_dates import dates_named

MOST: Final = 3
"""Maximum dates that a note names."""
_TITLE: Final = 80

DatedPart = Literal["actionItems", "commitments", "events", "accommodation", "mapPins"]


@dataclass(frozen=True, slots=True)
class DatedText:
    part: DatedPart
    cited: CitedPart
    what: str
    days: tuple[date, ...]
    item_id: str | None

    def note(self, describe: Callable[[date], str]) -> DraftNote:
        more = f" and {len(self.days) - MOST} more" if len(self.days) > MOST else ""
        days = ", ".join(map(describe, self.days[:MOST])) + more
        return note("names_date", self.cited, f"{self.what} names {days}; its text stays as it is.", self.item_id)


def dated_texts(journey: Journey, is_meant: Callable[[date], bool]) -> Iterator[DatedText]:
    """The parts with texts that name a day that `is_meant`. Without a year, a date is of any year of the trip."""
    extent = journey.extent
    if extent is None:
        return
    years = range(extent.first.year, extent.last.year + 1)
    for part, cited, what, texts, item_id in _texts(journey):
        days = sorted({day for text in texts if text for day in dates_named(text, years) if is_meant(day)})
        if days:
            yield DatedText(part, cited, what, tuple(days), item_id)


def _texts(journey: Journey) -> Iterator[tuple[DatedPart, CitedPart, str, tuple[str | None, ...], str | None]]:
    for item in journey.todos:
        if not item.completed:
            yield "actionItems", CitedPart(title=short(item.text, _TITLE)), "a to-do", (item.text,), item.id or None
    for one in journey.appointments:
        part: DatedPart = "commitments" if one.kind == "commitment" else "events"
        yield part, cite_appointment(one), appointment(one), (one.title, one.notes), None
    for stay in journey.stays:
        yield (
            "accommodation",
            cite_stay(stay, "notes"),
            f"the stay of {leg_of(stay.leg_id)}",
            (stay.source.notes,),
            None,
        )
    for pin in journey.pins.values():
        yield "mapPins", cite_pin(pin), named("pin", pin.id), (pin.name, pin.notes), None
