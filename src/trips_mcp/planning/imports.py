"""Import of bookings into a trip, or a new one: what is new, there already, changed, cancelled, and what to ask.

Nothing is deleted: a cancelled booking is named. What the trip has and a confirmation does not say stays.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Final, Literal

from trips_mcp.bookings.model import (
    Booking,
    BookingPlace,
    BookingTime,
    SavedPlace,
    client_ref,
    combined,
    contradictions,
    identity,
)
from trips_mcp.contract.trips import Trip, TripExport
from trips_mcp.itinerary.journey import Journey
from trips_mcp.itinerary.local_time import Moment
from trips_mcp.itinerary.model import Appointment
from trips_mcp.json_values import JsonObject
from trips_mcp.places.aliases import names_in
from trips_mcp.places.tables import fold
from trips_mcp.planning.booking_facts import (
    car_facts,
    event_facts,
    flight_facts,
    is_of_same_reservation,
    is_same_car,
    is_same_flight,
    is_same_ride,
    is_same_stay,
    merge,
    merged_notes,
    plan_facts,
    stay_facts,
    storable,
    title_of,
)
from trips_mcp.planning.change import Change
from trips_mcp.planning.import_parts import LegDraft, leg_changes, legs_of, names_of, pin_changes

ImportOutcome = Literal["new", "same", "changed", "cancelled", "question"]

_DAY: Final = timedelta(days=1)
_MARGIN: Final = timedelta(days=1)
"""A booking may lie this far outside the trip's dates: a night flight before it, the way home after it."""
_CONNECTION: Final = timedelta(days=1)
"""Flights less than this apart, the second from where the first lands, are one way."""
_MOST_FLIGHTS: Final = 50
"""Flights of one leg (docs/contract.md)."""
_TIMES: Final = ("startDate", "startTime", "endTime")
_OF_EVENT: Final = {"startDate": "date", "startTime": "time", "notes": "description"}
"""Fields of a commitment as an event has them."""
LONGEST_TRIP: Final = timedelta(days=120)
"""Bookings that span more are not of one trip."""
_NAME: Final = "trip"
"""The name of the new trip in the changes."""
_MOST_IN_TITLE: Final = 3
_LONGEST_TITLE: Final = 200


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
    return not first - _MARGIN <= one.starts.day <= last + _MARGIN


