"""Bookings into a trip: what is new, what is there already, what changed, what was cancelled, what to ask.

Nothing is deleted: a cancelled booking is named. What the trip has and a confirmation does not say stays.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from hashlib import sha256
from typing import Any, Final, Literal

from trips_mcp.bookings.matching import all_of, client_ref, combined, contradictions, digits_of, identity
from trips_mcp.bookings.model import Booking, BookingPlace, BookingTime, SavedPlace
from trips_mcp.contract.fields import is_blank
from trips_mcp.contract.legs import LegAccommodation, LegRentalCar
from trips_mcp.itinerary.journey import Journey
from trips_mcp.itinerary.local_time import Moment, read_moment
from trips_mcp.itinerary.model import Appointment, Move, Stretch
from trips_mcp.json_values import JsonObject
from trips_mcp.places.aliases import names_in
from trips_mcp.places.names import fold
from trips_mcp.planning.booking_facts import (
    car_facts,
    event_facts,
    flight_facts,
    merged_notes,
    plan_facts,
    stay_facts,
    storable,
    title_of,
)
from trips_mcp.planning.bookings import flights_by_leg, written_flight
from trips_mcp.planning.change import Change
from trips_mcp.planning.place_names import names_of

ImportOutcome = Literal["new", "same", "changed", "cancelled", "question"]

_DAY: Final = timedelta(days=1)
MARGIN: Final = timedelta(days=1)
"""A booking may lie this far outside the trip's dates: a night flight before it, the way home after it."""
_CONNECTION: Final = timedelta(days=1)
"""Flights less than this apart, the second from where the first lands, are one way."""
_MOST_FLIGHTS: Final = 50
"""Flights of one leg (docs/contract.md)."""
_MOST_PINS: Final = 100
"""Pins of one change."""
_TIMES: Final = ("startDate", "startTime", "endTime")
_OF_EVENT: Final = {"startDate": "date", "startTime": "time", "notes": "description"}
"""Fields of a commitment as an event has them."""


@dataclass(frozen=True, slots=True)
class ImportedBooking:
    """What becomes of one booking."""

    booking: Booking
    outcome: ImportOutcome
    why: str
    """One sentence of facts: what changes from what to what, or what to decide."""


@dataclass(frozen=True, slots=True)
class ImportDraft:
    changes: tuple[Change, ...]
    bookings: tuple[ImportedBooking, ...]
    pins: int = 0
    """How many saved places become pins."""


def plan_bookings(
    journey: Journey,
    bookings: Iterable[Booking],
    places: Sequence[SavedPlace] = (),
    *,
    events_on: int | str | None = None,
    masks: bool = False,
) -> ImportDraft:
    """Changes that put bookings and saved places into a trip. The same for every order and repetition of them.

    `events_on`: the trip's number in the Events API, or what stands for it; None if rides cannot become events.
    `masks`: whether the words of the result must not have confirmation numbers of the trip.
    """
    return _Importer(journey, [*map(storable, bookings)], events_on, masks).draft(places)


def is_outside(journey: Journey, one: Booking) -> bool:
    """Whether it starts outside the trip's dates, if both are known."""
    first, last = journey.starts, journey.ends
    if one.starts is None or first is None or last is None:
        return False
    return not first - MARGIN <= one.starts.day <= last + MARGIN


@dataclass
class _LegDraft:
    """A leg as it becomes. `stretch` is None for a new one."""

    key: str
    """Its id, or the name of what creates it."""
    stretch: Stretch | None
    destination: str
    starts: date
    ends: date
    zone: str | None
    names: frozenset[str]
    flights: list[JsonObject]
    accommodation: JsonObject = field(default_factory=dict[str, Any])
    rental: JsonObject = field(default_factory=dict[str, Any])
    ref: str = ""
    written: set[str] = field(default_factory=set[str])
    """Fields that differ from the trip's."""

    @property
    def link(self) -> str:
        return self.key if self.stretch else f"@{self.key}"

    def covers(self, day: date) -> bool:
        return self.starts <= day <= self.ends


