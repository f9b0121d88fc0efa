"""Writes the pages that the browser tests look at: `python scripts/browser_pages.py FOLDER`.

One is a trip as it should be; the others try what a page can be given.
"""

import sys
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

from trips_mcp.cli.demo.steps import Sample
from trips_mcp.contract.events import Event
from trips_mcp.contract.trips import TripExport
from trips_mcp.formats.outline import Outline, outline_of, public_events, public_export
from trips_mcp.formats.page import page_of, to_html

Fields = dict[str, Any]
Ride = tuple[str, str, str]
"""Number, departure, arrival; each end with its airport and local time."""

HOSTILE: Final = "</script><img src=x onerror=alert(1)> \u202eright to left\u202c שלום " + "word" * 2_500
_FIRST: Final = date(2027, 3, 1)
_CATEGORIES: Final = ("temple", "restaurant", "hotel", "park", "shop", "station", "flux capacitor", "")


def write_pages(folder: Path) -> None:
    for name, make in PAGES.items():
        (folder / f"{name}.html").write_text(make(), "utf-8")


def kyoto() -> str:
    return to_html(page_of(_kyoto()))


def plan() -> str:
    """The same trip with a day more in Tokyo and one plan less."""
    return to_html(page_of(_kyoto(), _kyoto(changed=True)))


def around_the_world() -> str:
    legs: list[tuple[str, str, list[Ride]]] = [
        ("London", "Europe/London", [("BA1", "LHR 2027-03-04T09:00", "JFK 2027-03-04T12:10")]),
        ("New York", "America/New_York", [("AS2", "JFK 2027-03-08T10:00", "HNL 2027-03-08T16:00")]),
        ("Honolulu", "Pacific/Honolulu", [("HA3", "HNL 2027-03-12T13:00", "AKL 2027-03-13T21:00")]),
        ("Auckland", "Pacific/Auckland", [("NZ4", "AKL 2027-03-17T01:00", "HNL 2027-03-16T10:00")]),
        ("Honolulu", "Pacific/Honolulu", [("JL5", "HNL 2027-03-20T12:00", "HND 2027-03-21T16:00")]),
        ("Tokyo", "Asia/Tokyo", [("TK6", "HND 2027-03-24T22:00", "IST 2027-03-25T05:30")]),
        ("Istanbul", "Europe/Istanbul", []),
    ]
    return _page(
        title="Around the world",
        legs=[
            _leg(number, place, zone, _FIRST + timedelta(4 * number), 4, flights)
            for number, (place, zone, flights) in enumerate(legs)
        ],
    )


def hostile() -> str:
    first = _leg(0, "Tokyo", "Asia/Tokyo", _FIRST, 5, [])
    first |= {"title": HOSTILE, "accommodation": {"name": HOSTILE, "address": HOSTILE}}
    return _page(
        title=HOSTILE,
        legs=[first],
        mapPins=[{"_id": "p1", "name": HOSTILE, "lat": 35.6, "lng": 139.7, "category": HOSTILE}],
        commitments=[
            {"_id": "c1", "title": HOSTILE, "startDate": str(_FIRST), "startTime": "10:00", "category": HOSTILE},
            {"_id": "c2", "title": HOSTILE, "startDate": str(_FIRST), "startTime": "10:30", "endTime": "11:00"},
        ],
        actionItems=[{"_id": "a1", "text": HOSTILE, "urgency": "now"}],
    )


def right_to_left() -> str:
    leg = _leg(0, "Jerusalem", "Asia/Jerusalem", _FIRST, 4, [])
    leg |= {"title": "ירושלים", "accommodation": {"name": "מלון המלך דוד"}}
    plans = [{"_id": "c1", "title": "ארוחת ערב עם דני", "startDate": str(_FIRST), "startTime": "19:00"}]
    return _page(title="טיול לירושלים", legs=[leg], commitments=plans)


def odd_places() -> str:
    spots = ((90, 0), (-90, 0), (0, 180), (0, -180), (51.5, 179.9), (51.5, -179.9))
    pins = [{"_id": f"p{at}", "name": f"Pin {at}", "lat": lat, "lng": lng} for at, (lat, lng) in enumerate(spots)]
    return _page(title="Odd places", mapPins=pins)


