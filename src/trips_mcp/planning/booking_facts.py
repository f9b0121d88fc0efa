"""What a booking says, in the fields of the APIs: of flights, stays, cars, commitments and events.

In the notes of a commitment or an event, it is labelled lines above the traveller's own words.
"""

from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from trips_mcp.bookings.matching import all_of
from trips_mcp.bookings.model import Booking, BookingPlace
from trips_mcp.contract.fields import is_blank
from trips_mcp.json_values import JsonObject

_DAY: Final = timedelta(days=1)
_LONGEST_NOTES: Final = 10_000
_TEXTS: Final = ("provider", "number", "name", "confirmation_number", "seat")
_CATEGORIES: Final = {"restaurant": "dinner", "event": "activity"}
_LABELS: Final = ("From", "To", "Arrives", "Address", "Confirmation", "Seat")
"""In the order in which they are written."""
_LISTED: Final = ("Confirmation", "Seat")
"""Travellers of one ride may have one each."""


def flight_facts(one: Booking) -> JsonObject:
    starts, ends = one.starts, one.ends
    return _known(
        airline=one.provider,
        flightNumber=one.number,
        **{"from": one.origin.label, "to": one.destination.label},
        departure=starts.at if starts and starts.clock else "",
        arrival=ends.at if ends and ends.clock else "",
        departureTimezone=starts.zone if starts and starts.clock else "",
        arrivalTimezone=ends.zone if ends and ends.clock else "",
        confirmationNumber=one.confirmation_number,
        seat=one.seat,
    )


def stay_facts(one: Booking) -> JsonObject:
    return _known(
        name=one.name,
        address=one.origin.address,
        checkIn=one.starts.at if one.starts else "",
        checkOut=one.ends.at if one.ends else "",
        confirmationNumber=one.confirmation_number,
    )


def car_facts(one: Booking) -> JsonObject:
    ends = [place.name or place.address for place in (one.origin, one.destination)]
    location = ends[0] if ends[0] == ends[1] or not ends[1] else f"{ends[0]} → {ends[1]}"
    return _known(
        company=one.name or one.provider,
        pickUp=one.starts.at if one.starts else "",
        dropOff=one.ends.at if one.ends else "",
        location=location,
        confirmationNumber=one.confirmation_number,
    )


def plan_facts(one: Booking, title: str) -> JsonObject:
    starts, ends = one.starts, one.ends
    if starts is None:
        return {}
    lines = (
        ("From", one.origin.name if one.is_ride else ""),
        ("To", one.destination.name if one.is_ride else ""),
        ("Arrives", ends.at.replace("T", " ") if one.is_ride and ends else ""),
        ("Address", one.origin.address),
        ("Confirmation", one.confirmation_number),
        ("Seat", one.seat),
    )
    is_short = ends is not None and ends.clock is not None and timedelta() <= ends.day - starts.day <= _DAY
    is_short = is_short and (ends is not None and starts.clock is not None)
    return _known(
        title=title[:200],
        startDate=f"{starts.day}",
        category=_CATEGORIES.get(one.kind, "other"),
        startTime=f"{starts.clock:%H:%M}" if starts.clock else "",
        endTime=f"{ends.clock:%H:%M}" if is_short and ends and ends.clock else "",
        isAllDay=True if starts.clock is None else "",
        timezone=starts.zone or "",
        notes="\n".join(f"{name}: {value}" for name, value in lines if value),
    )


def event_facts(one: Booking, facts: JsonObject) -> JsonObject:
    return _known(
        type="train" if one.kind == "train" else "local_transit" if one.kind == "bus" else "other",
        title=facts["title"],
        date=facts["startDate"],
        time=facts.get("startTime", ""),
        description=facts.get("notes", ""),
        location=one.origin.name,
    )


def title_of(one: Booking) -> str:
    if one.is_ride:
        route = f"{one.origin.label} → {one.destination.label}"
        return f"{one.number or one.kind.capitalize()} {route}"
    return one.name or one.provider or one.kind.capitalize()


def storable(one: Booking) -> Booking:
    """The booking with texts that the APIs take: without NUL, and empty if they show nothing."""
    texts = {name: _storable_text(getattr(one, name)) for name in _TEXTS}
    travellers = tuple(name for each in one.travellers if (name := _storable_text(each)))
    return replace(
        one,
        **texts,
        travellers=travellers,
        origin=_storable_place(one.origin),
        destination=_storable_place(one.destination),
    )


def _storable_place(place: BookingPlace) -> BookingPlace:
    return replace(
        place, **{name: _storable_text(getattr(place, name)) for name in ("name", "address", "city", "country")}
    )


def _storable_text(text: str) -> str:
    return "" if is_blank(text) else text.replace("\0", "")


def merged_notes(old: str, new: str) -> tuple[str, list[str]]:
    """The notes with what a booking says, and the differences in words. Other lines stay, below ours."""
    known, own_words = _parsed(old)
    given, _ = _parsed(new)
    differences: list[str] = []
    for label, value in given.items():
        before = known.get(label)
        after = all_of(before, value) if before and label in _LISTED else value
        if before is None:
            differences.append(f"{label.lower()}: {value} is added")
        elif after != before and label not in ("From", "To", "Address"):  # the traveller may have written these better
            differences.append(f"{label.lower()}: {before} becomes {after}")
        else:
            continue
        known[label] = after
    lines = [f"{label}: {known[label]}" for label in _LABELS if label in known]
    merged = "\n".join((*lines, *own_words))
    return (merged, differences) if len(merged) <= _LONGEST_NOTES else (old, [])


def _parsed(notes: str) -> tuple[dict[str, str], list[str]]:
    """The values by label, and the other lines."""
    known: dict[str, str] = {}
    others: list[str] = []
    for line in notes.split("\n"):
        label, mark, value = line.partition(": ")
        if mark and label in _LABELS and label not in known:
            known[label] = value.strip()
        elif line.strip() or others:
            others.append(line)
    return known, others


def _known(**facts: Any) -> JsonObject:
    return {name: value for name, value in facts.items() if value not in ("", None)}
