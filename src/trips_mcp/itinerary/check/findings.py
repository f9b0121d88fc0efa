"""Findings of a check: what each cites, why, and the tool that fixes it; and their building blocks.

The building blocks are citations, phrases, and the quota of findings that are built. Phrases hold no text from the
trip, which could give orders to a model.
"""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Annotated, Final, Literal

from pydantic import Field

from trips_mcp.contract.fields import BY_MEMBERS, OTHERS
from trips_mcp.contract.map_pins import MapPin
from trips_mcp.contract.models import Result
from trips_mcp.itinerary.formatting import clock, day_in_words, one_line, short
from trips_mcp.itinerary.local_time import WEEKDAYS, Moment
from trips_mcp.itinerary.model import Appointment, Days, Move, Rental, Stay, Stretch

Grade = Literal["certain", "possible", "not_checkable"]
"""
- certain: it follows from the plan, however its gaps are filled.
- possible: it may be intended, or it depends on something the plan leaves open.
- not_checkable: the data needed is missing or cannot be read.
"""

Kind = Literal[
    "arrival_before_departure",
    "arrival_far_from_leg",
    "bad_coordinates",
    "connection_too_short",
    "end_before_start",
    "hour_does_not_exist",
    "hour_exists_twice",
    "impossible_hop",
    "leg_gap",
    "leg_outside_trip",
    "leg_overlap",
    "no_bed",
    "no_date",
    "no_end",
    "no_zone",
    "outside_leg",
    "outside_trip",
    "overlap",
    "pin_far_from_leg",
    "same_booking_twice",
    "too_long_under_way",
    "too_short_under_way",
    "two_beds",
    "unknown_link",
    "unreadable",
    "zone_contradicts",
]

GRADES: Final[tuple[Grade, ...]] = ("certain", "possible", "not_checkable")
_GRADE_WORDS: Final = {"certain": "certain", "possible": "possible", "not_checkable": "not checkable"}
MOST: Final = 100
"""Maximum findings in a report."""
MOST_PARTS: Final = 10
"""Maximum parts listed per finding; the rest is a count."""
_TITLE: Final = 80
"""Maximum characters of a cited title."""
_PLAIN_ID: Final = re.compile(r"[A-Za-z0-9_.:-]{1,40}")
_FLIGHT_NUMBER: Final = re.compile(r"[A-Z0-9]{2,3} ?[0-9]{1,4}[A-Z]?")


class CitedPart(Result):
    """A part of the trip, by the ids and the field names that the tools accept."""

    leg_id: str | None = None
    flight: str | None = None
    """Its path in the leg, such as `flights.0`."""
    commitment_id: str | None = None
    event_id: Annotated[int | None, Field(alias="event_id")] = None
    pin_id: str | None = None
    field: str | None = None
    """Path of the field in that part, such as `accommodation.checkOut` of a leg."""
    title: Annotated[str | None, BY_MEMBERS] = None
    event_title: Annotated[str | None, OTHERS] = None
    """Replaces `title` for an event: a stranger may have written it."""


class Finding(Result):
    grade: Grade
    kind: Kind
    date: str | None = None
    weekday: str | None = None
    about: list[CitedPart] = Field(default_factory=list[CitedPart])
    more: int | None = None
    """Number of parts that are not listed in `about`."""
    why: str
    """Written by us from ids, local times and zones. Contains no text from the trip."""
    not_certain: str | None = None
    """Why a possible finding is not certain."""
    fix_with: str | None = None
    """Name of a tool; None if the server does not offer it."""


class Checked(Result):
    """Numbers of items checked."""

    legs: int = 0
    stays: int = 0
    flights: int = 0
    rentals: int = 0
    commitments: int = 0
    events: int = 0
    pins: int = 0


class CheckReport(Result):
    trip_id: str
    certain: int
    possible: int
    not_checkable: int
    minimum_connection_minutes: int
    findings: list[Finding] = Field(default_factory=list[Finding])
    """By date, then by grade."""
    not_shown: int | None = None
    """Number of findings left out. The most certain ones are shown."""
    checked: Checked
    notes: list[str] = Field(default_factory=list[str])
    """Limits of this check for this trip."""


def in_words(report: CheckReport) -> str:
    lines = [_summary(report), *map(line_of, report.findings)]
    if report.not_shown:
        lines.append(f"{report.not_shown} more are not shown; fix these and check again.")
    return "\n".join([*lines, *report.notes])


def _summary(report: CheckReport) -> str:
    found = f"{report.certain} certain, {report.possible} possible, {report.not_checkable} not checkable"
    return f"Checked {_counts(report.checked)}: {found}."


def _counts(checked: Checked) -> str:
    counts = {name: getattr(checked, name) for name in type(checked).model_fields}
    said = [f"{count} {name if count != 1 else name.removesuffix('s')}" for name, count in counts.items() if count]
    return ", ".join(said) or "nothing at all"


def line_of(finding: Finding) -> str:
    about = "; ".join(map(_named, finding.about))
    more = f" and {finding.more} more" if finding.more else ""
    about = f" [{about}{more}]" if about else ""
    fix = f" Fix with {finding.fix_with}." if finding.fix_with else ""
    doubt = f" Not certain: {finding.not_certain}" if finding.not_certain else ""
    return f"- {_GRADE_WORDS[finding.grade]}, {finding.kind}: {finding.why}{doubt}{about}{fix}"


def _named(part: CitedPart) -> str:
    names = {"legId": part.leg_id, "commitmentId": part.commitment_id, "event_id": part.event_id, "pinId": part.pin_id}
    said = [f"{name} {value}" for name, value in names.items() if value is not None]
    said += filter(None, [part.field or part.flight])
    if title := part.event_title or part.title:
        said.append(f"“{one_line(title)}”")
    return " ".join(said)


