"""Local times as travellers write them: a date, and perhaps a time and a zone, never invented."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter, ValidationError

from trips_mcp.contract.fields import Zone

TimeOfDay = time

WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

_DATE = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[Tt ]00:00(?::00(?:\.0+)?)?(?:[Zz]|\+00:?00)?)?")
_TIME = re.compile(r"([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:\.[0-9]+)?)?(?:\s?([AaPp])\.?[Mm]\.?)?")
_DATE_TIME = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ]\s*([0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?)"
    r"\s?([Zz]|[+-][0-9]{2}:?[0-9]{2})?"
)
_FIRST_YEAR: Final = 2
_LAST_YEAR: Final = 9998
"""Leaves every date a neighbour on both sides, which night arithmetic needs."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A local time by wall clock and calendar. `zone` is a valid IANA name."""

    day: date
    time: TimeOfDay | None = None
    zone: str | None = None
    second: bool = False
    """Whether it is the second occurrence of an hour that exists twice."""

    @property
    def weekday(self) -> str:
        return WEEKDAYS[self.day.weekday()]

    @property
    def instant(self) -> datetime | None:
        """In UTC; None if time or zone is unknown."""
        local = self._local()
        return None if local is None else local.replace(fold=self.second).astimezone(UTC)

    @property
    def gap(self) -> bool:
        """Whether the clocks go forward over this time, so that it does not exist."""
        return self._jump() > timedelta()

    @property
    def fold(self) -> bool:
        """Whether the clocks go back over this time, so that it exists twice."""
        return self._jump() < timedelta()

    def _local(self) -> datetime | None:
        if self.time is None or self.zone is None:
            return None
        return datetime.combine(self.day, self.time, zone_info(self.zone))

    def _jump(self) -> timedelta:
        """How far the clocks go forward over this time. Zero if it exists once or is incomplete."""
        local = self._local()
        if local is None:
            return timedelta()
        return (local.replace(fold=1).utcoffset() or timedelta()) - (local.utcoffset() or timedelta())


@cache
def zone_info(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def read_date(text: str | None) -> date | None:
    """Parse `2026-07-21`, or its midnight, as some services write dates."""
    found = _DATE.fullmatch(text.strip()) if text else None
    return None if found is None else _date(found[1])


def read_time(text: str | None) -> time | None:
    """Parse `9:05`, `09:05`, `09:05:00` or `9:05 pm`."""
    found = _TIME.fullmatch(text.strip()) if text else None
    if found is None:
        return None
    hour, minute, second, half = int(found[1]), int(found[2]), int(found[3] or 0), (found[4] or "").lower()
    if half:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half == "p" else 0)
    return time(hour, minute, second) if hour < 24 and minute < 60 and second < 60 else None


def read_moment(text: str | None, zone: str | None) -> Moment | None:
    """Parse a date and time, or a date alone.

    A time with an offset is converted to the wall clock of `zone`. Without `zone` it stays as written, as an offset
    is not a zone.
    """
    if not text:
        return None
    found = _DATE_TIME.fullmatch(text.strip())
    if found is None:
        day = read_date(text)
        return None if day is None else Moment(day, None, zone)
    day, at, offset = _date(found[1]), read_time(found[2]), found[3]
    if day is None or at is None:
        return None
    if offset and zone:
        return _in_zone(day, at, offset, zone)
    return Moment(day, at, zone)


@lru_cache(maxsize=1000)
def read_zone(name: str | None) -> str | None:
    """The name if it is a valid IANA zone, else None."""
    if not name:
        return None
    try:
        return _zones().validate_python(name.strip())
    except ValidationError:
        return None


@cache
def _zones() -> TypeAdapter[str]:
    return TypeAdapter(Zone)


def _date(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if _FIRST_YEAR <= day.year <= _LAST_YEAR else None


def _in_zone(day: date, at: time, offset: str, zone: str) -> Moment | None:
    try:
        written = datetime.fromisoformat(f"{day}T{at}{offset.upper()}")
    except ValueError:  # an offset of 99 hours
        return None
    local = written.astimezone(zone_info(zone))
    if not _FIRST_YEAR <= local.year <= _LAST_YEAR:
        return None
    return Moment(local.date(), local.time(), zone)
