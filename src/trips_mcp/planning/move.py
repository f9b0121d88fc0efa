"""A move: everything of a trip from a date on, or between two dates, some days later or earlier.

What moves, and what does not, is documented in docs/plans.md.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final

from trips_mcp.contract.events import Event
from trips_mcp.itinerary.check.findings import (
    CitedPart,
    appointment,
    at,
    cite_appointment,
    cite_flight,
    cite_leg,
    cite_rental,
    cite_stay,
    flight,
    leg,
)
from trips_mcp.itinerary.formatting import clock
from trips_mcp.itinerary.journey import Journey
from trips_mcp.itinerary.local_time import Moment, read_date, read_moment
from trips_mcp.itinerary.model import DAWN, Appointment, Days, Move, Stretch
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
    is_booked,
    is_booked_appointment,
    moment_text,
    note,
    pinned_text,
    written_flight,
)

LONGEST: Final = 3650
"""The most days of a move."""
_LAST_YEAR: Final = 9000
_FIRST_YEAR: Final = 1000
_DAY: Final = timedelta(1)


def move(journey: Journey, first: date, days: int, last: date | None = None, *, booked: bool = False) -> Draft:
    """Move what lies on `first` to `last`, or from `first` on, by `days`. `booked`: bookings too.

    Raises: NotPlannableError.
    """
    extent = _checked(journey, first, days, last)
    window = Days(first, max(extent.last, first) if last is None or last >= extent.last else last)
    return _Mover(journey, window, days, is_open=window.last == extent.last, booked=booked).draft()


def _checked(journey: Journey, first: date, days: int, last: date | None) -> Days:
    extent = journey.extent
    if days == 0 or abs(days) > LONGEST:
        raise NotPlannableError(f"days: {days} is not possible; use 1 to {LONGEST}, or -1 to -{LONGEST} for earlier.")
    if journey.starts is None or journey.ends is None or extent is None:
        raise NotPlannableError("The trip has no dates to move; set startDate and endDate with update_trip first.")
    if last is not None and last < first:
        raise NotPlannableError(f"to: {last} is before from, {first}; swap them, or leave out to.")
    for name, day in (("from", first), ("to", last)):
        if day is not None and day not in extent:
            raise NotPlannableError(
                f"{name}: {day} is outside the trip, which lasts from {extent.first} to {extent.last}; use a day of it."
            )
    if not (_year(extent.first, days) >= _FIRST_YEAR and _year(extent.last, days) <= _LAST_YEAR):
        raise NotPlannableError(
            f"days: {days} leads out of the years {_FIRST_YEAR} to {_LAST_YEAR}; use a smaller number."
        )
    return extent


def _year(day: date, days: int) -> float:
    """Also for a day that no date can hold."""
    return day.year + days / 365


@dataclass(frozen=True, slots=True)
class _Leg:
    """A leg's dates before and after."""

    source: Stretch
    starts: date | None
    ends: date | None

    @property
    def start_moves(self) -> bool:
        return self.starts != self.source.starts

    @property
    def end_moves(self) -> bool:
        return self.ends != self.source.ends

    @property
    def days(self) -> str:
        return f"{leg(self.source)} is now from {self.starts} to {self.ends}"