Found = Finding | Grade
"""A finding, or only its grade if it is counted but not built."""


class Quota:
    """Builds at most `MOST` findings of each grade and counts the rest.

    Building a finding costs far more than detecting it. Findings must come by date, so that the earliest are built.
    """

    def __init__(self) -> None:
        self._built: Counter[Grade] = Counter()

    def of(self, grade: Grade, build: Callable[[], Finding]) -> Found:
        if self._built[grade] == MOST:
            return grade
        self._built[grade] += 1
        return build()


def cite_leg(stretch: Stretch, field: str | None = None) -> CitedPart:
    return CitedPart(leg_id=stretch.id or None, field=field, title=short(stretch.title, _TITLE))


def cite_stay(one: Stay, field: str | None = None) -> CitedPart:
    path = f"accommodation.{field}" if field else "accommodation"
    return CitedPart(leg_id=one.leg_id or None, field=path, title=short(one.name, _TITLE))


def cite_flight(move: Move, field: str | None = None) -> CitedPart:
    place = f"flights.{move.index}"
    return CitedPart(
        leg_id=move.leg_id or None,
        flight=place,
        field=f"{place}.{field}" if field else None,
        title=short(move.label, _TITLE),
    )


def cite_rental(one: Rental, field: str | None = None) -> CitedPart:
    path = f"rentalCar.{field}" if field else "rentalCar"
    return CitedPart(leg_id=one.leg_id or None, field=path, title=short(one.company, _TITLE))


def cite_appointment(one: Appointment, field: str | None = None) -> CitedPart:
    if one.kind == "event":
        return CitedPart(event_id=int(one.id) if one.id else None, field=field, event_title=short(one.title, _TITLE))
    return CitedPart(commitment_id=one.id or None, field=field, title=short(one.title, _TITLE))


def cite_pin(one: MapPin, field: str | None = None) -> CitedPart:
    return CitedPart(pin_id=one.id or None, field=field, title=short(one.name or "", _TITLE))


def update_tool(one: Appointment) -> str:
    return f"update_{one.kind}"


def doubtful(doubt: str, kind: Kind, day: date | None, about: Sequence[CitedPart], why: str, fix_with: str) -> Finding:
    """A possible finding, which says why it is not certain. Certain if `doubt` is empty."""
    return _finding(grade_of(doubt), kind, day, about, why, fix_with, doubt)


def finding(
    grade: Literal["certain", "not_checkable"],
    kind: Kind,
    day: date | None,
    about: Sequence[CitedPart],
    why: str,
    fix_with: str,
) -> Finding:
    return _finding(grade, kind, day, about, why, fix_with)


def _finding(
    grade: Grade, kind: Kind, day: date | None, about: Sequence[CitedPart], why: str, fix_with: str, doubt: str = ""
) -> Finding:
    return Finding(
        grade=grade,
        kind=kind,
        date=str(day) if day else None,
        weekday=WEEKDAYS[day.weekday()] if day else None,
        about=list(about[:MOST_PARTS]),
        more=max(0, len(about) - MOST_PARTS) or None,
        why=why,
        not_certain=f"{begin(doubt)}." if doubt else None,
        fix_with=fix_with,
    )


def at(moment: Moment) -> str:
    """`Tuesday 2027-03-30 18:30 Asia/Tokyo`"""
    if moment.time is None:
        return day_in_words(moment.day)
    return f"{day_in_words(moment.day)} {clock(moment.time)} {moment.zone or '(zone unknown)'}"


def between(starts: Moment, ends: Moment | None) -> str:
    """`Tuesday 2027-03-30 18:30 to 21:00 Asia/Tokyo`, with both dates and zones if they differ."""
    if ends is None or ends.time is None or starts.time is None:
        return at(starts)
    if starts.zone != ends.zone:
        return f"{at(starts)} to {at(ends)}"
    day = "" if ends.day == starts.day else f"{day_in_words(ends.day)} "
    return (
        f"{day_in_words(starts.day)} {clock(starts.time)} to {day}{clock(ends.time)} {starts.zone or '(zone unknown)'}"
    )


def days(these: Days) -> str:
    return (
        day_in_words(these.first)
        if these.first == these.last
        else f"{day_in_words(these.first)} to {day_in_words(these.last)}"
    )


def nights(these: Days) -> str:
    if these.first == these.last:
        return f"the night of {day_in_words(these.first)}"
    return f"the {len(these)} nights from {day_in_words(these.first)} to {day_in_words(these.last)}"


def offset(time: timedelta) -> str:
    """`UTC+9`, `UTC-3:30`"""
    minutes = round(time / timedelta(minutes=1))
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{'-' if minutes < 0 else '+'}{hours}{f':{rest:02}' if rest else ''}"


def named(noun: str, which: str) -> str:
    """With its id if that is plain. Anything else may be text that gives orders."""
    return f"{noun} {which}" if _PLAIN_ID.fullmatch(which) else f"a {noun}"


def leg(stretch: Stretch) -> str:
    return named("leg", stretch.id)


def leg_of(leg_id: str) -> str:
    return named("leg", leg_id)


def appointment(one: Appointment) -> str:
    return named(one.kind, one.id)


def pin(pin_id: str) -> str:
    return named("pin", pin_id)


def flight(move: Move) -> str:
    """By its number if that looks like one, else by its position in the leg."""
    number = (move.source.flight_number or "").strip().upper()
    if _FLIGHT_NUMBER.fullmatch(number) and not number.isdecimal():
        return f"flight {number}"
    return f"flight {move.index} of {leg_of(move.leg_id)}"


def grade_of(doubt: str) -> Grade:
    return "possible" if doubt else "certain"


def begin(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]