@dataclass
class _Importer:
    journey: Journey
    read: Sequence[Booking]
    events_on: int | str | None
    masks: bool
    _results: list[ImportedBooking] = field(default_factory=list[ImportedBooking])
    _changes: list[Change] = field(default_factory=list[Change])

    def draft(self, places: Sequence[SavedPlace]) -> ImportDraft:
        self._legs = [*self._existing_legs()]
        self._records = combined(self.read)
        self._asked = {identity(one): times for one, times in contradictions(self.read)}
        for one in self._records:
            if one.kind == "stay":  # stays make the legs that flights lead to
                self._record(one)
        for one in self._records:
            if one.kind != "stay":
                self._record(one)
        changes = [*self._leg_changes(), *self._changes]
        pins = [*self._pins(places)]
        changes += pins
        count = sum(len(change.arguments["items"]) for change in pins)
        return ImportDraft(tuple(changes), tuple(self._results), count)

    def _record(self, one: Booking) -> None:
        times = self._asked.get(identity(one))
        if one.problems:
            self._result(one, "question", " ".join(one.problems))
        elif one.starts is None:
            self._result(one, "question", "It does not say when it starts.")
        elif times is not None:
            self._result(one, "question", f"The sources name different times: {' and '.join(times)}.")
        elif is_outside(self.journey, one):
            dates = f"{self.journey.starts} to {self.journey.ends}"
            self._result(one, "question", f"It is on {one.starts.day}, outside the trip ({dates}).")
        elif one.kind == "flight":
            self._flight(one, one.starts)
        elif one.kind == "stay":
            self._stay(one, one.starts)
        elif one.kind == "car":
            self._car(one, one.starts)
        else:
            self._plan(one, one.starts)

    def _result(self, one: Booking, outcome: ImportOutcome, why: str) -> None:
        self._results.append(ImportedBooking(one, outcome, why))

    def _existing_legs(self) -> Iterator[_LegDraft]:
        flights = flights_by_leg(self.journey)
        stays = {one.leg_id: one.source for one in self.journey.stays}
        rentals = {one.leg_id: one.source for one in self.journey.rentals}
        for leg in self.journey.stretches:
            if leg.days is None:
                continue
            yield _LegDraft(
                key=leg.id,
                stretch=leg,
                destination=leg.destination,
                starts=leg.days.first,
                ends=leg.days.last,
                zone=leg.zone,
                names=names_in(leg.destination, leg.zone) | {fold(leg.destination)},
                flights=[written for one in flights.get(leg.id, ()) if (written := _as_written(one)) is not None],
                accommodation=_dumped(stays.get(leg.id)),
                rental=_dumped(rentals.get(leg.id)),
            )

    # flights

    def _flight(self, one: Booking, starts: BookingTime) -> None:
        found = self._same_flight(one, starts)
        if one.status == "cancelled":
            self._cancelled(one, found is not None)
            return
        facts = flight_facts(one)
        if found is not None:
            leg, index = found
            differences = _merge(leg.flights[index], facts, several=True, hidden=self.masks)
            if differences:
                leg.written.add("flights")
            self._compared(one, differences)
            return
        if starts.clock is None:  # a flight of the API has a time or no date at all
            self._result(one, "question", f"It says the day, {starts.day}, and no time of departure; ask for it.")
            return
        leg = self._leg_of_flight(one, starts)
        if leg is None:
            self._result(one, "question", f"No leg fits {one.destination.label}, and its time zone is not known.")
            return
        if len(leg.flights) >= _MOST_FLIGHTS:
            self._result(one, "question", f"The leg {leg.destination} has {_MOST_FLIGHTS} flights, and takes no more.")
            return
        leg.flights.append(facts)
        leg.flights.sort(key=lambda flight: (str(flight.get("departure", "")), str(flight.get("flightNumber", ""))))
        leg.written.add("flights")
        self._result(one, "new", f"It goes to the leg {leg.destination}, from {leg.starts}.")

    def _same_flight(self, one: Booking, starts: BookingTime) -> tuple[_LegDraft, int] | None:
        rows = [(leg, index) for leg in self._legs for index in range(len(leg.flights))]
        for leg, index in rows:
            flight = leg.flights[index]
            same_day = _day(flight.get("departure")) == starts.day
            if same_day and _compact(flight.get("flightNumber")) == _compact(one.number) != "":
                return leg, index
            if same_day and not one.number and _ends_of(flight) == (one.origin.label, one.destination.label):
                return leg, index
        # rebooked: the same reservation and flight number, or way, on another day or under another number
        mine = [each for each in self._records if each.kind == "flight" and _is_alike(each, one)]
        moved = [
            (leg, index)
            for leg, index in rows
            if one.confirmation_number
            and _share_a_number(leg.flights[index].get("confirmationNumber"), one.confirmation_number)
            and _ends_of(leg.flights[index]) == (one.origin.label, one.destination.label)
        ]
        return moved[0] if len(moved) == len(mine) == 1 else None

    def _leg_of_flight(self, one: Booking, starts: BookingTime) -> _LegDraft | None:
        last = self._end_of_way(one)
        arrives = (last.ends or last.starts or starts).day
        names = names_of(last.destination)
        fitting = [leg for leg in self._legs if leg.names & names and leg.starts - _DAY <= arrives <= leg.ends]
        if fitting:
            return min(fitting, key=lambda leg: (abs(leg.starts - arrives), leg.starts, leg.key))
        left = [leg for leg in self._legs if leg.names & names_of(one.origin) and abs(leg.ends - starts.day) <= _DAY]
        if left:  # the way home belongs to the leg that it ends
            return max(left, key=lambda leg: (leg.ends, leg.key))
        starting = [leg for leg in self._legs if leg.starts == arrives and leg.zone == last.destination.zone]
        if len(starting) == 1:
            return starting[0]
        title = last.destination.city or last.destination.name or last.destination.code
        return self._new_leg(last, title, arrives, self._departure_after(arrives, last.destination), last.destination)

    def _end_of_way(self, one: Booking) -> Booking:
        """The last of its connecting flights."""
        seen = {identity(one)}
        while True:
            after = [
                each
                for each in self._records
                if each.kind == "flight"
                and each.starts is not None
                and one.starts is not None
                and each.origin.label == one.destination.label
                and timedelta() <= each.starts.day - one.starts.day <= _CONNECTION
                and (each.starts.at >= (one.ends.at if one.ends else one.starts.at) or each.starts.clock is None)
                and identity(each) not in seen
            ]
            if not after:
                return one
            one = after[0]
            seen.add(identity(one))

    def _departure_after(self, day: date, place: BookingPlace) -> date:
        """The day on which a later flight leaves from there; else the end of the trip, else the same day."""
        leaves = [
            each.starts.day
            for each in self._records
            if each.kind == "flight" and each.starts and each.origin.label == place.label and each.starts.day >= day
        ]
        return min(leaves, default=max(day, self.journey.ends or day))

    # stays

    def _stay(self, one: Booking, starts: BookingTime) -> None:
        facts = stay_facts(one)
        found = next((leg for leg in self._legs if _is_same_stay(leg, one, starts)), None)
        if one.status == "cancelled":
            self._cancelled(one, found is not None)
            return
        if found is not None:
            differences = _merge(found.accommodation, facts, several=True, hidden=self.masks)
            if differences:
                found.written.add("accommodation")
            self._compared(one, differences)
            return
        last = one.ends.day if one.ends else starts.day + _DAY
        names = names_of(one.origin)
        free = [leg for leg in self._legs if not leg.accommodation and leg.covers(starts.day) and leg.covers(last)]
        fitting = [leg for leg in free if leg.names & names] or (
            [leg for leg in free if (leg.starts, leg.ends) == (starts.day, last)] if not names else []
        )
        leg = min(fitting, key=lambda leg: (leg.starts, leg.key), default=None)
        title = one.origin.city or one.name
        leg = leg or self._new_leg(one, title, starts.day, last, one.origin)
        if leg is None:
            self._result(one, "question", "No leg fits its place and dates, and its time zone is not known.")
            return
        leg.accommodation = facts
        leg.written.add("accommodation")
        self._result(one, "new", f"It goes to the leg {leg.destination}, from {leg.starts}.")

    # cars

    def _car(self, one: Booking, starts: BookingTime) -> None:
        facts = car_facts(one)
        found = next((leg for leg in self._legs if leg.rental and _is_same_car(leg.rental, one, starts)), None)
        if one.status == "cancelled":
            self._cancelled(one, found is not None)
            return
        if found is not None:
            differences = _merge(found.rental, facts, hidden=self.masks)
            if differences:
                found.written.add("rentalCar")
            self._compared(one, differences)
            return
        free = [leg for leg in self._legs if not leg.rental and leg.covers(starts.day)]
        fitting = [leg for leg in free if leg.names & names_of(one.origin)] or free
        if not fitting:
            self._result(one, "question", f"No leg without a rental car covers {starts.day}.")
            return
        leg = max(fitting, key=lambda leg: (leg.starts, leg.key))
        leg.rental = facts
        leg.written.add("rentalCar")
        self._result(one, "new", f"It goes to the leg {leg.destination}, from {leg.starts}.")

    # restaurants, events, trains, buses and ferries

    def _plan(self, one: Booking, starts: BookingTime) -> None:
        title = title_of(one)
        found = self._same_plan(one, title, starts)
        if one.status == "cancelled":
            self._cancelled(one, found is not None)
            return
        facts = plan_facts(one, title)
        if found is None:
            self._create_plan(one, facts, starts)
            return
        differences: list[str] = []
        written: JsonObject = {}
        old = _clock_of(found.starts)
        if old and (old.day != starts.day or (starts.clock is not None and starts.clock != old.clock)):
            differences.append(f"start: {old.at} becomes {starts.at}")
            written |= {name: facts[name] for name in _TIMES if name in facts}
        notes, added = merged_notes(found.notes, facts.get("notes", ""))
        if added:
            differences += added
            written["notes"] = notes
        if written:
            self._update_plan(found, written)
        self._compared(one, differences)

    def _same_plan(self, one: Booking, title: str, starts: BookingTime) -> Appointment | None:
        alike = [each for each in self.journey.appointments if fold(each.title) == fold(title)]
        on_day = [each for each in alike if each.starts and each.starts.day == starts.day]
        if on_day:
            return on_day[0]
        of_train = [each for each in self.journey.appointments if _is_same_ride(each, one, starts)]
        if len(of_train) == 1:
            return of_train[0]
        number = one.confirmation_number
        booked = [each for each in alike if number and number in each.notes]
        return booked[0] if len(booked) == 1 else None

    def _create_plan(self, one: Booking, facts: JsonObject, starts: BookingTime) -> None:
        if one.is_ride and self.events_on is not None:
            event = event_facts(one, facts)
            self._changes.append(Change("create_event", {**event, "trip_ids": [self.events_on]}))
            self._result(one, "new", "It becomes an event of the itinerary.")
            return
        legs = [leg for leg in self._legs if leg.covers(starts.day)]
        fitting = [leg for leg in legs if leg.names & names_of(one.origin)] or legs
        link = {"legId": fitting[0].link} if len(fitting) == 1 else {}
        self._changes.append(Change("create_commitment", {"tripId": self.journey.trip_id, **facts, **link}))
        self._result(one, "new", "It becomes a commitment.")

    def _update_plan(self, found: Appointment, written: JsonObject) -> None:
        if found.kind == "event":
            fields = {_OF_EVENT[name]: value for name, value in written.items() if name in _OF_EVENT}
            self._changes.append(Change("update_event", {"event_id": int(found.id), **fields}))
            return
        ids = {"tripId": self.journey.trip_id, "commitmentId": found.id}
        self._changes.append(Change("update_commitment", {**ids, **written}))

    # shared

    def _cancelled(self, one: Booking, is_there: bool) -> None:
        why = "It is still in the trip; delete it if it is not needed." if is_there else "The trip does not have it."
        self._result(one, "cancelled", why)

    def _compared(self, one: Booking, differences: Sequence[str]) -> None:
        if differences:
            self._result(one, "changed", f"{'; '.join(differences)}.")
        else:
            self._result(one, "same", "It is in the trip already.")

    def _new_leg(self, one: Booking, title: str, starts: date, ends: date, place: BookingPlace) -> _LegDraft | None:
        if place.zone is None or not title:
            return None
        ref = client_ref(one)
        leg = _LegDraft(
            key=f"leg{1 + sum(each.stretch is None for each in self._legs)}",
            stretch=None,
            destination=title[:200],
            starts=starts,
            ends=max(starts, ends),
            zone=place.zone,
            names=names_of(place) | {fold(title)},
            flights=[],
            ref=ref,
        )
        self._legs.append(leg)
        return leg

    def _leg_changes(self) -> Iterator[Change]:
        orders = [leg.order for leg in self.journey.stretches if leg.order is not None]
        order = max(orders, default=0.0)
        for leg in sorted(self._legs, key=lambda leg: (leg.starts, leg.ends, leg.key)):
            parts: Mapping[str, Any] = {
                "flights": leg.flights,
                "accommodation": leg.accommodation,
                "rentalCar": leg.rental,
            }
            written = {name: value for name, value in parts.items() if name in leg.written}
            if leg.stretch is not None:
                if written:
                    ids = {"tripId": self.journey.trip_id, "legId": leg.key}
                    yield Change("update_leg", {**ids, **written})
                continue
            order += 1
            facts = {
                "tripId": self.journey.trip_id,
                "order": order,
                "title": leg.destination,
                "destination": leg.destination,
                "startDate": f"{leg.starts}",
                "endDate": f"{leg.ends}",
                "timezone": leg.zone,
                "clientRef": leg.ref,
            }
            yield Change("create_leg", {**facts, **written}, leg.key)

    def _pins(self, places: Sequence[SavedPlace]) -> Iterator[Change]:
        known = {pin.client_ref for pin in self.journey.pins.values() if pin.client_ref}
        there = {(fold(pin.name or ""), _rounded(pin.lat), _rounded(pin.lng)) for pin in self.journey.pins.values()}
        items: dict[str, JsonObject] = {}
        for place in sorted(places, key=repr):
            spot = (fold(place.name), _rounded(place.latitude), _rounded(place.longitude))
            ref = f"import-{sha256(repr(spot).encode()).hexdigest()[:20]}"
            if ref in known or spot in there:
                continue
            notes = "\n".join(text.replace("\0", "") for text in (place.address, place.notes) if text)
            name = (
                f"{place.latitude:.5f}, {place.longitude:.5f}" if is_blank(place.name) else place.name.replace("\0", "")
            )
            item = {"name": name[:200], "lat": place.latitude, "lng": place.longitude, "clientRef": ref}
            items.setdefault(ref, {**item, **({"notes": notes[:10_000]} if notes else {})})
        rows = [*items.values()]
        for start in range(0, len(rows), _MOST_PINS):
            chunk = rows[start : start + _MOST_PINS]
            yield Change("upsert_map_pins", {"tripId": self.journey.trip_id, "items": chunk})