def busy() -> str:
    """200 pins, 60 days."""
    cities = ("Tokyo", "Kyoto", "Osaka", "Hiroshima", "Fukuoka", "Sapporo", "Kanazawa", "Nagoya", "Sendai", "Nara")
    return _page(
        title="Sixty days in Japan",
        legs=[
            _leg(at, city, "Asia/Tokyo", _FIRST + timedelta(6 * at), 6, [], stay=f"Hotel {city}")
            for at, city in enumerate(cities)
        ],
        mapPins=_pins(200, 33.0, 131.0, 9.0),
        commitments=[
            {
                "_id": f"c{at}",
                "title": f"Plan {at}",
                "startDate": str(_FIRST + timedelta(at // 3)),
                "startTime": f"{9 + 4 * (at % 3):02}:00",
                "endTime": f"{11 + 4 * (at % 3):02}:00",
                "category": ("dinner", "activity", "meeting")[at % 3],
            }
            for at in range(180)
        ],
        actionItems=[{"_id": f"a{at}", "text": f"To do {at}", "urgency": "before_trip"} for at in range(20)],
    )


def many_pins() -> str:
    return _page(title="Five thousand pins", mapPins=_pins(5_000, 36.0, -9.0, 18.0))


def one_place() -> str:
    return _page(
        title="One place", mapPins=[{"_id": "p1", "name": "Onsen", "lat": 36.6, "lng": 138.4, "category": "onsen"}]
    )


def nothing() -> str:
    return _page(title="Nothing yet")


PAGES: Final[dict[str, Callable[[], str]]] = {
    "kyoto": kyoto,
    "plan": plan,
    "around-the-world": around_the_world,
    "hostile": hostile,
    "right-to-left": right_to_left,
    "odd-places": odd_places,
    "busy": busy,
    "many-pins": many_pins,
    "one-place": one_place,
    "nothing": nothing,
}


def _kyoto(*, changed: bool = False) -> Outline:
    sample = Sample.load()
    legs, pins, items = ([*map(dict, sample.sync[name])] for name in ("legs", "mapPins", "actionItems"))
    ids = {one["clientRef"]: one.setdefault("_id", one["clientRef"]) for one in (*legs, *pins, *items)}
    plans = [
        {**one, "_id": f"plan-{at}", "legId": ids[one["leg"]], "mapPinId": ids[one["mapPin"]]}
        for at, one in enumerate(sample.commitments)
    ]
    dinner = next(one for one in plans if one["category"] == "dinner")
    clash = {"_id": "plan-clash", "title": "Night walk in Gion", "timezone": "Asia/Tokyo", "category": "activity"}
    plans.append({**clash, "startDate": dinner["startDate"], "startTime": "20:30", "endTime": "22:00"})
    if changed:
        plans = [one for one in plans if one["_id"] != "plan-clash"]
        for one in plans[:2]:
            one["startDate"] = str(date.fromisoformat(one["startDate"]) + timedelta(1))
        pins.append({"_id": "pin-new", "name": "Nishiki market", "lat": 35.005, "lng": 135.765, "category": "market"})
    trip = {"_id": "kyoto", **sample.trip}
    export = {"trip": trip, "legs": legs, "mapPins": pins, "actionItems": items, "commitments": plans}
    event = Event.model_validate({"id": 1, **sample.event})
    return outline_of(public_export(TripExport.model_validate(export)), public_events([event]))


def _page(*, title: str, **parts: list[Fields]) -> str:
    export = TripExport.model_validate({"trip": {"_id": "trip", "title": title}, **parts})
    return to_html(page_of(outline_of(public_export(export))))


def _leg(
    number: int,
    place: str,
    zone: str,
    first: date,
    nights: int,
    flights: list[Ride],
    stay: str = "",
) -> Fields:
    rides: list[Fields] = []
    for name, departs, arrives in flights:
        (origin, leaves), (target, lands) = departs.split(), arrives.split()
        rides.append({"flightNumber": name, "from": origin, "departure": leaves, "to": target, "arrival": lands})
    known: Fields = {"_id": f"leg-{number}", "order": number, "title": place, "destination": place, "timezone": zone}
    dates = {"startDate": str(first), "endDate": str(first + timedelta(nights))}
    return {**known, **dates, "flights": rides, "accommodation": {"name": stay or f"Hotel {place}"}}


def _pins(count: int, south: float, west: float, size: float) -> list[Fields]:
    """Spread without chance."""
    return [
        {
            "_id": f"p{at}",
            "name": f"Place {at}",
            "lat": south + size * ((at * 0.618034) % 1),
            "lng": west + size * ((at * 0.754878) % 1),
            "category": _CATEGORIES[at % len(_CATEGORIES)],
        }
        for at in range(count)
    ]


if __name__ == "__main__":
    write_pages(Path(sys.argv[1]))
