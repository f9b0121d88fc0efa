"""Stays, found by day, leg or name, and the report of one stay."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from typing import Annotated, Final

from trips_mcp.contract.fields import BY_MEMBERS
from trips_mcp.contract.legs import LegAccommodation
from trips_mcp.contract.models import Result
from trips_mcp.itinerary.formatting import day_in_words, one_line, short
from trips_mcp.itinerary.journey import Journey
from trips_mcp.itinerary.model import Stay
from trips_mcp.itinerary.search import matching

Text = Annotated[str | None, BY_MEMBERS]

_MOST_CHOICES: Final = 12
_TITLE: Final = 200
_SAID: Final = {"name", "address", "check_in", "check_out", "host_name", "host_phone", "wifi_name", "notes"}
"""Fields of an accommodation that are always shown. A host's phone is masked if secrets are."""
_CODES: Final = ("confirmation_number", "wifi_password", "door_code", "check_in_instructions")


class StayChoice(Result):
    leg_id: str | None = None
    name: Text = None
    arrives: str | None = None
    leaves: str | None = None


class StayReport(Result):
    leg_id: str | None = None
    leg: Text = None
    """Title of the leg."""
    destination: Text = None
    name: Text = None
    address: Text = None
    arrives: str | None = None
    """Weekday and date."""
    leaves: str | None = None
    nights: int | None = None
    zone: str | None = None
    check_in: Text = None
    """As written."""
    check_out: Text = None
    host_name: Text = None
    host_phone: Text = None
    wifi_name: Text = None
    notes: Text = None
    confirmation_number: Text = None
    wifi_password: Text = None
    door_code: Text = None
    check_in_instructions: Text = None
    withheld: list[str] | None = None
    """Names of the secrets that the stay has. The argument `secrets` shows them."""
    more_fields: list[str] | None = None
    """Other fields that the stay has; list_legs has their values."""
    remark: str | None = None
    unclear: str | None = None
    choices: list[StayChoice] | None = None
    """Replaces all other fields if several stays match."""
    more_choices: int | None = None


def stays_on(journey: Journey, days: Iterable[date]) -> list[Stay]:
    """The stays of the nights after these days; for a day without one, those that end on it."""
    found: dict[int, Stay] = {}
    for day in days:
        leaving = [stay for stay in journey.stays_at(day) if stay.end == day]
        found |= {id(stay): stay for stay in journey.beds(day) or leaving}
    return [stay for stay in journey.stays if id(stay) in found]


def stays_named(journey: Journey, name: str) -> list[Stay]:
    """The stays in which a search finds the words, else those of the legs in which it does."""
    hits = list(matching(journey, name))
    for kind in ("stay", "leg"):
        legs = {hit.leg_id for hit in hits if hit.kind == kind}
        found = [stay for stay in journey.stays if stay.leg_id in legs]
        if found:
            return found
    return []


def choice_of_stays(stays: Sequence[Stay]) -> StayReport:
    return StayReport(
        unclear=f"{len(stays)} stays fit. Which one? Pass its legId.",
        choices=[
            StayChoice(
                leg_id=stay.leg_id or None,
                name=short(stay.name, _TITLE),
                arrives=_day(stay.first),
                leaves=_day(stay.end),
            )
            for stay in stays[:_MOST_CHOICES]
        ],
        more_choices=max(0, len(stays) - _MOST_CHOICES) or None,
    )


def stay_report(journey: Journey, stay: Stay, *, tells: bool) -> StayReport:
    source, leg = stay.source, journey.stretch.get(stay.leg_id)
    shown = {*_SAID, *(_CODES if tells else ())}
    parts = {name: getattr(source, name) for name in LegAccommodation.model_fields if name in shown}
    withheld = [LegAccommodation.model_fields[name].alias or name for name in _CODES if getattr(source, name)]
    return StayReport(
        leg_id=stay.leg_id or None,
        leg=short(leg.title, _TITLE) if leg else None,
        destination=short(leg.destination, _TITLE) if leg else None,
        arrives=_day(stay.first),
        leaves=_day(stay.end),
        nights=len(stay.nights) if stay.nights else None,
        zone=stay.zone,
        withheld=None if tells else withheld or None,
        **parts,
    )


def _day(day: date | None) -> str | None:
    return day_in_words(day) if day else None


def stay_in_words(report: StayReport, hint: Callable[[str], str]) -> str:
    if report.choices:
        lines = [report.unclear or "", *(f"- {_choice(one)}" for one in report.choices)]
        return "\n".join([*lines, *([f"- and {report.more_choices} more"] if report.more_choices else [])])
    return "\n".join(_lines(report, hint))


def _choice(one: StayChoice) -> str:
    return f"{one_line(one.name or '(no name)')}, {one.arrives or '?'} to {one.leaves or '?'} (legId {one.leg_id})"


def _lines(report: StayReport, hint: Callable[[str], str]) -> Iterator[str]:
    place = ", ".join(one_line(text) for text in (report.name, report.address) if text)
    leg = ", ".join(one_line(text) for text in dict.fromkeys((report.leg, report.destination)) if text)
    yield f"{place or '(no name)'} (legId {report.leg_id}{f', {leg}' if leg else ''})"
    nights = f", {report.nights} {'night' if report.nights == 1 else 'nights'}" if report.nights else ""
    yield f"{report.arrives or '?'} to {report.leaves or '?'}{nights}{f', {report.zone}' if report.zone else ''}"
    for label, value in (
        ("Check-in", report.check_in),
        ("Check-out", report.check_out),
        ("Host", report.host_name),
        ("Host's phone", report.host_phone),
        ("Wi-Fi", report.wifi_name),
        ("Wi-Fi password", report.wifi_password),
        ("Door code", report.door_code),
        ("Confirmation number", report.confirmation_number),
        ("Check-in instructions", report.check_in_instructions),
        ("Notes", report.notes),
    ):
        if value:
            yield f"{label}: {one_line(value)}"
    if report.remark:
        yield report.remark
    if report.withheld:
        yield f"Not told without secrets: {', '.join(report.withheld)}"
    if report.more_fields:
        yield hint(f"list_legs also has {', '.join(report.more_fields)}.")
