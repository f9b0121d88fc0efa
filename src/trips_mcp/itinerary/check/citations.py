"""The trip's parts as findings cite them, by ids and fields, and findings made of that."""

from collections.abc import Sequence
from datetime import date
from typing import Final

from trips_mcp.contract.map_pins import MapPin
from trips_mcp.itinerary.check.findings import CitedPart, Finding, Grade, Kind
from trips_mcp.itinerary.formatting import short
from trips_mcp.itinerary.journey import Appointment, Move, Rental, Stay, Stretch
from trips_mcp.itinerary.local_time import WEEKDAYS

MOST_PARTS: Final = 10
"""That one finding lists; of what else it is about, it tells the number."""

_TITLE: Final = 80


def leg(stretch: Stretch, field: str | None = None) -> CitedPart:
    return CitedPart(leg_id=stretch.id or None, field=field, title=short(stretch.title, _TITLE))


def stay(one: Stay, field: str | None = None) -> CitedPart:
    path = f"accommodation.{field}" if field else "accommodation"
    return CitedPart(leg_id=one.leg_id or None, field=path, title=short(one.name, _TITLE))


def flight(move: Move, field: str | None = None) -> CitedPart:
    place = f"flights.{move.index}"
    return CitedPart(
        leg_id=move.leg_id or None,
        flight=place,
        field=f"{place}.{field}" if field else None,
        title=short(move.label, _TITLE),
    )


def rental(one: Rental, field: str | None = None) -> CitedPart:
    path = f"rentalCar.{field}" if field else "rentalCar"
    return CitedPart(leg_id=one.leg_id or None, field=path, title=short(one.company, _TITLE))


def appointment(one: Appointment, field: str | None = None) -> CitedPart:
    if one.kind == "event":
        return CitedPart(event_id=int(one.id) if one.id else None, field=field, event_title=short(one.title, _TITLE))
    return CitedPart(commitment_id=one.id or None, field=field, title=short(one.title, _TITLE))


def pin(one: MapPin, field: str | None = None) -> CitedPart:
    return CitedPart(pin_id=one.id or None, field=field, title=short(one.name or "", _TITLE))


def mend_appointment(one: Appointment) -> str:
    return f"update_{one.kind}"


def finding(
    grade: Grade, kind: Kind, day: date | None, about: Sequence[CitedPart], why: str, mend_with: str
) -> Finding:
    return Finding(
        grade=grade,
        kind=kind,
        date=str(day) if day else None,
        weekday=WEEKDAYS[day.weekday()] if day else None,
        about=list(about[:MOST_PARTS]),
        more=max(0, len(about) - MOST_PARTS) or None,
        why=why,
        mend_with=mend_with,
    )
