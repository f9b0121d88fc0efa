"""Drafts, which moves and copies share: changes, notes on what stays, dates in texts, and which parts are booked.

A plan moves dates, but leaves texts as they are: to-dos, titles and notes that name a date get a note. Only forms with
a day and a month count (`buy by 16 October`, `16.10.`, `10/16`, `10月16日`): a weekday alone or `the 16th` may mean
another day.

Dates are written in a trip's own spelling, and the wall clock always stays. The contract stores local times, so a shift
over a clock change needs no correction. Only an instant, which a service may send with an offset, is first read in its
zone and then written as the local time there.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Final, Literal

from pydantic import ValidationError

from trips_mcp.contract.legs import Flight
from trips_mcp.contract.models import Result
from trips_mcp.itinerary.check.findings import (
    CitedPart,
    appointment,
    begin,
    cite_appointment,
    cite_pin,
    cite_stay,
    leg_of,
    named,
)
from trips_mcp.itinerary.day_grammar import LANGUAGES
from trips_mcp.itinerary.formatting import clock, short
from trips_mcp.itinerary.journey import Journey
from trips_mcp.itinerary.local_time import Moment, read_time
from trips_mcp.itinerary.model import Appointment, Move
from trips_mcp.json_values import JsonObject
from trips_mcp.places.tables import without_accents
from trips_mcp.planning.change import Change

NoteKind = Literal["to_rebook", "names_date", "left_as_is", "left_out", "not_undone"]
"""
- to_rebook: a booking that stays on its old dates and no longer fits.
- names_date: a text with a date that moves; the text is left as it is.
- left_as_is: a part that cannot be moved.
- left_out: what a copy does not take over.
- not_undone: an item that an undo leaves as it is.
"""
DatedPart = Literal["actionItems", "commitments", "events", "accommodation", "mapPins"]

MOST: Final = 3
"""Maximum dates that a note names."""
_TITLE: Final = 80
_DIGITS: Final = re.compile("[0-9]+")
_ISO: Final = re.compile(r"(?<![0-9])([0-9]{4})[-/.]([0-9]{1,2})[-/.]([0-9]{1,2})(?![0-9])")
_PAIR: Final = re.compile(
    r"(?<![0-9./-])([0-9]{1,2})(?:\. ?([0-9]{1,2})\.|/([0-9]{1,2})(?![\w.]))(?: ?/?([0-9]{4}|[0-9]{2})(?![0-9:]))?"
)
_CENTURY: Final = 100
_OFFSET: Final = re.compile(r"[0-9]\s?(?:[Zz]|[+-][0-9]{2}:?[0-9]{2})$")
_DATE_LENGTH: Final = 10
_NUMBERS: Final = ("confirmationNumber", "confirmation_number")
_STATUSES: Final = ("booking_status", "bookingStatus")
_NOT_BOOKED: Final = frozenset(
    {
        "",
        "none",
        "no",
        "false",
        "not_booked",
        "unbooked",
        "not_needed",
        "not_required",
        "open",
        "idea",
        "draft",
        "planned",
        "to_book",
        "todo",
        "needed",
        "cancelled",
        "canceled",
    }
)
_FLIGHT: Final = "flight"
_ENDS: Final = ("departure", "arrival")


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
        days = sorted({day for text in texts if text for day in _dates_named(text, years) if is_meant(day)})
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


def _dates_named(text: str, years: Iterable[int]) -> frozenset[date]:
    """The dates that `text` may name. Without a year, in any of `years`."""
    if not _DIGITS.search(text):
        return frozenset()
    plain = without_accents(unicodedata.normalize("NFKC", text).casefold())
    found: set[date | None] = {_date(*map(int, match.groups())) for match in _ISO.finditer(plain)}
    known = list(years)
    for match in _PAIR.finditer(plain):
        first, dotted, slashed, year = match.groups()
        orders = [(first, dotted)] if dotted else [(first, slashed), (slashed, first)]
        found |= {_date(one, int(month), int(day)) for day, month in orders for one in _years(year, known)}
    for pattern in _with_month_names():
        for match in pattern.finditer(plain):
            said = match.groupdict()
            found |= {_date(one, month, int(said["day"])) for one in _years(said["year"], known) for month in _of(said)}
    return frozenset(day for day in found if day is not None)


def _years(written: str | None, known: list[int]) -> list[int]:
    if written is None:
        return known
    return [int(written) if int(written) >= _CENTURY else 2000 + int(written)]


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _of(said: dict[str, str | None]) -> frozenset[int]:
    return _months()[str(said["month"])]


@cache
def _with_month_names() -> tuple[re.Pattern[str], ...]:
    names = "|".join(re.escape(name) for name in sorted(_months(), key=len, reverse=True))
    month = rf"(?<![^\W\d_])(?P<month>{names})(?:\.|(?![^\W\d_]))"
    day = r"(?<![0-9:.])(?P<day>[0-9]{1,2})(?:st|nd|rd|th|er|ste|de|e|\.|o)?(?![0-9:])"
    year = r"(?:,? ?(?:de |del )?(?P<year>[0-9]{4})(?![0-9]))?"
    japanese = r"(?P<month>[0-9]{1,2}月) ?(?P<day>[0-9]{1,2})日(?P<year>(?!))?"
    return (
        re.compile(rf"{day} ?(?:of |de |d')?{month}{year}"),
        re.compile(rf"{month} ?(?:the )?{day}{year}"),
        re.compile(japanese),
    )


@cache
def _months() -> dict[str, frozenset[int]]:
    found: defaultdict[str, set[int]] = defaultdict(set)
    for language in LANGUAGES.values():
        for number, spellings in enumerate(language.months.split(), 1):
            for spelling in spellings.split("/"):
                found[without_accents(unicodedata.normalize("NFKC", spelling))].add(number)
    return {name: frozenset(numbers) for name, numbers in found.items()}


def day_text(day: date, days: int) -> str:
    return str(day + timedelta(days))


def moment_text(text: str, at: Moment, days: int) -> str:
    """The free text `text`, which was read as `at`."""
    day, text = day_text(at.day, days), text.strip()
    if at.time is not None and at.zone is not None and _OFFSET.search(text):
        return f"{day}T{clock(at.time)}"
    return f"{day}{text[_DATE_LENGTH:]}"


def _local_text(at: Moment, days: int) -> str:
    """As a flight has it: `2026-10-16T18:30`. A date alone stays one."""
    day = day_text(at.day, days)
    return day if at.time is None else f"{day}T{clock(at.time)}"


def pinned_text(text: str | None, day: date) -> str | None:
    """A time of day, or nothing, with the date it is meant for. None if the text is neither."""
    if not text or not text.strip():
        return str(day)
    at = read_time(text)
    return None if at is None else f"{day}T{clock(at)}"


def is_booked(part: Result) -> bool:
    """By its confirmation number."""
    fields = part.model_dump(by_alias=True, include={"confirmation_number"}) | (part.model_extra or {})
    return any(str(fields.get(name) or "").strip() for name in _NUMBERS)


def is_booked_appointment(one: Appointment) -> bool:
    """By its confirmation number or booking status. An event that is a flight always is."""
    extra = one.source.model_extra or {}
    statuses = (str(extra[name] or "").strip().casefold().replace(" ", "_") for name in _STATUSES if name in extra)
    is_flight = one.kind == "event" and one.category.strip().casefold() == _FLIGHT
    return is_flight or is_booked(one.source) or any(status not in _NOT_BOOKED for status in statuses)


def flights_by_leg(journey: Journey) -> dict[str, list[Move]]:
    """In the order of each leg's list."""
    found: defaultdict[str, list[Move]] = defaultdict(list)
    for one in sorted(journey.moves, key=lambda one: one.index):
        found[one.leg_id].append(one)
    return found


def written_flight(one: Move, days: int) -> JsonObject | None:
    """`days` later, with the clock's time at each end. None if a value of it is not one that the API takes."""
    written: JsonObject = one.source.model_dump(by_alias=True, exclude_none=True)
    for name, at in zip(_ENDS, (one.departs, one.arrives), strict=True):
        if at is not None:
            written[name] = _local_text(at, days)
    try:
        Flight.model_validate(written)
    except ValidationError:
        return None
    return written
