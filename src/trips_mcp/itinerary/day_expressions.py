"""The day of a trip that a text means: "Tuesday", "tomorrow", "2026-07-21", "day 3".

Ambiguous texts are never guessed. Without a trip, the day also finds the trip, by the dates of all trips.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from trips_mcp.contract.trips import Trip, TripExport
from trips_mcp.itinerary.day_grammar import UNDERSTOOD, Reading, readings
from trips_mcp.itinerary.formatting import day_in_words, short
from trips_mcp.itinerary.journey import Journey
from trips_mcp.itinerary.local_time import WEEKDAYS, read_date, zone_info
from trips_mcp.itinerary.model import Days
from trips_mcp.itinerary.results import Day, DayChoice

Values = Mapping[str, object]

_DIGITS: Final = re.compile("[0-9]+")
_WEEK: Final = 7
_CENTURY: Final = 99
_SAID: Final = 60
_NO_DATE: Final = "There is no such date."
_MANY: Final = 12
"""Maximum candidate days that are named; the rest is a count."""
_OFFSETS: Final = tuple(timedelta(hours=hours) for hours in (-12, 0, 14))
"""The smallest offset from UTC on earth, none, and the largest."""
_MOST_NAMED: Final = 5
_TITLE: Final = 200


@dataclass(frozen=True, slots=True)
class Unclear:
    """No day, or more than one. `why` is a sentence for the caller."""

    why: str
    choices: tuple[date, ...] = ()


def read_day(journey: Journey, text: str, now: datetime) -> date | Unclear:
    """The day that `text` means, if the trip covers it or plans something on it."""
    days = journey.dates
    if days is None:
        return Unclear("The trip has no dates, and nothing in it has one: set them with update_trip or add a leg.")
    written = read_date(text.strip())
    if written is not None:
        return _inside(journey, days, written)
    found = [_read(_Question(journey, days, text.strip(), now), one) for one in readings(text)]
    if not found:
        return Unclear(f"That names no day: give {UNDERSTOOD}. {runs(days)}")
    return found[0] if len(found) == 1 else _any_of(found)


def is_day(text: str) -> bool:
    """Whether the text is a date or an expression for a day, in whatever trip."""
    return read_date(text.strip()) is not None or bool(readings(text))


def relative_days(text: str, today: date) -> frozenset[date] | None:
    """The days that a text such as `tomorrow` or `this Friday` may mean; None if it does not depend on today."""
    found = readings(text)
    if read_date(text.strip()) is not None or not found or any(one.rule not in _RELATIVE for one in found):
        return None
    days = {(day, one.weekday) for one in found for day in _RELATIVE[one.rule](today, one.values)}
    return frozenset(day for day, weekday in days if weekday in (None, day.weekday()))


def today_in(journey: Journey, now: datetime) -> date | None:
    """Today in the zone of the current leg. None if there is none, or if two have different dates."""
    todays = _todays(journey, now)
    return todays[0] if len(todays) == 1 else None


def runs(days: Days) -> str:
    """A sentence with the trip's dates."""
    if days.first == days.last:
        return f"The trip is one day, {day_in_words(days.first)}."
    return f"The trip runs from {day_in_words(days.first)} to {day_in_words(days.last)}."


@dataclass(frozen=True, slots=True)
class _Question:
    journey: Journey
    days: Days
    said: str
    now: datetime


def _read(question: _Question, one: Reading) -> date | Unclear:
    day = _RULES[one.rule](question, one.values)
    if one.weekday is None:
        return day
    if isinstance(day, Unclear):
        matches = tuple(choice for choice in day.choices if choice.weekday() == one.weekday)
        return matches[0] if len(matches) == 1 else day
    if day.weekday() != one.weekday:
        return Unclear(f"{day} is a {WEEKDAYS[day.weekday()]}, no {WEEKDAYS[one.weekday]}. {runs(question.days)}")
    return day


def _any_of(found: Sequence[date | Unclear]) -> date | Unclear:
    """Of several readings, those inside the trip; else the first reading's reason."""
    known = {day for one in found for day in (one.choices if isinstance(one, Unclear) else (one,))}
    if known:
        return _one_of("That may be", sorted(known)[:_MANY], len(known))
    return found[0]


