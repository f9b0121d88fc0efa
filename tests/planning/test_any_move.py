"""Random moves: nothing is lost, the clock's times stay, and moving back gives the start."""

import random
from collections import Counter
from copy import deepcopy
from datetime import date, timedelta
from typing import Any

import pytest

from trips_mcp.itinerary.journey import Journey
from trips_mcp.json_values import is_list, is_object
from trips_mcp.planning.draft import NotPlannableError
from trips_mcp.planning.move import move

from .applied import moved, parsed

Json = dict[str, Any]

ZONES = [
    "Europe/Rome",
    "America/New_York",
    "Asia/Tokyo",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Africa/Casablanca",
    "Asia/Kathmandu",
    "America/Santiago",
]
DATES = {"startDate", "endDate", "checkIn", "checkOut", "pickUp", "dropOff", "departure", "arrival", "date"}


def trip(luck: random.Random) -> tuple[Json, list[Json]]:
    """A plausible trip: legs in a row, in any zones, often near a change of the clocks."""
    near = luck.choice(
        [date(2026, 3, 27), date(2026, 10, 23), date(2027, 3, 12), date(2028, 2, 27), date(2026, 12, 30)]
    )
    first = near - timedelta(luck.randint(0, 6))
    day, legs = first, list[Json]()
    for number in range(luck.randint(0, 4)):
        ends = day + timedelta(luck.randint(0, 5))
        legs.append(leg(luck, number, day, ends))
        day = ends + timedelta(luck.choice([0, 0, 0, 1]))
    last = max(day, first + timedelta(luck.randint(0, 8)))

    def some_day() -> str:
        return str(first + timedelta(luck.randint(0, (last - first).days)))

    plans = [plan(luck, number, some_day(), legs) for number in range(luck.randint(0, 6))]
    events = [
        {"id": number + 1, "title": f"Event {number}", "type": luck.choice(["train", "food"]), "date": some_day()}
        | ({"time": clock(luck)} if luck.random() < 0.7 else {})
        for number in range(luck.randint(0, 3))
    ]
    export = {
        "trip": {"_id": "trip_1", "title": "Any", "startDate": str(first), "endDate": str(last)},
        "legs": legs,
        "commitments": plans,
        "mapPins": [],
        "actionItems": [{"_id": "todo_1", "text": f"Pay by {some_day()}", "urgency": "now", "completed": False}],
    }
    return export, events


def leg(luck: random.Random, number: int, starts: date, ends: date) -> Json:
    known: Json = {
        "_id": f"leg_{number}",
        "order": number,
        "title": f"Leg {number}",
        "destination": f"Place {number}",
        "startDate": str(starts),
        "endDate": str(ends),
        "timezone": luck.choice(ZONES),
    }
    if luck.random() < 0.6:
        known["accommodation"] = {
            "name": "Inn",
            "checkIn": luck.choice(["15:00", str(starts), f"{starts}T{clock(luck)}", "after the tide"]),
            "checkOut": luck.choice(["10:00", str(ends), f"{ends}T{clock(luck)}"]),
        } | booking(luck)
    if luck.random() < 0.3:
        known["rentalCar"] = {"pickUp": f"{starts}T{clock(luck)}", "dropOff": str(ends)} | booking(luck)
    if luck.random() < 0.5:
        lands = starts + timedelta(luck.choice([0, 0, 1]))
        known["flights"] = [
            {
                "flightNumber": f"XY{number}",
                "departure": f"{starts}T{clock(luck)}",
                "arrival": f"{lands}T{clock(luck)}",
                "departureTimezone": luck.choice(ZONES),
                "arrivalTimezone": luck.choice(ZONES),
            }
            | booking(luck)
        ]
    return known


def plan(luck: random.Random, number: int, day: str, legs: list[Json]) -> Json:
    known: Json = {"_id": f"com_{number}", "title": f"Plan {number}", "startDate": day, "category": "other"}
    if luck.random() < 0.3:
        known["isAllDay"] = True
    elif luck.random() < 0.8:
        known |= {"startTime": clock(luck), "endTime": clock(luck)}
    if legs and luck.random() < 0.5:
        known["legId"] = luck.choice(legs)["_id"]
    if luck.random() < 0.5:
        known["timezone"] = luck.choice(ZONES)
    return known


