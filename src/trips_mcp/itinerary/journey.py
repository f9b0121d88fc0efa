"""A parsed trip with indexes, for repeated questions about its days."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from trips_mcp.contract.events import Event
from trips_mcp.contract.exports import TripExport
from trips_mcp.itinerary.day_index import Agreed, Days, Spans
from trips_mcp.itinerary.model import (
    DAWN,
    Appointment,
    Kind,
    Move,
    Rental,
    Stay,
    Stretch,
    TripParts,
    Unreadable,
    ZoneFrom,
    known_days,
)
from trips_mcp.itinerary.parse_export import parse_export

__all__ = ["DAWN", "Appointment", "Journey", "Kind", "Move", "Rental", "Stay", "Stretch", "Unreadable", "ZoneFrom"]


@dataclass(frozen=True)
class Journey(TripParts):
    """A parsed trip, and the items of each of its days."""

    @staticmethod
    def of(export: TripExport, events: Sequence[Event] = ()) -> "Journey":
        return parse_export(Journey, export, events)

    @property
    def others_write(self) -> bool:
        """Whether other travellers may have written in the trip. False only for exactly one member."""
        return len(self.members) != 1

    @cached_property
    def dates(self) -> Days | None:
        """The trip's own dates, else those that its parts span. None if nothing has a date."""
        if self.starts is not None and self.ends is not None and self.starts <= self.ends:
            return Days(self.starts, self.ends)
        return self.extent

    @cached_property
    def extent(self) -> Days | None:
        """From the earliest to the latest dated part, including the trip's own dates."""
        return _spanned([self.starts, self.ends], [*self._parts()])

    def stretches_on(self, day: date) -> tuple[Stretch, ...]:
        return self._stretches.on(day)

    def zone_on(self, day: date) -> str | None:
        """The zone that all legs of this day share."""
        return self._zones.on(day)

    def beds(self, day: date) -> tuple[Stay, ...]:
        """Stays that cover the night after this day."""
        return self._beds.on(day)

    def under_way(self, day: date) -> tuple[Move, ...]:
        """Moves that last through the night after this day."""
        return self._under_way.on(day)

    def overnight(self, day: date) -> tuple[Appointment, ...]:
        """Appointments that last through the night after this day."""
        return self._overnight.on(day)

    def stays_at(self, day: date) -> tuple[Stay, ...]:
        """Stays that begin or end on this day."""
        return self._stays_at.on(day)

    def rentals_at(self, day: date) -> tuple[Rental, ...]:
        """Cars picked up or dropped off on this day; without dates, on their leg's first and last day."""
        return self._rentals_at.on(day)

    def moves_on(self, day: date) -> tuple[Move, ...]:
        return self._moves.on(day)

    def appointments_on(self, day: date) -> tuple[Appointment, ...]:
        return self._appointments.on(day)

    @cached_property
    def stretch(self) -> Mapping[str, Stretch]:
        """Legs by id, if they have one."""
        return {stretch.id: stretch for stretch in self.stretches if stretch.id}

    @cached_property
    def _stretches(self) -> Spans[Stretch]:
        return Spans((stretch, days) for stretch in self.stretches if (days := stretch.days))

    @cached_property
    def _zones(self) -> Agreed[str]:
        return Agreed((stretch.zone, days) for stretch in self.stretches if (days := stretch.days))

    @cached_property
    def _beds(self) -> Spans[Stay]:
        return Spans((stay, nights) for stay in self.stays if (nights := stay.nights))

    @cached_property
    def _under_way(self) -> Spans[Move]:
        return Spans((move, nights) for move in self.moves if (nights := move.nights))

    @cached_property
    def _overnight(self) -> Spans[Appointment]:
        return Spans((one, nights) for one in self.appointments if (nights := one.nights))

    @cached_property
    def _stays_at(self) -> Spans[Stay]:
        return Spans((stay, Days(day, day)) for stay in self.stays for day in sorted(known_days(stay.first, stay.end)))

    @cached_property
    def _rentals_at(self) -> Spans[Rental]:
        return Spans((rental, Days(day, day)) for rental in self.rentals for day in sorted(rental.days))

    @cached_property
    def _moves(self) -> Spans[Move]:
        return Spans((move, days) for move in self.moves if (days := move.days))

    @cached_property
    def _appointments(self) -> Spans[Appointment]:
        return Spans((one, days) for one in self.appointments if (days := one.days))

    def _parts(self) -> Iterable[Days | None]:
        for parts in (self.stretches, self.moves):
            yield from (part.days for part in parts)
        yield from (one.own_days for one in self.appointments)
        yield from (stay.nights for stay in self.stays if stay.nights)
        yield from (Days(day, day) for part in (*self.stays, *self.rentals) for day in part.days)


def _spanned(days: Iterable[date | None], parts: Iterable[Days | None]) -> Days | None:
    known = [day for day in days if day is not None]
    known += [end for part in parts if part is not None for end in (part.first, part.last)]
    return Days(min(known), max(known)) if known else None
