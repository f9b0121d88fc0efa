"""Which of a trip's days is meant: "Tuesday", "tomorrow", "2026-07-21", "day 3". What is not clear is not guessed."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from trips_mcp.itinerary.journey import Journey
from trips_mcp.itinerary.moments import WEEKDAYS, read_date, zone_info
from trips_mcp.itinerary.spans import Days
from trips_mcp.itinerary.wording import day_in_words

UNDERSTOOD: Final = (
    "a date (2026-07-21, 21 July), a weekday, today, tomorrow, yesterday or tonight, or day 3 of the trip"
)
_MONTHS: Final = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)
_WEEKDAY_OF: Final = {name.casefold(): number for number, name in enumerate(WEEKDAYS)}
_SHORT_WEEKDAY_OF: Final = {
    **{name[:3]: number for name, number in _WEEKDAY_OF.items()},
    "tues": 1,
    "weds": 2,
    "thur": 3,
    "thurs": 3,
}
_FROM_TODAY: Final = {"yesterday": -1, "today": 0, "tonight": 0, "tomorrow": 1}
_NUMBERED = re.compile(r"day ?([0-9]{1,4})")
_DAY_FIRST = re.compile(r"([0-9]{1,2})(?:st|nd|rd|th)?\.? (?:of )?([a-z]+)\.?(?: ([0-9]{4}))?")
_MONTH_FIRST = re.compile(r"([a-z]+)\.? ([0-9]{1,2})(?:st|nd|rd|th)?(?: ([0-9]{4}))?")
_AFTER_WEEKDAY = re.compile(r"([a-z]+)\.? (.+)")
_MANY: Final = 12
"""Of the days that may be meant, more are counted, not named."""


@dataclass(frozen=True, slots=True)
class Unclear:
    """No day, or more than one: `why` is a sentence for the one who asked."""

    why: str
    choices: tuple[date, ...] = ()


def read_day(journey: Journey, text: str, now: datetime) -> date | Unclear:
    """The day that is meant, if it is one of the trip's, or one on which something of it is planned."""
    days = journey.dates
    if days is None:
        return Unclear("The trip has no dates, and nothing in it has one: set them with update_trip or add a leg.")
    said = _plain(text)
    for reader in (_relative, _numbered, _weekday, _dated, _checked):
        found = reader(journey, days, said, now)
        if found is not None:
            return found
    return Unclear(f"That names no day: give {UNDERSTOOD}. {runs(days)}")


def today_in(journey: Journey, now: datetime) -> date | None:
    """In the zone of the leg that covers the present; None where none does, or legs of two dates do."""
    todays = _todays(journey, now)
    return todays[0] if len(todays) == 1 else None


def runs(days: Days) -> str:
    """When the trip is."""
    if days.first == days.last:
        return f"The trip is one day, {day_in_words(days.first)}."
    return f"The trip runs from {day_in_words(days.first)} to {day_in_words(days.last)}."


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().replace(",", " ").split())


def _relative(journey: Journey, days: Days, said: str, now: datetime) -> date | Unclear | None:
    if said not in _FROM_TODAY:
        return None
    todays = _todays(journey, now)
    if not todays:
        return Unclear(f"Which day is {said} is not known: no leg with a time zone covers the present. {runs(days)}")
    step = timedelta(_FROM_TODAY[said])
    meant = [today + step for today in todays]
    if len(meant) > 1:
        choices = tuple(day for day in meant if _is_inside(journey, days, day))
        why = f"Which day is {said} is not known: legs of two zones cover the present, and their dates differ."
        return Unclear(why if choices else f"{why} {runs(days)}", choices)
    return _inside(journey, days, meant[0])


def _todays(journey: Journey, now: datetime) -> list[date]:
    """Today's date in the zone of each leg that covers it: by far most often one."""
    zones = {stretch.zone for stretch in journey.stretches if stretch.zone is not None}
    local = {zone: now.astimezone(zone_info(zone)).date() for zone in zones}
    covered = {day for zone, day in local.items() if any(one.zone == zone for one in journey.stretches_on(day))}
    return sorted(covered)


def _numbered(journey: Journey, days: Days, said: str, now: datetime) -> date | Unclear | None:
    found = _NUMBERED.fullmatch(said)
    if found is None:
        return None
    number = int(found[1])
    if not 1 <= number <= len(days):
        return Unclear(f"The trip has day 1 to day {len(days)}. {runs(days)}")
    return days[number - 1]


def _weekday(journey: Journey, days: Days, said: str, now: datetime) -> date | Unclear | None:
    weekday = _number_of_weekday(said)
    if weekday is None:
        return None
    found = Days(days.first + timedelta((weekday - days.first.weekday()) % 7), days.last)
    if not found:
        return Unclear(f"No {WEEKDAYS[weekday]} lies in the trip. {runs(days)}")
    return _one_of(f"{WEEKDAYS[weekday]} may be", found[: 7 * _MANY : 7], (len(found) - 1) // 7 + 1)


def _number_of_weekday(said: str) -> int | None:
    name = said.removeprefix("on ").removesuffix(".")
    return _WEEKDAY_OF.get(name, _SHORT_WEEKDAY_OF.get(name))


def _dated(journey: Journey, days: Days, said: str, now: datetime) -> date | Unclear | None:
    if day := read_date(said.replace("/", "-")):
        return _inside(journey, days, day)
    return _in_month(journey, days, _DAY_FIRST.fullmatch(said), 1, 2) or _in_month(
        journey, days, _MONTH_FIRST.fullmatch(said), 2, 1
    )


def _in_month(
    journey: Journey, days: Days, found: re.Match[str] | None, day_at: int, month_at: int
) -> date | Unclear | None:
    """Without a year, that of the trip is meant; a long trip may have the day twice."""
    month = _number_of_month(found[month_at]) if found else None
    if found is None or month is None:
        return None
    years = [int(found[3])] if found[3] else list(_years(journey, days))
    known = [day for year in years if (day := _date(year, month, int(found[day_at])))]
    if not known:
        return Unclear(f"There is no such date. {runs(days)}")
    inside = [day for day in known if _is_inside(journey, days, day)]
    if not inside:
        return _inside(journey, days, known[0])
    return _one_of("That date may be", inside[:_MANY], len(inside))


def _years(journey: Journey, days: Days) -> Iterable[int]:
    extent = journey.extent or days
    return range(extent.first.year, extent.last.year + 1)


def _number_of_month(name: str) -> int | None:
    found = [number for number, month in enumerate(_MONTHS, 1) if month == name or (month[:3] == name[:3] == name)]
    return found[0] if found else 9 if name == "sept" else None


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _checked(journey: Journey, days: Days, said: str, now: datetime) -> date | Unclear | None:
    """`Tuesday 21 July`: a date, with its weekday."""
    found = _AFTER_WEEKDAY.fullmatch(said)
    weekday = _number_of_weekday(found[1]) if found else None
    if found is None or weekday is None:
        return None
    day = _dated(journey, days, found[2], now)
    if isinstance(day, Unclear):
        meant = tuple(choice for choice in day.choices if choice.weekday() == weekday)
        return meant[0] if len(meant) == 1 else day
    if day is not None and day.weekday() != weekday:
        return Unclear(f"{day} is a {WEEKDAYS[day.weekday()]}, no {WEEKDAYS[weekday]}. {runs(days)}")
    return day


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
    """Or between it and what is planned before or after, as the flight of the evening before may be."""
    return day in (journey.extent or days)