def _relative(question: _Question, values: Values) -> date | Unclear:
    todays = _todays(question.journey, question.now)
    said = question.said.casefold()
    if not todays:
        why = f"Which day is {short(said, _SAID)} is not known: no leg with a time zone covers the present."
        return Unclear(f"{why} {runs(question.days)}")
    step = timedelta(_int(values["relative"]))
    matches = [today + step for today in todays]
    if len(matches) > 1:
        choices = tuple(day for day in matches if _is_inside(question.journey, question.days, day))
        why = f"Which day is {said} is not known: legs of two zones cover the present, and their dates differ."
        return Unclear(why if choices else f"{why} {runs(question.days)}", choices)
    return _inside(question.journey, question.days, matches[0])


def _todays(journey: Journey, now: datetime) -> list[date]:
    """Today's date in the zone of each leg that covers it. Nearly always one."""
    zones = {stretch.zone for stretch in journey.stretches if stretch.zone is not None}
    local = {zone: now.astimezone(zone_info(zone)).date() for zone in zones}
    covered = {day for zone, day in local.items() if any(one.zone == zone for one in journey.stretches_on(day))}
    return sorted(covered)


def _numbered(question: _Question, values: Values) -> date | Unclear:
    number = _first(values, "number", "ordinal", "monthday")
    if not 1 <= number <= len(question.days):
        return Unclear(f"The trip has day 1 to day {len(question.days)}. {runs(question.days)}")
    return question.days[number - 1]


def _last_day(question: _Question, values: Values) -> date | Unclear:
    return question.days.last


def _numbered_or_dated(question: _Question, values: Values) -> date | Unclear:
    return _any_of([_numbered(question, values), _day_of_a_month(question, values)])


def _weekday(question: _Question, values: Values) -> date | Unclear:
    weekday, found = _weekdays(question, values)
    if not found:
        return _no_weekday(question, weekday)
    return _one_of(f"{WEEKDAYS[weekday]} may be", found[:_MANY], len(found))


def _nth_weekday(question: _Question, values: Values) -> date | Unclear:
    weekday, found = _weekdays(question, values)
    number = _first(values, "ordinal", "monthday")
    if not found:
        return _no_weekday(question, weekday)
    if not 1 <= number <= len(found):
        count = f"{len(found)} {WEEKDAYS[weekday]}{'' if len(found) == 1 else 's'}"
        return Unclear(f"The trip has {count}. {runs(question.days)}", tuple(found[-1:]))
    return found[number - 1]


def _last_weekday(question: _Question, values: Values) -> date | Unclear:
    weekday, found = _weekdays(question, values)
    return found[-1] if found else _no_weekday(question, weekday)


def _this_weekday(question: _Question, values: Values) -> date | Unclear:
    """The first one from today on. Before and after the trip, the only one."""
    today = today_in(question.journey, question.now)
    if today is None:
        return _weekday(question, values)
    (day,) = _this_weekday_after(today, values)
    return _inside(question.journey, question.days, day)


def _next_weekday(question: _Question, values: Values) -> date | Unclear:
    """Ambiguous: the next one to come, or the one of next week."""
    today = today_in(question.journey, question.now)
    if today is None:
        return _weekday(question, values)
    found = [_inside(question.journey, question.days, day) for day in _next_weekdays_after(today, values)]
    return found[0] if len(found) == 1 else _any_of(found)


def _relative_to(today: date, values: Values) -> list[date]:
    return [today + timedelta(_int(values["relative"]))]


def _this_weekday_after(today: date, values: Values) -> list[date]:
    return [today + timedelta((_int(values["weekday"]) - today.weekday()) % _WEEK)]


def _next_weekdays_after(today: date, values: Values) -> list[date]:
    ahead = (_int(values["weekday"]) - today.weekday() - 1) % _WEEK + 1
    coming = today + timedelta(ahead)
    in_next_week = coming + timedelta(_WEEK) if today.weekday() + ahead < _WEEK else coming
    return list(dict.fromkeys((coming, in_next_week)))


