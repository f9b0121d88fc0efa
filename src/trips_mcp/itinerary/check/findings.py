"""Results of a check: findings, each with what it cites, why, and the tool that fixes it."""

from typing import Annotated, Final, Literal

from pydantic import Field

from trips_mcp.contract.fields import BY_MEMBERS, OTHERS
from trips_mcp.contract.models import Result
from trips_mcp.itinerary.formatting import one_line

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


_GRADE_WORDS: Final = {"certain": "certain", "possible": "possible", "not_checkable": "not checkable"}


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
