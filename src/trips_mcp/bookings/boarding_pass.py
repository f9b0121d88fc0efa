"""Boarding pass strings: IATA Resolution 792 (BCBP), one and more legs, with the conditional sections."""

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from trips_mcp.bookings.model import Booking, BookingTime, flight_number
from trips_mcp.bookings.times_and_places import FIRST_YEAR, airport_place, is_airport, real_date

_HEADER: Final = 23
"""Characters before the first leg: format, number of legs, name, e-ticket."""
_LEG: Final = 37
"""Mandatory characters of a leg."""
_SHORTEST_LEG: Final = 24
"""Up to the day: some passes end there."""
_LONGEST: Final = 1_000
_FARTHEST: Final = timedelta(days=366)
"""From today to a flight, where the pass has no date of issue."""
_MOST: Final = 100
"""Passes of one text."""

_START: Final = re.compile(
    r"(?<![A-Z0-9])M[1-4][A-Z0-9/ .'-]{20}[E ](?=[A-Z0-9 ]{7}[A-Z]{3}[A-Z]{3}[A-Z0-9]{2}[A-Z0-9 ][0-9 ]{4})"
)
_COLLAPSED: Final = re.compile(
    r"(?<![A-Z0-9])M1(?P<name>[A-Z][A-Z '-]*/[A-Z '-]+?) +E?(?P<pnr>[A-Z0-9]{5,7}) +(?P<from>[A-Z]{3})(?P<to>[A-Z]{3})"
    r"(?P<carrier>[A-Z0-9]{2,3}?) *(?P<number>[0-9]{1,4}) +(?P<day>[0-9]{3})(?P<cabin>[A-Z])(?P<seat>[0-9]{3}[A-Z])?"
)
"""A pass whose spaces HTML or a PDF has merged."""
_ISSUED: Final = re.compile(r"[0-9][0-9]{3}")


@dataclass(frozen=True, slots=True)
class _Leg:
    record: str
    origin: str
    destination: str
    carrier: str
    number: str
    day: int
    seat: str


def find_boarding_passes(text: str, today: date) -> tuple[Booking, ...]:
    """Flights of all passes in a text. `today` decides the year if the pass has no date of issue."""
    found: list[Booking] = []
    for start in _START.finditer(text):
        found += read_boarding_pass(text[start.start() : start.start() + _LONGEST].split("\n")[0], today)
        if len(found) >= _MOST:
            break
    return tuple(found) or tuple(_of_collapsed(text, today))


def read_boarding_pass(text: str, today: date) -> tuple[Booking, ...]:
    """Flights of one pass. Empty if it is none."""
    if not re.match(r"M[1-4]", text) or len(text) < _HEADER + _SHORTEST_LEG:
        return ()
    legs, issued = _legs(text)
    name = spoken_name(text[2:22])
    return tuple(_booking(leg, name, _departure(leg.day, issued, today)) for leg in legs)


def _legs(text: str) -> tuple[list[_Leg], str]:
    """The legs, and the day of issue as the first one's conditional section has it: `7034`."""
    legs: list[_Leg] = []
    issued, at = "", _HEADER
    for index in range(int(text[1])):
        leg = _leg(text[at : at + _LEG])
        if leg is None:
            break
        legs.append(leg)
        size = _hexadecimal(text[at + _LEG - 2 : at + _LEG])
        conditional = text[at + _LEG : at + _LEG + size]
        if index == 0:
            issued = _issued(conditional)
        at += _LEG + size
    return legs, issued


def _leg(text: str) -> _Leg | None:
    origin, destination, day = text[7:10], text[10:13], text[21:24].strip()
    if len(text) < _SHORTEST_LEG or not day.isdecimal() or not 1 <= int(day) <= 366:
        return None
    if not (re.fullmatch("[A-Z]{3}", origin) and re.fullmatch("[A-Z]{3}", destination)):
        return None
    seat = text[25:29].strip().lstrip("0")
    return _Leg(
        record=text[:7].strip(),
        origin=origin,
        destination=destination,
        carrier=text[13:16].strip(),
        number=text[16:21].strip(),
        day=int(day),
        seat=seat if any(mark.isdecimal() for mark in seat) else "",
    )


def _issued(conditional: str) -> str:
    """`>`, the version, the size of the section, then three marks and the day of issue."""
    if not conditional.startswith(">") or _hexadecimal(conditional[2:4]) < 7:
        return ""
    found = conditional[7:11]
    return found if _ISSUED.fullmatch(found) and 1 <= int(found[1:]) <= 366 else ""


def _departure(day: int, issued: str, today: date) -> date | None:
    """The year nearest to the day of issue, else to today. A pass is issued at most a year ahead."""
    if issued:
        on = _issue_date(issued, today)
        if on is not None:
            later = (_day_of_year(year, day) for year in (on.year, on.year + 1))
            return next((one for one in later if one and one >= on - timedelta(days=2)), None)
    near = [one for year in (today.year - 1, today.year, today.year + 1) if (one := _day_of_year(year, day))]
    nearest = min(near, key=lambda one: abs(one - today), default=None)
    return nearest if nearest is not None and abs(nearest - today) <= _FARTHEST else None


def _issue_date(issued: str, today: date) -> date | None:
    """The latest year that ends in this digit and is not in the future."""
    digit, day = int(issued[0]), int(issued[1:])
    latest = today + timedelta(days=2)
    for year in range(latest.year, max(latest.year - 10, FIRST_YEAR), -1):
        found = _day_of_year(year, day) if year % 10 == digit else None
        if found is not None and found <= latest:
            return found
    return None


def _day_of_year(year: int, day: int) -> date | None:
    first = real_date(year, 1, 1)
    found = first + timedelta(days=day - 1) if first else None
    return found if found is not None and found.year == year else None


def _booking(leg: _Leg, traveller: str, day: date | None) -> Booking:
    origin, destination = airport_place(leg.origin), airport_place(leg.destination)
    unknown = [code for code in (leg.origin, leg.destination) if not is_airport(code)]
    problems = [f"{code} is not a known airport." for code in unknown]
    if day is None:
        problems.append(f"No year near today has a day {leg.day}.")
    return Booking(
        kind="flight",
        starts=BookingTime(day, None, origin.zone) if day else None,
        number=flight_number(leg.carrier, leg.number),
        origin=origin,
        destination=destination,
        confirmation_number=leg.record,
        travellers=(traveller,) if traveller else (),
        seat=leg.seat,
        source="boarding pass",
        problems=tuple(problems),
    )


def _of_collapsed(text: str, today: date) -> list[Booking]:
    found: list[Booking] = []
    for match in _COLLAPSED.finditer(text):
        leg = _Leg(
            match["pnr"],
            match["from"],
            match["to"],
            match["carrier"],
            match["number"],
            int(match["day"]),
            (match["seat"] or "").lstrip("0"),
        )
        if 1 <= leg.day <= 366 and is_airport(leg.origin) and is_airport(leg.destination):
            found.append(_booking(leg, spoken_name(match["name"]), _departure(leg.day, "", today)))
        if len(found) >= _MOST:
            break
    return found


def spoken_name(name: str) -> str:
    """`DOE/JOHN` as John would say it: `JOHN DOE`."""
    family, _, given = name.strip().partition("/")
    return " ".join(part.strip() for part in (given, family) if part.strip())


def _hexadecimal(text: str) -> int:
    try:
        return int(text, 16)
    except ValueError:
        return 0
