"""A copy: a trip as a template for a new one on other dates, without what belongs to the old bookings.

A copy takes an allow-list of fields, so that a key that this contract does not know (it may be a code) stays behind.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final, Literal, TypeVar, get_args

from pydantic import ValidationError

from trips_mcp.contract.action_items import ActionItem, ActionItemItem
from trips_mcp.contract.commitments import Category, Commitment, CreateCommitment
from trips_mcp.contract.errors import faults
from trips_mcp.contract.events import CreateEvent, Event
from trips_mcp.contract.legs import LegItem
from trips_mcp.contract.map_pins import MapPin, MapPinItem
from trips_mcp.contract.models import Params, Result
from trips_mcp.itinerary.check.findings import (
    CitedPart,
    appointment,
    cite_appointment,
    cite_flight,
    cite_leg,
    cite_pin,
    flight,
    leg,
    named,
)
from trips_mcp.itinerary.formatting import clock, short
from trips_mcp.itinerary.journey import Journey
from trips_mcp.itinerary.local_time import read_moment
from trips_mcp.itinerary.model import Appointment, Stretch
from trips_mcp.json_values import JsonObject
from trips_mcp.planning.change import Change
from trips_mcp.planning.draft import (
    Draft,
    DraftNote,
    NoteKind,
    NotPlannableError,
    dated_texts,
    day_text,
    flights_by_leg,
    moment_text,
    note,
    written_flight,
)

Part = Literal[
    "legs", "accommodation", "flights", "rentalCars", "mapPins", "commitments", "actionItems", "events", "notes"
]
PARTS: Final[tuple[Part, ...]] = get_args(Part)

_STAY: Final = ("name", "address", "checkIn", "checkOut", "hostName", "notes")
_FLIGHT: Final = (
    "airline",
    "flightNumber",
    "from",
    "to",
    "departure",
    "arrival",
    "departureTimezone",
    "arrivalTimezone",
)
_CAR: Final = ("company", "pickUp", "dropOff", "location")
_LEFT_BEHIND: Final = {
    "confirmationNumber": "confirmation number",
    "seat": "seat",
    "doorCode": "door code",
    "wifiName": "Wi-Fi name",
    "wifiPassword": "Wi-Fi password",
    "hostPhone": "host phone number",
    "checkInInstructions": "check-in instruction",
}
"""Known fields that a copy leaves behind, in words."""
_AT_ONCE: Final = 500
"""The most items of one call of an upsert tool."""
_LAST_YEAR: Final = 9000
_FIRST_YEAR: Final = 1000
_TITLE: Final = 80
_TRIP: Final = "trip"
"""The name of the new trip in the changes."""
_THE_TRIP: Final = f"@{_TRIP}"
_WITHIN: Final[dict[str, tuple[Part, ...]]] = {"accommodation": ("legs", "notes")}
_CATEGORIES: Final = get_args(Category)

T = TypeVar("T")


def copy(journey: Journey, title: str, start: date, *, group_id: str | None, leave_out: Collection[str] = ()) -> Draft:
    """A new trip `title` of `group_id` that begins on `start`, with what the trip holds.

    Raises: NotPlannableError.
    """
    if unknown := [part for part in leave_out if part not in PARTS]:
        raise NotPlannableError(f"leaveOut: {unknown[0]!r} is no part of a trip; use {', '.join(PARTS)}.")
    if journey.starts is None or journey.ends is None:
        raise NotPlannableError("The trip has no dates to copy; set startDate and endDate with update_trip first.")
    if not group_id:
        raise NotPlannableError("The trip's group is not known; create the new trip with create_trip instead.")
    days = (start - journey.starts).days
    last = (journey.extent.last if journey.extent else journey.ends).year + days / 365
    if start.year < _FIRST_YEAR or last > _LAST_YEAR:
        raise NotPlannableError(
            f"startDate: {start} leads out of the years {_FIRST_YEAR} to {_LAST_YEAR}; use another one."
        )
    created = {
        "groupId": group_id,
        "title": title,
        "startDate": str(start),
        "endDate": day_text(max(journey.starts, journey.ends), days),
    }
    return _Copier(journey, days, frozenset(leave_out)).draft(Change("create_trip", created, _TRIP))


@dataclass
class _Copier:
    journey: Journey
    days: int
    leave_out: frozenset[str]
    _notes: list[DraftNote] = field(default_factory=list[DraftNote])
    _behind: Counter[str] = field(default_factory=Counter[str])

    def draft(self, created: Change) -> Draft:
        """Legs and pins come first, as commitments refer to them."""
        journey = self.journey
        self._flights_of = flights_by_leg(journey)
        legs = self._copied(journey.stretches, "legs", self._leg)
        pins = self._copied(journey.pins.values(), "mapPins", self._pin)
        todos = self._copied(journey.todos, "actionItems", self._todo)
        of_legs, of_pins = _references("legs", legs), _references("pins", pins)
        plans = [one for one in journey.appointments if isinstance(one.source, Commitment)]
        commitments = self._copied(plans, "commitments", lambda one: self._commitment(one, of_legs, of_pins))
        happenings = [one for one in journey.appointments if isinstance(one.source, Event)]
        events = self._copied(happenings if self._has_number else [], "events", self._event)
        changes = (
            created,
            *_upserts("upsert_legs", "legs", legs),
            *_upserts("upsert_map_pins", "pins", pins),
            *_upserts("upsert_action_items", "todos", todos),
            *(Change("create_commitment", {"tripId": _THE_TRIP, **item}) for _, item in commitments),
            *(Change("create_event", {**item, "trip_ids": [_THE_TRIP]}) for _, item in events),
        )
        return Draft(changes, (*self._summary(), *self._notes, *self._dates()))

    def _copied(
        self, parts: Iterable[T], name: Part, item_of: Callable[[T], tuple[str, JsonObject] | None]
    ) -> list[tuple[str, JsonObject]]:
        """Each part's id, with the item made of it."""
        if name in self.leave_out:
            return []
        return [made for part in parts if (made := item_of(part)) is not None]

    def _leg(self, stretch: Stretch) -> tuple[str, JsonObject] | None:
        source, zone = stretch.source, stretch.zone
        item: JsonObject = {
            "order": 0 if source.order is None else source.order,
            "title": source.title,
            "destination": source.destination,
            "startDate": self._day(stretch.starts),
            "endDate": self._day(stretch.ends),
            "timezone": zone,
        }
        if source.accommodation is not None and "accommodation" not in self.leave_out:
            item["accommodation"] = self._object(source.accommodation, _STAY, ("checkIn", "checkOut"), zone)
        if source.rental_car is not None and "rentalCars" not in self.leave_out:
            item["rentalCar"] = self._object(source.rental_car, _CAR, ("pickUp", "dropOff"), zone)
        if "flights" not in self.leave_out:
            item["flights"] = [*self._flights(stretch)]
        return self._checked(LegItem, stretch.id, item, cite_leg(stretch), leg(stretch))

    def _object(self, source: Result, known: Collection[str], dated: Collection[str], zone: str | None) -> JsonObject:
        """The known fields of a stay or a car, with its dates moved."""
        found = self._known(source, known)
        for name in dated:
            at = read_moment(found.get(name), zone)
            if at is not None:
                found[name] = moment_text(found[name], at, self.days)
        return found

    def _flights(self, stretch: Stretch) -> Iterator[JsonObject]:
        for one in self._flights_of.get(stretch.id, []):
            written = written_flight(one, self.days)
            if written is None:
                self._note("left_out", cite_flight(one), f"{flight(one)} has a value that a new leg does not take.")
            else:
                self._known(one.source, _FLIGHT)
                yield {name: value for name, value in written.items() if name in _FLIGHT}

    def _pin(self, pin: MapPin) -> tuple[str, JsonObject] | None:
        item = self._known(pin, ("name", "lat", "lng", "category", "notes"))
        return self._checked(MapPinItem, pin.id, item, cite_pin(pin), named("pin", pin.id))

    def _todo(self, todo: ActionItem) -> tuple[str, JsonObject] | None:
        if todo.owner:
            self._behind["to-do owner"] += 1
        item = {"text": todo.text, "urgency": todo.urgency}
        return self._checked(ActionItemItem, todo.id, item, CitedPart(title=short(todo.text, _TITLE)), "a to-do")

    def _commitment(
        self, one: Appointment, of_legs: Mapping[str, str], of_pins: Mapping[str, str]
    ) -> tuple[str, JsonObject] | None:
        known = ("title", "startTime", "endTime", "isAllDay", "timezone", "category", "notes")
        item = {**self._known(one.source, known), "startDate": self._day(one.starts.day if one.starts else None)}
        for name, part_id, references in (("legId", one.leg_id, of_legs), ("mapPinId", one.pin_id, of_pins)):
            if part_id in references:
                item[name] = references[part_id]
        if item.get("category") not in _CATEGORIES:
            item["category"] = "other"
        checked = self._checked(
            CreateCommitment, one.id, {"tripId": _THE_TRIP, **item}, cite_appointment(one), appointment(one)
        )
        return None if checked is None else (one.id, item)

    @property
    def _has_number(self) -> bool:
        """Whether a new trip has a number in the Events API, so that events can be put on it."""
        return self.journey.number is not None

    def _event(self, one: Appointment) -> tuple[str, JsonObject] | None:
        known = ("type", "title", "time", "description", "location", "importance")
        item = {**self._known(one.source, known), "date": self._day(one.starts.day if one.starts else None)}
        if "notes" in self.leave_out:
            item.pop("description", None)
        if "time" not in item and one.starts and one.starts.time:
            item["time"] = clock(one.starts.time)
        return self._checked(CreateEvent, one.id, item, cite_appointment(one), appointment(one))

    def _known(self, source: Result, known: Collection[str]) -> JsonObject:
        """The fields of a part that a copy takes over. The known others are counted."""
        fields: JsonObject = source.model_dump(by_alias=True, exclude_none=True)
        self._behind.update(name for field, name in _LEFT_BEHIND.items() if fields.get(field))
        taken = {name: value for name in known if (value := fields.get(name)) not in (None, "")}
        if "notes" in self.leave_out:
            taken.pop("notes", None)
        return taken

    def _day(self, day: date | None) -> str | None:
        return None if day is None else day_text(day, self.days)

    def _checked(
        self, model: type[Params], part_id: str, item: JsonObject, cited: CitedPart, what: str
    ) -> tuple[str, JsonObject] | None:
        """None, with a note, for a part that lacks what a new one must have."""
        item = {name: value for name, value in item.items() if value not in (None, [], {})}
        try:
            model.model_validate(item)
        except ValidationError as error:
            wrong = ", ".join(fault.path for fault in faults(error, model))
            self._note("left_out", cited, f"{what} is not copied: fix its {wrong} first.", part_id)
            return None
        return part_id, item

    def _summary(self) -> Iterator[DraftNote]:
        """One note for what no copy has, and one for what needs another look."""
        behind = [f"{count} {name}{'' if count == 1 else 's'}" for name, count in sorted(self._behind.items())]
        events = sum(one.kind == "event" for one in self.journey.appointments)
        if events and not self._has_number:
            behind.append("1 event" if events == 1 else f"{events} events")
        if behind:
            yield note("left_out", CitedPart(), f"not copied: {', '.join(behind)}. Messages and share links stay too.")
        flights = sum(map(len, self._flights_of.values()))
        if flights and not {"legs", "flights"} & self.leave_out:
            yield note(
                "to_rebook",
                CitedPart(),
                f"{'1 flight is' if flights == 1 else f'{flights} flights are'} copied without a booking and with the "
                "old times of day; check them for the new dates.",
            )

    def _dates(self) -> Iterator[DraftNote]:
        """Copied texts that name a date of the old trip."""
        extent = self.journey.extent or ()
        missing = self.leave_out if self._has_number else self.leave_out | {"events"}
        for text in dated_texts(self.journey, lambda day: day in extent):
            if not {text.part, *_WITHIN.get(text.part, ())} & missing:
                yield text.note(str)

    def _note(self, kind: NoteKind, cited: CitedPart, why: str, item_id: str | None = None) -> None:
        self._notes.append(note(kind, cited, why, item_id))


def _upserts(tool: str, name: str, items: list[tuple[str, JsonObject]]) -> Iterator[Change]:
    for number, start in enumerate(range(0, len(items), _AT_ONCE), 1):
        some = [item for _, item in items[start : start + _AT_ONCE]]
        yield Change(tool, {"tripId": _THE_TRIP, "items": some, "autoClientRef": False}, _name(name, number))


def _references(name: str, items: list[tuple[str, JsonObject]]) -> dict[str, str]:
    """By the old id, what stands for the new one."""
    return {
        part_id: f"@{_name(name, place // _AT_ONCE + 1)}.{place % _AT_ONCE + 1}"
        for place, (part_id, _) in enumerate(items)
    }


def _name(name: str, number: int) -> str:
    return name if number == 1 else f"{name}_{number}"