def _weekdays(question: _Question, values: Values) -> tuple[int, Sequence[date]]:
    weekday = _int(values["weekday"])
    days = question.days
    found = Days(days.first + timedelta((weekday - days.first.weekday()) % _WEEK), days.last)
    return weekday, found[::_WEEK] if found else ()


def _no_weekday(question: _Question, weekday: int) -> Unclear:
    return Unclear(f"The trip has no {WEEKDAYS[weekday]}. {runs(question.days)}")


def _day_of_a_month(question: _Question, values: Values) -> date | Unclear:
    number = _first(values, "monthday", "number", "ordinal")
    days = question.days
    months = range(days.first.year * 12 + days.first.month - 1, days.last.year * 12 + days.last.month)
    known = [day for month in months if (day := _date(month // 12, month % 12 + 1, number))]
    found = [day for day in known if day in days]
    if not found:
        return Unclear(f"No day of the trip has the number {number}. {runs(days)}")
    return _one_of("That date may be", found[:_MANY], len(found))


def _dated(question: _Question, values: Values) -> date | Unclear:
    if "iso" in values:
        year, month, day = (int(part) for part in _DIGITS.findall(str(values["iso"])))
        return _in_month(question, day, month, year)
    year = _int(values["year"]) if "year" in values else None
    return _in_month(question, _first(values, "monthday", "number", "ordinal"), _int(values["month"]), year)


def _pair(question: _Question, values: Values) -> date | Unclear:
    """`16.10.` is day and month. `10/16` may be either order, if that date exists and is in the trip."""
    text = str(values["pair"])
    first, second, *rest = (int(part) for part in _DIGITS.findall(text))
    year = (rest[0] if rest[0] > _CENTURY else 2000 + rest[0]) if rest else None
    orders = [(first, second)] if "." in text or first == second else [(first, second), (second, first)]
    found = [_in_month(question, day, month, year) for day, month in orders]
    return found[0] if len(found) == 1 else _any_of(_with_day(found))


def _with_day(found: Sequence[date | Unclear]) -> list[date | Unclear]:
    """Sort dates that do not exist last: one outside the trip explains more."""
    return sorted(found, key=lambda one: isinstance(one, Unclear) and one.why.startswith(_NO_DATE))


def _in_month(question: _Question, day: int, month: int, year: int | None) -> date | Unclear:
    """Without a year, use the trip's. A long trip may have the day twice."""
    years = [year] if year is not None else list(_years(question.journey, question.days))
    known = [one for each in years if (one := _date(each, month, day))]
    if not known:
        return Unclear(f"{_NO_DATE} {runs(question.days)}")
    inside = [one for one in known if _is_inside(question.journey, question.days, one)]
    if not inside:
        return _inside(question.journey, question.days, known[0])
    return _one_of("That date may be", inside[:_MANY], len(inside))


def _years(journey: Journey, days: Days) -> Iterable[int]:
    extent = journey.extent or days
    return range(extent.first.year, extent.last.year + 1)


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _first(values: Values, *slots: str) -> int:
    return next((_int(values[slot]) for slot in slots if slot in values), 0)


def _int(value: object) -> int:
    return value if isinstance(value, int) else 0


def _one_of(said: str, choices: Sequence[date], count: int) -> date | Unclear:
    if count == 1:
        return choices[0]
    names = [str(day) for day in choices]
    last = f"one of {count - len(names)} later ones" if count > len(names) else names.pop()
    return Unclear(f"{said} {', '.join(names)} or {last}.", tuple(choices))


def _inside(journey: Journey, days: Days, day: date) -> date | Unclear:
    if _is_inside(journey, days, day):
        return day
    return Unclear(f"{day_in_words(day)} is outside the trip. {runs(days)}")


def _is_inside(journey: Journey, days: Days, day: date) -> bool:
    """Whether it is in the trip or its extent, such as a flight on the evening before."""
    return day in (journey.extent or days)


_RULES: Final[Mapping[str, Callable[[_Question, Values], date | Unclear]]] = {
    "relative": _relative,
    "numbered": _numbered,
    "numbered or dated": _numbered_or_dated,
    "last day": _last_day,
    "weekday": _weekday,
    "nth weekday": _nth_weekday,
    "last weekday": _last_weekday,
    "this weekday": _this_weekday,
    "next weekday": _next_weekday,
    "day of a month": _day_of_a_month,
    "date": _dated,
    "pair": _pair,
}
"""By the rules of the grammar's forms."""
_RELATIVE: Final[Mapping[str, Callable[[date, Values], list[date]]]] = {
    "relative": _relative_to,
    "this weekday": _this_weekday_after,
    "next weekday": _next_weekdays_after,
}
"""The days that these rules may mean on a given day, whatever the trip."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A trip, and its days that the text may mean."""

    trip: Trip
    days: tuple[date, ...]


def candidates(trips: Sequence[Trip], text: str, now: datetime) -> list[Candidate]:
    """The trips whose dates include a day that `text` may mean. Nothing but their dates is read."""
    found = [Candidate(trip, _days(Journey.of(TripExport(trip=trip)), text, now)) for trip in trips]
    return [one for one in found if one.days]


def read_day_of_trip(journey: Journey, text: str, now: datetime) -> date | Unclear:
    """As `read_day`. Before and after the trip, `tomorrow` counts by the zones of its legs."""
    found = read_day(journey, text, now)
    if not isinstance(found, Unclear) or found.choices:
        return found
    zones = {leg.zone for leg in journey.stretches if leg.zone}
    todays = {zone: now.astimezone(zone_info(zone)).date() for zone in zones}
    inside = {
        day
        for zone, today in todays.items()
        for day in relative_days(text, today) or ()
        if day in (journey.extent or ()) and journey.zone_on(day) in (zone, None)
    }
    if len(inside) > 1:
        return Unclear("It depends on the time zone which day that is.", tuple(sorted(inside)))
    return inside.pop() if inside else found


def choice_of_trips(found: Sequence[Candidate]) -> Day:
    """The days of several trips that the text may mean."""
    every = [(one.trip, day) for one in found for day in one.days]
    more = len(every) - _MANY
    unclear = [f"{len(found)} trips have such a day. Which one? Pass its tripId."]
    if more > 0:
        unclear.append(f"{more} more days are not shown; name the date.")
    choices = [
        DayChoice(date=str(day), weekday=WEEKDAYS[day.weekday()], trip_id=trip.id, trip=short(trip.title, _TITLE))
        for trip, day in every[:_MANY]
    ]
    return Day(unclear=unclear, choices=choices)


def why_no_trip(trips: Sequence[Trip], text: str) -> str:
    """Contains no words of other people, because it becomes an error."""
    if not is_day(text):
        return f"That names no day: give {UNDERSTOOD}."
    if not trips:
        return "There are no trips yet."
    dated = [trip for trip in trips if trip.start_date and trip.end_date]
    named = [f"{trip.id} ({trip.start_date} to {trip.end_date})" for trip in dated[:_MOST_NAMED]]
    more = f" and {len(dated) - _MOST_NAMED} more" if len(dated) > _MOST_NAMED else ""
    undated = len(trips) - len(dated)
    said = [f"No trip's dates include {short(text, _SAID)}."]
    if named:
        said.append(f"There are {', '.join(named)}{more}.")
    if undated:
        said.append(f"{undated} {'trip has' if undated == 1 else 'trips have'} no dates.")
    return f"{' '.join(said)} For a day outside a trip's dates pass its tripId."


def _days(skeleton: Journey, text: str, now: datetime) -> tuple[date, ...]:
    inside = skeleton.dates
    if inside is None:
        return ()
    near = [relative_days(text, (now.astimezone(UTC) + offset).date()) for offset in _OFFSETS]
    if near[0] is not None:
        return tuple(sorted({day for days in near for day in days or () if day in inside}))
    found = read_day(skeleton, text, now)
    return found.choices if isinstance(found, Unclear) else (found,)
