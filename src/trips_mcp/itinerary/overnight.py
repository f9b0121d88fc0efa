"""Where a night is spent: a stay, a move or an appointment; else why that is unclear."""

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import chain, islice
from typing import Final

from trips_mcp.itinerary.event_types import is_ride, night_under_way
from trips_mcp.itinerary.formatting import day_in_words, one_line, short
from trips_mcp.itinerary.journey import Appointment, Journey, Move, Stay
from trips_mcp.itinerary.results import Bed
from trips_mcp.itinerary.travel_time import comes_twice

_DAY: Final = timedelta(days=1)
_MOST: Final = 10
_NAME: Final = 200
_BRIEF: Final = 100


def beds_of(journey: Journey, night: date) -> list[Bed]:
    """Where the night after this day is spent, in order of arrival."""
    found = chain(
        map(_under_way, journey.under_way(night)),
        map(_scheduled, journey.overnight(night)),
        (_bed(stay, night) for stay in journey.beds(night)),
    )
    return list(islice(found, _MOST))


def night_unclear(journey: Journey, night: date) -> Iterator[str]:
    """Sentences on a night that has no bed or several."""
    stays = journey.beds(night)
    away = journey.under_way(night) or journey.overnight(night)
    if any(comes_twice(move, night) for move in journey.moves_on(night)):
        yield f"The night of {day_in_words(night)} comes twice: the date line is crossed."
    elif len(stays) > 1:
        yield f"{len(stays)} stays cover the night of {day_in_words(night)}."
    if stays or away or not is_night_of(journey, night):
        return
    may_be = f"{_journey(journey, night)}{_last_stay(journey, night)}{_event(journey, night)}"
    yield f"Nothing says where the night of {day_in_words(night)} is spent.{may_be}"


def is_night_of(journey: Journey, night: date) -> bool:
    """Whether the trip covers this night. The one after its last day is spent at home."""
    days = journey.dates
    return days is not None and days.first <= night < days.last


def named(bed: Bed) -> Bed:
    """The bed with only its name and ids, enough to recognise it."""
    return bed.model_copy(
        update={
            "name": short(bed.name or bed.address, _BRIEF),
            "address": None,
            "until": None,
            "night": None,
            "of": None,
        }
    )


def where(bed: Bed) -> str:
    """The name of the bed on one line."""
    return bed.name or bed.address or {"stay": "a stay without a name", "flight": "under way"}.get(bed.kind, bed.kind)


def _last_stay(journey: Journey, night: date) -> str:
    """A hint if a leg ends the day before the next begins: its stay may last a night longer."""
    ending = [stay for stay in journey.beds(night - _DAY) if stay.end == night and not _says_when_it_ends(stay)]
    ending += [
        stay for stay in journey.stays_at(night) if stay.first == stay.end == night and not _says_when_it_ends(stay)
    ]
    if not ending or any(one.starts == night for one in journey.stretches_on(night) if one.id != ending[0].leg_id):
        return ""
    return f" The stay of leg {one_line(ending[0].leg_id)} ends with its leg on that day and has no check-out date."


def _journey(journey: Journey, night: date) -> str:
    """A hint that a night train or bus has no known end."""
    evening = (*journey.appointments_on(night), *journey.appointments_on(night + _DAY))
    found = [one for one in evening if is_ride(one) and night_under_way(one) == night]
    if not found:
        return ""
    name = "event_id" if found[0].kind == "event" else "commitmentId"
    return f" A journey of that evening may take it ({name} {one_line(found[0].id)})."


def _event(journey: Journey, night: date) -> str:
    """A hint that an event is an accommodation. Events have no end, so its nights are unknown."""
    found = [
        one.id for one in journey.appointments_on(night) if one.kind == "event" and one.category == "accommodation"
    ]
    return f" An event of that day is an accommodation (event_id {found[0]})." if found else ""


def _says_when_it_ends(stay: Stay) -> bool:
    return stay.check_out is not None and not isinstance(stay.check_out, str)


def _bed(stay: Stay, night: date) -> Bed:
    nights = stay.nights
    return Bed(
        kind="stay",
        name=short(stay.name, _NAME),
        address=short(stay.address, _NAME),
        until=day_in_words(stay.end) if stay.end else None,
        night=(night - nights.first).days + 1 if nights else None,
        of=len(nights) if nights else None,
        leg_id=stay.leg_id or None,
    )


def _under_way(move: Move) -> Bed:
    return Bed(kind="flight", name=short(move.label, _NAME), leg_id=move.leg_id or None, flight=move.index)


def _scheduled(one: Appointment) -> Bed:
    return Bed(kind=one.kind, name=short(one.title, _NAME), commitment_id=one.id or None)
