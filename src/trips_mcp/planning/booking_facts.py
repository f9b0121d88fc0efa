"""Facts of bookings, in the fields of the APIs, and whether a flight, a stay, a car or a plan of a trip has them.

In the notes of a commitment or an event, they are labelled lines above the traveller's own words.
"""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any, Final

from trips_mcp.bookings.model import Booking, BookingPlace, BookingTime, all_of, digits_of
from trips_mcp.contract.fields import is_blank
from trips_mcp.itinerary.local_time import read_moment
from trips_mcp.itinerary.model import Appointment
from trips_mcp.json_values import JsonObject
from trips_mcp.places.tables import fold

_DAY: Final = timedelta(days=1)
_LONGEST_NOTES: Final = 10_000
_TEXTS: Final = ("provider", "number", "name", "confirmation_number", "seat")
_CATEGORIES: Final = {"restaurant": "dinner", "event": "activity"}
_LABELS: Final = ("From", "To", "Arrives", "Address", "Confirmation", "Seat")
"""In the order in which they are written."""
_LISTED: Final = ("Confirmation", "Seat")
"""Travellers of one ride may have one each."""
_NUMBER: Final = "confirmationNumber"
_ONE_EACH: Final = ("seat", _NUMBER)
_FREE_WORDS: Final = frozenset({"airline", "name", "address", "location", "company", "from", "to"})
"""Names and addresses, which the traveller may have written better."""


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


def merge(existing: JsonObject, facts: JsonObject, *, several: bool = False, hidden: bool = False) -> list[str]:
    """Put facts into what is there. Returns the differences in words; what says the same in other words is none.

    `several`: there may be more than one seat and confirmation number. `hidden`: without confirmation numbers.
    """
    differences: list[str] = []
    for name, value in facts.items():
        old = existing.get(name)
        said = f"{name}: {old} becomes {value}"
        if old in (None, ""):
            said = f"{name}: {value} is added"
        elif several and name in _ONE_EACH:
            both = all_of(str(old), str(value))
            if both == all_of(str(old)):
                continue
            value, said = both, f"{name}: {old} becomes {both}"
        elif _says_the_same(name, str(old), str(value)):
            continue
        existing[name] = value
        differences.append(f"{name} is set" if hidden and name == _NUMBER else said)
    return differences


def _says_the_same(name: str, old: str, new: str) -> bool:
    if name in _FREE_WORDS:
        return True
    if name in ("flightNumber", "confirmationNumber"):
        return _compact(old) == _compact(new)
    written, read = read_moment(old, None), read_moment(new, None)
    if written is None or read is None:
        return old == new
    is_exact = written.time is not None and read.time is not None
    return (
        written.day == read.day
        and (not is_exact or written.time == read.time)
        and not (written.time is None and read.time is not None)
    )


def is_same_flight(flight: JsonObject, one: Booking, starts: BookingTime) -> bool:
    """By its number on that day; without a number, by its way on that day."""
    if _day(flight.get("departure")) != starts.day:
        return False
    if _compact(flight.get("flightNumber")) == _compact(one.number) != "":
        return True
    return not one.number and _ends_of(flight) == (one.origin.label, one.destination.label)


def is_of_same_reservation(flight: JsonObject, one: Booking) -> bool:
    """Whether it has a confirmation number of the booking, and its way."""
    number = one.confirmation_number
    is_shared = number != "" and _share_a_number(flight.get("confirmationNumber"), number)
    return is_shared and _ends_of(flight) == (one.origin.label, one.destination.label)


def is_same_stay(known: JsonObject, leg_starts: date, one: Booking, starts: BookingTime) -> bool:
    """`known` is a leg's accommodation, empty if it has none."""
    if not known:
        return False
    if one.confirmation_number and _share_a_number(known.get("confirmationNumber"), one.confirmation_number):
        return True
    first = _day(known.get("checkIn")) or leg_starts
    return fold(str(known.get("name") or "")) == fold(one.name) != "" and first == starts.day


def is_same_car(known: JsonObject, one: Booking, starts: BookingTime) -> bool:
    number = _compact(known.get("confirmationNumber"))
    if number and one.confirmation_number:
        return number == _compact(one.confirmation_number)
    return fold(str(known.get("company") or "")) == fold(one.name) and _day(known.get("pickUp")) == starts.day


def is_same_ride(each: Appointment, one: Booking, starts: BookingTime) -> bool:
    """The same number and departure, though its stations are spelled in another way."""
    digits = digits_of(one)
    if not (one.is_ride and digits and each.starts and each.starts.day == starts.day):
        return False
    clocks = {each.starts.time, starts.clock} - {None}
    return len(clocks) < 2 and digits in [word.lstrip("0") for word in fold(each.title).split()]


def _share_a_number(one: Any, other: str) -> bool:
    return not set(_compact(one).split(",")).isdisjoint(_compact(other).split(","))


def _day(text: Any) -> date | None:
    moment = read_moment(str(text), None) if text else None
    return moment.day if moment else None


def _ends_of(flight: JsonObject) -> tuple[str, str]:
    return str(flight.get("from") or ""), str(flight.get("to") or "")


def _compact(text: Any) -> str:
    return "".join(str(text or "").split()).upper()