def clock(luck: random.Random) -> str:
    return f"{luck.choice([0, 1, 2, 3, 9, 15, 23]):02}:{luck.choice([0, 30, 45]):02}"


def booking(luck: random.Random) -> Json:
    return {"confirmationNumber": f"CN{luck.randint(1, 99)}"} if luck.random() < 0.5 else {}


def dates_of(value: Any, path: str = "") -> dict[str, str]:
    """Each dated text by its path."""
    if is_object(value):
        found: dict[str, str] = {}
        for name, inner in value.items():
            found |= dates_of(inner, f"{path}.{name}") if not isinstance(inner, str) else {}
            found |= {f"{path}.{name}": inner} if name in DATES and isinstance(inner, str) else {}
        return found
    if is_list(value):
        return {key: text for n, inner in enumerate(value) for key, text in dates_of(inner, f"{path}.{n}").items()}
    return {}


def without_dates(value: Any) -> Any:
    if is_object(value):
        return {name: without_dates(inner) for name, inner in value.items() if name not in DATES}
    return [without_dates(inner) for inner in value] if is_list(value) else value


def check_one_move(seed: int) -> str | None:
    """None if the trip cannot be moved so; else whether it was moved back too."""
    luck = random.Random(seed)  # noqa: S311
    export, events = trip(luck)
    journey = Journey.of(*parsed(export, events))
    assert journey.extent is not None
    first = luck.choice(journey.extent)
    last = luck.choice([None, None, luck.choice(journey.extent)])
    days = luck.choice([1, 2, 7, 30, 181, 365, -1, -2, -30])
    booked = luck.random() < 0.5
    before = deepcopy((export, events))
    try:
        draft = move(journey, first, days, last, booked=booked)
    except NotPlannableError:
        return None

    found, found_events = moved(export, events, draft.changes)

    assert (export, events) == before
    assert without_dates(found) == without_dates(export)
    assert without_dates(found_events) == without_dates(events)
    until = journey.extent.last if last is None else last
    was = dates_of({"export": export, "events": events})
    now = dates_of({"export": found, "events": found_events})
    assert now.keys() >= was.keys()
    for path in now.keys() - was.keys():
        assert path.endswith((".checkIn", ".checkOut", ".pickUp", ".dropOff"))
    for path, text in was.items():
        if path.startswith(".export.trip."):
            continue
        if not text[:4].isdigit():  # a time of day; a booking that stays gets its date
            assert now[path].endswith(text)
            continue
        assert now[path][10:] == text[10:], path
        shift = (date.fromisoformat(now[path][:10]) - date.fromisoformat(text[:10])).days
        assert shift in (0, days), path
        of_a_plan = ".commitments." in path or ".events." in path
        if of_a_plan:
            inside = first <= date.fromisoformat(text[:10]) <= until
            assert shift == (days if inside else 0), path
    if days > 0 and last is None and booked:
        back_from = first + timedelta(days)
        back = move(Journey.of(*parsed(found, found_events)), back_from, -days, booked=True)
        assert moved(found, found_events, back.changes) == (export, events)
        return "there and back"
    return "there"


def check_moves(first_seed: int, most: int) -> None:
    """Goes on until `most` trips were moved, a fifth of them and more there and back."""
    done = Counter[str | None]()
    for seed in range(first_seed, first_seed + 10 * most):
        done[check_one_move(seed)] += 1
        if done["there"] + done["there and back"] >= most and done["there and back"] >= most // 5:
            return
    pytest.fail(f"not enough trips could be moved: {done}")


def test_a_hundred_moves() -> None:
    check_moves(1, 100)


@pytest.mark.soak
def test_a_thousand_moves() -> None:
    check_moves(10_000, 1_000)
