"""Builders of short trips for tests."""

from collections.abc import Sequence
from typing import Any, TypeVar

from pydantic import BaseModel
from typing_extensions import override

from trips_mcp.contract.events import Event
from trips_mcp.contract.trips import TripExport
from trips_mcp.itinerary.journey import Journey
from trips_mcp.tools.untrusted_text import Quoting

Json = dict[str, Any]
M = TypeVar("M", bound=BaseModel)


def leg(place: str, dates: str, zone: str | None, *, stay: str | Json | None = None, **more: Any) -> Json:
    """`dates` are two days. A stay is its name, or the whole object."""
    starts, ends = dates.split()
    accommodation = {"name": stay} if isinstance(stay, str) else stay
    known = {"_id": f"leg_{place.lower().replace(' ', '_')}", "title": place, "destination": place}
    return {
        **known,
        "startDate": starts,
        "endDate": ends,
        "timezone": zone,
        "accommodation": accommodation,
        **more,
    }


def flight(number: str, departs: str, arrives: str) -> Json:
    """Each end is `LHR 2026-07-19T11:25 Europe/London`, or the known parts of it."""
    ends: Json = {"flightNumber": number}
    for names, text in (
        (("from", "departure", "departureTimezone"), departs),
        (("to", "arrival", "arrivalTimezone"), arrives),
    ):
        ends |= dict(zip(names, text.split(), strict=False))
    return ends


def plan(title: str, date: str | None, times: str = "", **more: Any) -> Json:
    """A commitment. `times` are none, its start, or its start and end."""
    start, _, end = times.partition(" ")
    known = {"_id": f"com_{title.lower().replace(' ', '_')}", "title": title, "startDate": date}
    return {**known, "startTime": start or None, "endTime": end or None, **more}


def event(title: str, date: str, time: str | None = None, **more: Any) -> Json:
    return {"id": sum(map(ord, title)), "title": title, "date": date, "time": time, **more}


def todo(text: str, urgency: str, **more: Any) -> Json:
    return {"_id": f"todo_{text.lower().replace(' ', '_')}", "text": text, "urgency": urgency, **more}


def pin(name: str, lat: float, lng: float) -> Json:
    return {"_id": f"pin_{name.lower().replace(' ', '_')}", "name": name, "lat": lat, "lng": lng}


def export(
    dates: str | None = None,
    *,
    legs: Sequence[Json] = (),
    plans: Sequence[Json] = (),
    pins: Sequence[Json] = (),
    todos: Sequence[Json] = (),
) -> TripExport:
    starts, ends = dates.split() if dates else (None, None)
    return TripExport.model_validate(
        {
            "trip": {"_id": "trip_1", "title": "A trip", "startDate": starts, "endDate": ends},
            "legs": legs,
            "commitments": plans,
            "mapPins": pins,
            "members": [{"userId": "user_1", "role": "owner"}],
            "actionItems": todos,
        }
    )


def journey(dates: str | None = None, *, events: Sequence[Json] = (), **parts: Sequence[Json]) -> Journey:
    return Journey.of(export(dates, **parts), [Event.model_validate(fields) for fields in events])


class _Guillemets(Quoting):
    @override
    def quote(self, text: str) -> str:
        return f"«{text}»" if text else text


def quoted(result: M, *, by_members: bool = False) -> M:
    """Puts strangers' words between « and », and members' words if these count as others'."""
    return _Guillemets("", by_members).quoted(result)