def _merge(existing: JsonObject, facts: JsonObject, *, several: bool = False, hidden: bool = False) -> list[str]:
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


_NUMBER: Final = "confirmationNumber"
_ONE_EACH: Final = ("seat", _NUMBER)
_FREE_WORDS: Final = frozenset({"airline", "name", "address", "location", "company", "from", "to"})
"""Names and addresses, which the traveller may have written better."""


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


def _is_same_stay(leg: _LegDraft, one: Booking, starts: BookingTime) -> bool:
    known = leg.accommodation
    if not known:
        return False
    if one.confirmation_number and _share_a_number(known.get("confirmationNumber"), one.confirmation_number):
        return True
    first = _day(known.get("checkIn")) or leg.starts
    return fold(str(known.get("name") or "")) == fold(one.name) != "" and first == starts.day


def _is_same_car(known: JsonObject, one: Booking, starts: BookingTime) -> bool:
    number = _compact(known.get("confirmationNumber"))
    if number and one.confirmation_number:
        return number == _compact(one.confirmation_number)
    return fold(str(known.get("company") or "")) == fold(one.name) and _day(known.get("pickUp")) == starts.day


def _is_same_ride(each: Appointment, one: Booking, starts: BookingTime) -> bool:
    """The same number and departure, though its stations are spelled in another way."""
    digits = digits_of(one)
    if not (one.is_ride and digits and each.starts and each.starts.day == starts.day):
        return False
    clocks = {each.starts.time, starts.clock} - {None}
    return len(clocks) < 2 and digits in [word.lstrip("0") for word in fold(each.title).split()]


def _share_a_number(one: Any, other: str) -> bool:
    return not set(_compact(one).split(",")).isdisjoint(_compact(other).split(","))


def _is_alike(one: Booking, other: Booking) -> bool:
    ends = [(each.confirmation_number, each.origin.label, each.destination.label) for each in (one, other)]
    return ends[0] == ends[1]


def _as_written(one: Move) -> JsonObject | None:
    return written_flight(one, 0)


def _dumped(source: LegAccommodation | LegRentalCar | None) -> JsonObject:
    return {} if source is None else source.model_dump(by_alias=True, exclude_none=True)


def _clock_of(moment: Moment | None) -> BookingTime | None:
    return None if moment is None else BookingTime(moment.day, moment.time, moment.zone)


def _day(text: Any) -> date | None:
    moment = read_moment(str(text), None) if text else None
    return moment.day if moment else None


def _ends_of(flight: JsonObject) -> tuple[str, str]:
    return str(flight.get("from") or ""), str(flight.get("to") or "")


def _compact(text: Any) -> str:
    return "".join(str(text or "").split()).upper()


def _rounded(value: float | None) -> float:
    return round(value or 0.0, 3)