@dataclass
class _Importer:
    journey: Journey
    read: Sequence[Booking]
    events_on: int | str | None
    masks: bool
    _results: list[ImportedBooking] = field(default_factory=list[ImportedBooking])
    _changes: list[Change] = field(default_factory=list[Change])

    def draft(self, places: Sequence[SavedPlace]) -> ImportDraft:
        self._legs = [*legs_of(self.journey)]
        self._records = combined(self.read)
        self._asked = {identity(one): times for one, times in contradictions(self.read)}
        for one in self._records:
            if one.kind == "stay":  # stays make the legs that flights lead to
                self._record(one)
        for one in self._records:
            if one.kind != "stay":
                self._record(one)
        changes = [*leg_changes(self.journey, self._legs), *self._changes]
        pins = [*pin_changes(self.journey, places)]
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

    # flights

    def _flight(self, one: Booking, starts: BookingTime) -> None:
        found = self._same_flight(one, starts)
        if one.status == "cancelled":
            self._cancelled(one, found is not None)
            return
        facts = flight_facts(one)
        if found is not None:
            leg, index = found
            differences = merge(leg.flights[index], facts, several=True, hidden=self.masks)
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

    def _same_flight(self, one: Booking, starts: BookingTime) -> tuple[LegDraft, int] | None:
        rows = [(leg, index) for leg in self._legs for index in range(len(leg.flights))]
        for leg, index in rows:
            if is_same_flight(leg.flights[index], one, starts):
                return leg, index
        # rebooked: the same reservation and flight number, or way, on another day or under another number
        mine = [each for each in self._records if each.kind == "flight" and _is_alike(each, one)]
        moved = [(leg, index) for leg, index in rows if is_of_same_reservation(leg.flights[index], one)]
        return moved[0] if len(moved) == len(mine) == 1 else None

    def _leg_of_flight(self, one: Booking, starts: BookingTime) -> LegDraft | None:
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
        found = next((leg for leg in self._legs if is_same_stay(leg.accommodation, leg.starts, one, starts)), None)
        if one.status == "cancelled":
            self._cancelled(one, found is not None)
            return
        if found is not None:
            differences = merge(found.accommodation, facts, several=True, hidden=self.masks)
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
        found = next((leg for leg in self._legs if leg.rental and is_same_car(leg.rental, one, starts)), None)
        if one.status == "cancelled":
            self._cancelled(one, found is not None)
            return
        if found is not None:
            differences = merge(found.rental, facts, hidden=self.masks)
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
        of_train = [each for each in self.journey.appointments if is_same_ride(each, one, starts)]
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

    def _new_leg(self, one: Booking, title: str, starts: date, ends: date, place: BookingPlace) -> LegDraft | None:
        if place.zone is None or not title:
            return None
        ref = client_ref(one)
        leg = LegDraft(
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


def _is_alike(one: Booking, other: Booking) -> bool:
    ends = [(each.confirmation_number, each.origin.label, each.destination.label) for each in (one, other)]
    return ends[0] == ends[1]


def _clock_of(moment: Moment | None) -> BookingTime | None:
    return None if moment is None else BookingTime(moment.day, moment.time, moment.zone)


def span_of(bookings: Iterable[Booking]) -> tuple[date, date] | None:
    """The first and the last day of bookings. None if none has a date."""
    days = [time.day for one in bookings for time in (one.starts, one.ends) if time]
    starts = [one.starts.day for one in bookings if one.starts]
    return (min(starts), max(days)) if starts else None


def has_dates(first: date | None, last: date | None, bookings: Sequence[Booking]) -> bool:
    """Whether a trip of these dates has the bookings' dates, apart from a night flight before or after it."""
    days = [one.starts.day for one in bookings if one.starts]
    if first is None or last is None or not days:
        return False
    return all(first - _MARGIN <= day <= last + _MARGIN for day in days)


def has_places(journey: Journey, bookings: Iterable[Booking]) -> bool | None:
    """Whether the trip goes to a place of the bookings, or to one of its zone. None for a trip without places yet."""
    known: set[str] = set()
    zones: set[str] = set()
    for leg in journey.stretches:
        known |= names_in(leg.destination, leg.zone) | {fold(leg.destination)}
        zones |= {leg.zone} if leg.zone else set[str]()
    if not known:
        return None
    return any(place.zone in zones or names_of(place) & known for one in bookings for place in _places_of(one))


def plan_new_trip(
    bookings: Sequence[Booking],
    places: Sequence[SavedPlace],
    span: tuple[date, date],
    group_id: str,
    *,
    has_events: bool,
) -> ImportDraft:
    """A new trip of these dates with the bookings. No changes if none of them can be planned."""
    dates = {"startDate": f"{span[0]}", "endDate": f"{span[1]}"}
    trip = Trip.model_validate({"_id": f"@{_NAME}", **dates})
    events_on = f"@{_NAME}" if has_events else None
    draft = plan_bookings(Journey.of(TripExport(trip=trip)), bookings, places, events_on=events_on)
    if all(one.outcome != "new" for one in draft.bookings):
        return replace(draft, changes=())
    created = Change("create_trip", {"groupId": group_id, "title": _title(draft), **dates}, _NAME)
    return replace(draft, changes=(created, *draft.changes))


def _title(draft: ImportDraft) -> str:
    legs = [change.arguments["destination"] for change in draft.changes if change.tool == "create_leg"]
    first = next(one.booking for one in draft.bookings if one.outcome == "new")
    names = [*dict.fromkeys(legs)] or [first.origin.city or first.destination.city or first.name or first.kind]
    return ", ".join(names[:_MOST_IN_TITLE])[:_LONGEST_TITLE]


def _places_of(one: Booking) -> tuple[BookingPlace, ...]:
    return (one.origin, one.destination)
