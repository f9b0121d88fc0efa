"""Random trips can be checked, in any order of parts; a trip moved in time stays free of conflicts."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from trips_mcp.contract.events import Event
from trips_mcp.contract.trips import TripExport
from trips_mcp.itinerary.check import CheckReport, check, in_words
from trips_mcp.itinerary.journey import Journey
from trips_mcp.itinerary.results import Row
from trips_mcp.itinerary.timeline import timeline_of
from trips_mcp.json_values import is_list, is_object
from trips_mcp.places.cities import distance_km

from .trips import Json

Draw = st.DrawFn
FEW = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
MANY = settings(FEW, max_examples=300)
DAY = timedelta(days=1)


def journey_of(trip: Json) -> Journey:
    """A trip as the services return it: an export and events."""
    return Journey.of(TripExport.model_validate(trip), [Event.model_validate(event) for event in trip["events"]])


def shuffled(draw: Draw, trip: Json) -> Json:
    return {name: draw(st.permutations(parts)) if is_list(parts) else parts for name, parts in trip.items()}


def shifted(told: Any, days: int) -> Any:
    """Move every date in it."""
    if isinstance(told, str):
        return re.sub(r"\d{4}-\d\d-\d\d", lambda found: str(date.fromisoformat(found[0]) + timedelta(days)), told)
    if is_list(told):
        return [shifted(one, days) for one in told]
    return {name: shifted(one, days) for name, one in told.items()} if is_object(told) else told


# Trips that are full of faults, from few days, zones, names and places, so that much coincides.

DATES = st.dates(date(2026, 7, 1), date(2026, 7, 12)).map(str)
TIMES = st.sampled_from(["00:30", "02:30", "07:00", "09:00", "11:30", "12:00", "18:30", "22:00"])
STEADY = ["Asia/Tokyo", "America/Phoenix", "Pacific/Honolulu", "Asia/Bangkok"]
"""Zones without clock changes."""
NAMES = st.sampled_from(["Inn", "Dinner", "Museum", "JL44", ""])
PLACES = st.sampled_from(["HND", "NRT", "Tokyo (HND)", "LHR", "Kyoto Station", ""])
NOTHING = st.none()


def records(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Json]:
    """With some of the fields."""
    return st.fixed_dictionaries({}, optional=fields)


def faulty(zones: list[str]) -> st.SearchStrategy[Json]:
    zone = st.sampled_from([*zones, "Nowhere/At_All"]) | NOTHING
    at = st.builds("{}T{}".format, DATES, TIMES)
    legs = records(
        title=NAMES,
        destination=NAMES,
        startDate=DATES,
        endDate=DATES,
        timezone=zone,
        accommodation=records(name=NAMES, checkIn=at | DATES | TIMES | st.just("late"), checkOut=at | DATES),
        flights=st.lists(
            records(
                flightNumber=NAMES,
                departure=at | DATES,
                arrival=at,
                departureTimezone=zone,
                arrivalTimezone=zone,
                confirmationNumber=st.sampled_from(["XK7Q2F", "AB1234"]),
                **{"from": PLACES, "to": PLACES},
            ),
            max_size=3,
        ),
        rentalCar=records(company=NAMES, pickUp=at | DATES, dropOff=at | st.just("any time")),
    )
    commitments = records(
        title=NAMES,
        startDate=DATES,
        startTime=TIMES,
        endTime=TIMES | st.just("late"),
        isAllDay=st.booleans(),
        timezone=zone,
        category=st.sampled_from(["dinner", "other"]),
        legId=st.sampled_from(["leg_0", "leg_1", "leg_9"]),
        mapPinId=st.sampled_from(["pin_0", "pin_1", "pin_2", "pin_9"]),
    )
    events = records(
        title=NAMES,
        date=DATES,
        time=TIMES,
        type=st.sampled_from(["train", "food", "accommodation", "free_block", "flight"]),
        location=PLACES,
    )
    pins = records(
        name=NAMES, lat=st.sampled_from([0.0, 35.7, 35.0, 48.9, 135.0]), lng=st.sampled_from([0.0, 139.7, 135.8, 2.3])
    )
    return st.fixed_dictionaries(
        {
            "trip": records(_id=st.just("trip_1"), startDate=DATES, endDate=DATES),
            "legs": numbered("leg", legs, 4),
            "commitments": numbered("com", commitments, 6),
            "mapPins": numbered("pin", pins, 4),
            "events": numbered(None, events, 4),
        }
    )


def numbered(name: str | None, parts: st.SearchStrategy[Json], most: int) -> st.SearchStrategy[list[Json]]:
    def numbers(found: list[Json]) -> list[Json]:
        return [{**one, **({"_id": f"{name}_{n}"} if name else {"id": n})} for n, one in enumerate(found)]

    return st.lists(parts, max_size=most).map(numbers)


@st.composite
def faulty_twice(draw: Draw) -> tuple[Json, Json]:
    trip = draw(faulty([*STEADY, "Europe/Berlin", "America/New_York", "Pacific/Apia"]))
    return trip, shuffled(draw, trip)


def any_order_gives_the_same(trips: tuple[Json, Json]) -> None:
    one, other = map(check, map(journey_of, trips))

    assert one == other
    assert in_words(one) == in_words(other)
    assert all((finding.grade == "possible") == bool(finding.not_certain) for finding in one.findings)


def a_week_later_all_is_a_week_later(trip: Json) -> None:
    now, later = check(journey_of(trip)), check(journey_of(shifted(trip, 7)))

    assert later.model_dump() == shifted(now.model_dump(), 7)


def every_night_without_a_bed_is_found_or_explained(trip: Json) -> None:
    bed = {"name": "Ryokan", "checkIn": "2026-07-04", "checkOut": "2026-07-05"}
    dated = {"_id": "leg_dated", "startDate": "2026-07-04", "endDate": "2026-07-06", "accommodation": bed}
    days = {"_id": "trip_1", "startDate": "2026-07-01", "endDate": "2026-07-12"}
    journey = journey_of({**trip, "trip": days, "legs": [*trip["legs"], dated]})
    report = check(journey)
    texts = [*(finding.why for finding in report.findings if finding.kind in NIGHT_KINDS), *report.notes]
    told = {night for text in texts for night in nights_told_in(text)}

    bare = {night for row in timeline_of(journey).rows or () if row.no_bed for night in days_of(row)}
    assert report.not_shown or not bare - told


NIGHT_KINDS = ("no_bed", "leg_gap", "no_end")


def nights_told_in(text: str) -> set[date]:
    """All nights between the first and the last date that it names; a gap also leaves the night before it."""
    named = sorted(map(date.fromisoformat, re.findall(r"\d{4}-\d\d-\d\d", text)))
    if "may take" in text or not named:
        return set(named)
    return set(days_between(named[0] - DAY, named[-1]))


def days_of(row: Row) -> Iterator[date]:
    first = date.fromisoformat(row.date)
    return days_between(first, date.fromisoformat(row.until.split(" ")[1]) if row.until else first)


def days_between(first: date, last: date) -> Iterator[date]:
    return (first + DAY * n for n in range((last - first).days + 1))


# Trips without conflicts: every leg is followed by the next where the flight arrives, whatever that does to dates.

CITIES = {
    "London": ("Europe/London", "LHR", 51.5, -0.13),
    "Berlin": ("Europe/Berlin", "BER", 52.5, 13.4),
    "Tokyo": ("Asia/Tokyo", "HND", 35.7, 139.7),
    "Kathmandu": ("Asia/Kathmandu", "KTM", 27.7, 85.3),
    "Sydney": ("Australia/Sydney", "SYD", -33.9, 151.2),
    "Auckland": ("Pacific/Auckland", "AKL", -36.8, 174.8),
    "Apia": ("Pacific/Apia", "APW", -13.8, -171.8),
    "Pago Pago": ("Pacific/Pago_Pago", "PPG", -14.3, -170.7),
    "Honolulu": ("Pacific/Honolulu", "HNL", 21.3, -157.9),
    "Los Angeles": ("America/Los_Angeles", "LAX", 34.1, -118.2),
    "New York": ("America/New_York", "JFK", 40.7, -74.0),
    "St John's": ("America/St_Johns", "YYT", 47.6, -52.7),
    "Reykjavik": ("Atlantic/Reykjavik", "KEF", 64.1, -21.9),
}
SLOTS = [("09:00", "11:30"), ("12:00", "13:30"), ("15:00", "17:00"), ("18:30", "21:30"), ("22:00", "00:30")]


class Plan:
    """Builds a trip leg by leg."""

    def __init__(self, draw: Draw) -> None:
        self._draw = draw
        self.legs: list[Json] = []
        self.commitments: list[Json] = []
        self.pins: list[Json] = []
        self.events: list[Json] = []

    def stay(self, city: str, first: date, flights: list[Json]) -> date:
        """Add some nights; return the day of departure."""
        last = first + DAY * self._draw(st.integers(1, 6))
        number = len(self.legs)
        zone, _, lat, lng = CITIES[city]
        bed = {"name": f"Hotel {number}", "checkIn": f"{first}T15:00", "checkOut": f"{last}T09:30"}
        self.legs.append(
            {
                "_id": f"leg_{number}",
                "order": number,
                "title": city,
                "startDate": str(first),
                "endDate": str(last),
                "timezone": zone,
                "accommodation": bed,
                "flights": flights,
            }
        )
        self.pins += [
            {"_id": f"pin_{number}_{n}", "name": f"Sight {n}", "lat": lat + n / 10, "lng": lng - n / 10}
            for n in range(3)
        ]
        for day in range(1, (last - first).days):
            self._plan(number, zone, first + DAY * day)
        return last

    def _plan(self, leg: int, zone: str, day: date) -> None:
        for start, end in self._draw(st.sets(st.sampled_from(SLOTS), max_size=3)):
            self.commitments.append(
                {
                    "_id": f"com_{len(self.commitments)}",
                    "title": f"Plan {len(self.commitments)}",
                    "startDate": str(day),
                    "startTime": start,
                    "endTime": end,
                    "legId": f"leg_{leg}",
                    "timezone": self._draw(st.sampled_from([zone, None])),
                    "mapPinId": self._draw(st.sampled_from([None, *(f"pin_{leg}_{n}" for n in range(3))])),
                }
            )
        if self._draw(st.booleans()):
            self.events.append({"id": len(self.events), "title": f"Event {len(self.events)}", "date": str(day)})

    def fly(self, city: str, there: str, day: date) -> tuple[Json, date]:
        """A flight of some hours from noon, and its local arrival date. Clocks may change on the way."""
        zone, code, *_ = CITIES[city]
        its_zone, its_code, *_ = CITIES[there]
        departs = datetime.combine(day, time(self._draw(st.integers(12, 23)), 10), ZoneInfo(zone))
        least = 150 + round(distance_km(CITIES[city][2:], CITIES[there][2:]) / 900 * 60)
        minutes = self._draw(st.integers(least, least + 6 * 60))
        arrives = (departs.astimezone(UTC) + timedelta(minutes=minutes)).astimezone(ZoneInfo(its_zone))
        assume(not any(is_ambiguous(local) for local in (departs, arrives)))
        flight = {
            "flightNumber": f"XX{len(self.legs) + 1}",
            "from": code,
            "to": its_code,
            "departure": f"{departs:%Y-%m-%dT%H:%M}",
            "arrival": f"{arrives:%Y-%m-%dT%H:%M}",
            "departureTimezone": zone,
            "arrivalTimezone": its_zone,
            "confirmationNumber": "XK7Q2F",
        }
        return flight, arrives.date()

    def trip(self) -> Json:
        days = [leg[name] for leg in self.legs for name in ("startDate", "endDate")]
        return {
            "trip": {"_id": "trip_1", "startDate": min(days), "endDate": max(days)},
            "legs": self.legs,
            "commitments": self.commitments,
            "mapPins": self.pins,
            "events": self.events,
        }


def is_ambiguous(local: datetime) -> bool:
    return local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()


@st.composite
def fitting(draw: Draw) -> Json:
    plan = Plan(draw)
    cities = draw(st.lists(st.sampled_from(sorted(CITIES)), min_size=1, max_size=6, unique=True))
    day = draw(st.dates(date(2014, 1, 1), date(2035, 1, 1)))
    flights: list[Json] = []
    for here, there in zip(cities, [*cities[1:], None], strict=True):
        day = plan.stay(here, day, flights)
        if there:
            flight, day = plan.fly(here, there, day)
            flights = [flight]
    return plan.trip()


@st.composite
def fitting_twice(draw: Draw) -> tuple[Json, Json]:
    trip = draw(fitting())
    return trip, shifted(shuffled(draw, trip), draw(st.sampled_from([-366, -1, 0, 1, 7, 100])))


def it_fits_and_still_does_when_its_parts_change_places_and_all_is_moved(trips: tuple[Json, Json]) -> None:
    trip, moved = map(journey_of, trips)
    assume(
        not any(
            moment and (moment.gap or moment.fold) for move in moved.moves for moment in (move.departs, move.arrives)
        )
    )

    assert found_in(check(trip)) == []
    assert found_in(check(moved)) == []


def found_in(report: CheckReport) -> list[str]:
    return [f"{finding.kind}: {finding.why}" for finding in report.findings]


# What services may send instead.

SCRAPS = st.text(max_size=12) | st.sampled_from(
    [
        "2026-07-19",
        "2026-02-30",
        "9999-12-31",
        "0001-01-01",
        "25:00",
        "12:00",
        "2026-07-19T12:00+09:00",
        "Asia/Tokyo",
        "UTC",
    ]
)


def scraps(*names: str) -> st.SearchStrategy[Json]:
    return st.dictionaries(st.sampled_from(names), SCRAPS | NOTHING, max_size=len(names))


NUMBERS = st.floats() | st.integers(-(10**30), 10**30) | NOTHING


def with_ids(trip: Json) -> Json:
    """Drop every other one, as a service may leave them out."""
    for parts in (trip["legs"], trip["commitments"], trip["mapPins"]):
        for number, part in enumerate(parts):
            if number % 2 == 0:
                part["_id"] = "2026-07-19"  # what else a field may say, so that links are found
    return trip


def leg_of(leg: Json, stay: Json | None, flights: list[Json] | None, car: Json | None) -> Json:
    return {**leg, "accommodation": stay, "flights": flights, "rentalCar": car}


def pin_of(pin: Json, lat: float | None, lng: float | None) -> Json:
    return {**pin, "lat": lat, "lng": lng}


FLIGHT_FIELDS = ("flightNumber", "from", "to", "departure", "arrival", "departureTimezone", "arrivalTimezone")
MALFORMED = st.fixed_dictionaries(
    {
        "trip": scraps("startDate", "endDate", "title") | NOTHING,
        "legs": st.lists(
            st.builds(
                leg_of,
                scraps("startDate", "endDate", "timezone", "title", "destination"),
                scraps("name", "checkIn", "checkOut", "confirmationNumber", "anything") | NOTHING,
                st.lists(scraps(*FLIGHT_FIELDS), max_size=3) | NOTHING,
                scraps("company", "pickUp", "dropOff") | NOTHING,
            ),
            max_size=4,
        ),
        "commitments": st.lists(
            scraps("title", "startDate", "startTime", "endTime", "timezone", "legId", "mapPinId"), max_size=4
        ),
        "mapPins": st.lists(st.builds(pin_of, scraps("name"), NUMBERS, NUMBERS), max_size=4),
        "events": st.lists(scraps("title", "date", "time", "type", "location"), max_size=4),
    }
).map(with_ids)


def no_trip_is_too_broken_to_be_checked(trip: Json) -> None:
    report = check(journey_of(trip))

    assert report.certain + report.possible + report.not_checkable == len(report.findings) + (report.not_shown or 0)
    assert in_words(report).startswith("Checked ")
    report.model_dump_json()


PROPERTIES: list[tuple[Callable[[Any], None], st.SearchStrategy[Any]]] = [
    (any_order_gives_the_same, faulty_twice()),
    (a_week_later_all_is_a_week_later, faulty(STEADY)),
    (it_fits_and_still_does_when_its_parts_change_places_and_all_is_moved, fitting_twice()),
    (every_night_without_a_bed_is_found_or_explained, faulty(STEADY)),
    (no_trip_is_too_broken_to_be_checked, MALFORMED),
]
ALL = pytest.mark.parametrize(("holds", "trips"), PROPERTIES, ids=[holds.__name__ for holds, _ in PROPERTIES])


@ALL
def test_of_any_trip(holds: Callable[[Any], None], trips: st.SearchStrategy[Any]) -> None:
    FEW(given(trips)(holds))()


@ALL
@pytest.mark.soak
def test_of_thousands_of_trips(holds: Callable[[Any], None], trips: st.SearchStrategy[Any]) -> None:
    MANY(given(trips)(holds))()