@dataclass
class _Mover:
    journey: Journey
    window: Days
    days: int
    is_open: bool
    """Whether it reaches to the end of the trip."""
    booked: bool
    _changes: list[Change] = field(default_factory=list[Change])
    _notes: list[DraftNote] = field(default_factory=list[DraftNote])
    _covered: list[tuple[date, date]] = field(default_factory=list[tuple[date, date]])
    """The days of what the trip holds, before and after. Bookings that stay are not among them."""

    def draft(self) -> Draft:
        journey = self.journey
        self._stays = {one.leg_id: one for one in journey.stays}
        self._cars = {one.leg_id: one for one in journey.rentals}
        self._flights_of = flights_by_leg(journey)
        self._starts = Counter(stretch.starts for stretch in journey.stretches)
        self._ends = Counter(stretch.ends for stretch in journey.stretches)
        self._moved_starts: set[date] = set()
        self._moved_ends: set[date] = set()
        for stretch in journey.stretches:
            self._leg(stretch)
        for one in journey.appointments:
            self._appointment(one)
        trip = [*self._trip()]
        self._notes += [
            text.note(lambda day: f"{day} (moves to {self._later(day)})")
            for text in dated_texts(journey, lambda day: day in self.window)
        ]
        if not (trip or self._changes):
            raise NotPlannableError(self._nothing())
        return Draft((*trip, *self._changes), tuple(self._notes))

    def _nothing(self) -> str:
        """Why there is nothing to move."""
        between = f"from {self.window.first} to {self.window.last}"
        bookings = sum(note.kind == "to_rebook" for note in self._notes)
        if bookings:
            return f"Only bookings lie {between} ({bookings}), and they stay; set moveBooked to move them too."
        return f"Nothing of the trip lies {between} that can be moved; choose other dates."

    def _later(self, day: date) -> date:
        return day + timedelta(self.days)

    def _moved(self, day: date) -> date:
        return self._later(day) if day in self.window else day

    def _covers(self, before: date, after: date) -> None:
        self._covered.append((before, after))

    # Legs

    def _leg(self, stretch: Stretch) -> None:
        new = self._dates_of(stretch)
        if not stretch.id or new is None:
            return
        fields: JsonObject = {}
        if new.start_moves:
            fields["startDate"] = str(new.starts)
        if new.end_moves:
            fields["endDate"] = str(new.ends)
        for name, value in (
            ("accommodation", self._stay(new)),
            ("rentalCar", self._rental(new)),
            ("flights", self._flights(new)),
        ):
            if value:
                fields[name] = value
        if fields:
            self._change("update_leg", legId=stretch.id, **fields)

    def _dates_of(self, stretch: Stretch) -> _Leg | None:
        """None if its dates cannot be moved."""
        starts, ends = stretch.starts, stretch.ends
        if starts is not None and ends is not None and ends < starts:
            self._note("left_as_is", cite_leg(stretch), f"{leg(stretch)} ends before it starts, so it stays.")
            return None
        is_whole = all(day in self.window for day in (starts, ends) if day is not None)
        new = _Leg(
            stretch,
            self._edge_of(starts, is_whole=is_whole, meets=self._ends),
            self._edge_of(ends, is_whole=is_whole, meets=self._starts),
        )
        if new.starts is not None and new.ends is not None and new.ends < new.starts:
            raise NotPlannableError(self._turned_around(new))
        for before, after, moved in (
            (starts, new.starts, self._moved_starts),
            (ends, new.ends, self._moved_ends),
        ):
            if before is not None and after is not None:
                self._covers(before, after)
                if after != before:
                    moved.add(before)
        return new

    def _edge_of(self, day: date | None, *, is_whole: bool, meets: Counter[date | None]) -> date | None:
        """Between two dates, the edge of a leg that is partly inside moves only with a change of place on that day."""
        if day is None or day not in self.window:
            return day
        return self._later(day) if self.is_open or is_whole or meets[day] else day

    def _turned_around(self, new: _Leg) -> str:
        starts, ends = new.source.starts, new.source.ends
        nights = (ends - starts).days if starts and ends else 0
        how = "start it after it ends" if new.start_moves else "end it before it starts"
        way = "later" if self.days > 0 else "earlier"
        return (
            f"days: {self.days} is too far for {leg(new.source)}, {starts} to {ends}: it would {how}; "
            f"move at most {nights} {'day' if nights == 1 else 'days'} {way}, or choose other dates."
        )

    def _stay(self, new: _Leg) -> JsonObject:
        stay = self._stays.get(new.source.id)
        if stay is None:
            return {}
        stays = not self.booked and is_booked(stay.source)
        texts = {"checkIn": stay.source.check_in, "checkOut": stay.source.check_out}
        fields, asked = self._edges(new, texts, stay.zone, stays=stays)
        if stays and asked and (stay.first, stay.end) != (new.starts, new.ends):
            known = f"is booked from {stay.first} to {stay.end}"
            self._note("to_rebook", cite_stay(stay), f"the stay of {leg(new.source)} {known}; {new.days}.")
        return fields

    def _rental(self, new: _Leg) -> JsonObject:
        car = self._cars.get(new.source.id)
        if car is None:
            return {}
        stays = not self.booked and is_booked(car.source)
        texts = {"pickUp": car.source.pick_up, "dropOff": car.source.drop_off}
        fields, asked = self._edges(new, texts, new.source.zone, stays=stays)
        first, end = _day_of(car.pick_up, car.first), _day_of(car.drop_off, car.last)
        if stays and asked and (first, end) != (new.starts, new.ends):
            why = f"the car of {leg(new.source)} is booked from {first} to {end}; {new.days}."
            self._note("to_rebook", cite_rental(car), why)
        return fields

    def _edges(
        self, new: _Leg, texts: dict[str, str | None], zone: str | None, *, stays: bool
    ) -> tuple[JsonObject, bool]:
        """The new texts of a stay's or a car's two ends, and whether either was to move.

        A text without a date means the leg's first or last day. If the booking stays, it gets the date it had.
        """
        fields: JsonObject = {}
        asked = False
        edges = ((new.source.starts, new.start_moves), (new.source.ends, new.end_moves))
        for (name, text), (leg_day, leg_moves) in zip(texts.items(), edges, strict=True):
            at = read_moment(text, zone)
            if at is not None:
                moves = leg_moves if _belongs_to(at, leg_day) else at.day in self.window
                self._covers_booking(at.day, moves=moves, stays=stays)
            else:
                moves = leg_moves
            if not moves:
                continue
            asked = True
            if at is not None and text is not None and not stays:
                fields[name] = moment_text(text, at, self.days)
            elif at is None and stays and leg_day is not None and (pinned := pinned_text(text, leg_day)):
                fields[name] = pinned
        return fields, asked

    def _covers_booking(self, day: date, *, moves: bool, stays: bool) -> None:
        if not moves:
            self._covers(day, day)
        elif not stays:
            self._covers(day, self._later(day))

    def _flights(self, new: _Leg) -> list[JsonObject] | None:
        """All of the leg's flights if one of them moves, as an update replaces the list."""
        flights = self._flights_of.get(new.source.id, [])
        moving = {one.index for one in flights if self._flight_moves(one)}
        written = [written_flight(one, self.days if one.index in moving else 0) for one in flights]
        if moving and None in written:
            why = (
                f"the flights of {leg(new.source)} stay: one of them has a value that update_leg does not take; fix it."
            )
            self._note("left_as_is", cite_leg(new.source, "flights"), why)
            return None
        for one in flights:
            for end in (one.departs, one.arrives):
                if end is not None and one.index in moving:
                    self._covers(end.day, self._later(end.day))
                elif end is not None and not self._touches(one):
                    self._covers(end.day, end.day)
        return [one for one in written if one is not None] if moving else None

    def _touches(self, one: Move) -> bool:
        return any(end is not None and end.day in self.window for end in (one.departs, one.arrives))

    def _flight_moves(self, one: Move) -> bool:
        begins = one.departs or one.arrives
        if begins is None or not self._touches(one):
            return False
        if begins.day not in self.window:
            why = f"{flight(one)} leaves on {begins.day}, before {self.window.first}, and stays."
        elif not self.booked:
            why = f"{flight(one)} is booked for {at(begins)}; the things around it move to {self._later(begins.day)}."
        else:
            return True
        self._note("to_rebook", cite_flight(one), why)
        return False

    # Commitments and events

    def _appointment(self, one: Appointment) -> None:
        if one.starts is None or not one.id:
            return
        day = one.starts.day
        if day not in self.window:
            self._covers(day, day)
            return
        if not self.booked and is_booked_appointment(one):
            why = f"{appointment(one)} is booked for {at(one.starts)}; the things around it move to {self._later(day)}."
            self._note("to_rebook", cite_appointment(one), why)
            return
        self._covers(day, self._later(day))
        if isinstance(one.source, Event):
            self._change("update_event", event_id=int(one.id), **self._event_dates(one.source, one.starts))
        else:
            self._change("update_commitment", commitmentId=one.id, startDate=day_text(day, self.days))

    def _event_dates(self, source: Event, at: Moment) -> JsonObject:
        """An event whose date is an instant gets its local date and time instead."""
        moved: JsonObject = {"date": day_text(at.day, self.days)}
        if read_date(source.date) is None and at.time is not None:
            moved["time"] = clock(at.time)
        return moved

    # The trip

    def _trip(self) -> Iterator[Change]:
        """It moves with its first and last leg, and grows to hold what it held before."""
        journey = self.journey
        starts, ends = journey.starts, journey.ends
        if starts is None or ends is None or ends < starts:
            return
        is_whole = starts in self.window and ends in self.window
        new_start = self._later(starts) if self._trip_edge(starts, self._moved_starts, is_whole=is_whole) else starts
        new_end = self._later(ends) if self._trip_edge(ends, self._moved_ends, is_whole=is_whole) else ends
        held = [after for before, after in self._covered if starts <= before <= ends]
        new_start, new_end = min([new_start, *held]), max([new_end, *held])
        fields = {
            name: str(after)
            for name, before, after in (("startDate", starts, new_start), ("endDate", ends, new_end))
            if after != before
        }
        if fields:
            yield Change("update_trip", {"tripId": journey.trip_id, **fields})

    def _trip_edge(self, day: date, moved: set[date], *, is_whole: bool) -> bool:
        return day in self.window and (self.is_open or is_whole or day in moved)

    def _change(self, tool: str, **fields: object) -> None:
        trip = {} if tool == "update_event" else {"tripId": self.journey.trip_id}
        self._changes.append(Change(tool, {**trip, **fields}))

    def _note(self, kind: NoteKind, cited: CitedPart, why: str) -> None:
        self._notes.append(note(kind, cited, why))


def _belongs_to(at: Moment, leg_day: date | None) -> bool:
    """Whether it is the end of a stay that the leg's first or last day means. Before dawn, also of the day before."""
    if leg_day is None:
        return False
    return at.day == leg_day or (at.day == leg_day + _DAY and at.time is not None and at.time < DAWN)


def _day_of(end: Moment | str | None, leg_day: date | None) -> date | None:
    return end.day if isinstance(end, Moment) else leg_day
