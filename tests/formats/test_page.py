"""The HTML page: its data, what it lets through, and what it asks of the network. tests/browser looks at it drawn."""

import gzip
import json
import re
from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha256
from html.parser import HTMLParser
from importlib.resources import files
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typing_extensions import override

from tests.itinerary.test_any_itinerary import CHANGING_ZONES, UNCHANGING_ZONES, plausible, spoilt
from tests.itinerary.trips import Json, event, export, flight, leg, pin, plan, todo
from trips_mcp.contract.events import Event
from trips_mcp.contract.legs import Accommodation, Flight, RentalCar
from trips_mcp.contract.shares import SharedAccommodation, SharedFlight, SharedRentalCar
from trips_mcp.formats import FORMAT
from trips_mcp.formats.outline import Outline, outline_of, public_events, public_export
from trips_mcp.formats.page import page_of, to_html

ZONES = [*UNCHANGING_ZONES, *CHANGING_ZONES]
SECRET = "s3cret-4711"  # noqa: S105
HOSTILE = (
    "</script><script>alert(1)</script>",
    "<!--<script>",
    "]]><img src=x onerror=alert(1)>",
    "\u202eevil\u2066",
    "line\u2028and\u2029paragraph",
    "word" * 2_500,
    "&lt;b&gt; &amp;",
)
SOME = settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.too_slow])
MANY = settings(SOME, max_examples=200)


class Page(HTMLParser):
    """Elements, attributes and texts, as a browser takes them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.texts: dict[str, str] = {}
        self._open = ""
        self.feed(text)
        self.close()

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        self._open = dict(attrs).get("id") or tag

    @override
    def handle_endtag(self, tag: str) -> None:
        self._open = ""

    @override
    def handle_data(self, data: str) -> None:
        self.texts[self._open] = self.texts.get(self._open, "") + data

    @property
    def data(self) -> Json:
        return json.loads(self.texts["trip"])


BLANK = files("trips_mcp.formats").joinpath("data/trip.html").read_text("utf-8")


def drawn(outline: Outline) -> Page:
    return Page(FORMAT["html"].render(outline))


def asia() -> Outline:
    line = flight("JL44", "LHR 2026-07-19T11:25", "HND 2026-07-20T07:15")
    whole = export(
        "2026-07-19 2026-07-24",
        legs=[leg("Tokyo", "2026-07-20 2026-07-24", "Asia/Tokyo", stay="Park Hotel", flights=[line])],
        plans=[plan("Tea", "2026-07-21", "10:00 11:30"), plan("Fair", None), plan("Jazz", "2026-07-21", "11:00 12:00")],
        pins=[pin("Onsen", 35.2, 139.0) | {"category": "bath"}],
        todos=[todo("Rail pass", "now", completed=True)],
    )
    return outline_of(whole, [Event.model_validate(event("Match", "2026-07-22", "19:00", location="Kyoto"))])


def test_a_page_has_all_of_a_trip_by_the_clocks_of_each_place() -> None:
    trip = drawn(asia()).data["trip"]

    items = {item["title"]: item for item in trip["items"]}
    line = items["JL44 LHR → HND"]
    assert line["starts"] == {"date": "2026-07-19", "time": "11:25", "zone": "Europe/London", "offset": 60}
    assert line["ends"] == {"date": "2026-07-20", "time": "07:15", "zone": "Asia/Tokyo", "offset": 540}
    assert [round(degrees) for degrees in (*line["point"], *line["toPoint"])] == [0, 51, 140, 36]
    assert (items["Park Hotel"]["starts"]["date"], items["Park Hotel"]["ends"]["date"]) == ("2026-07-20", "2026-07-24")
    assert items["Fair"] == {"key": "undated-commitment-com_fair", "kind": "commitment", "title": "Fair"}
    assert round(items["Match"]["point"][0]) == 136
    assert trip["pins"] == [{"key": "pin-pin_onsen", "name": "Onsen", "category": "bath", "point": [139.0, 35.2]}]
    assert trip["toDos"] == [{"key": "to-do-todo_rail_pass", "text": "Rail pass", "done": True, "urgency": "now"}]
    assert [day["date"] for day in trip["days"]] == [f"2026-07-{day}" for day in range(19, 25)]
    assert trip["days"][2]["free"] == [
        {"from": "08:00", "until": "10:00", "zone": "Asia/Tokyo"},
        {"from": "12:00", "until": "22:00", "zone": "Asia/Tokyo"},
    ]


def test_findings_name_what_they_are_about() -> None:
    trip = page_of(asia())["trip"]

    overlap = next(one for one in trip["findings"] if one["kind"] == "overlap")
    assert (overlap["grade"], overlap["date"]) == ("certain", "2026-07-21")
    assert overlap["about"] == ["commitment-com_tea", "commitment-com_jazz"]


def test_a_plan_is_shown_before_and_after() -> None:
    page = Page(to_html(page_of(outline_of(export(plans=[plan("Tea", "2026-07-21")])), asia()))).data

    assert [item["title"] for item in page["trip"]["items"]] == ["Tea"]
    assert len(page["after"]["items"]) == 6


def test_the_page_asks_the_network_for_nothing() -> None:
    page = drawn(asia())

    policy = next(value for _, _, value in page.attributes if value.startswith("default-src"))
    program, styles = re.findall("'(sha256-[^']+)'", policy)
    assert policy.startswith("default-src 'none'; ")
    assert {name for _, name, _ in page.attributes}.isdisjoint({"src", "href", "style", "onload"})
    assert page.elements.count("script") == 2
    assert program == digest(page.texts["script"])
    assert styles == digest(page.texts["style"])
    assert "url(" not in page.texts["style"]
    assert "@import" not in page.texts["style"]
    assert not re.search(r"fetch\(|XMLHttpRequest|WebSocket|import\(|localStorage|innerHTML", page.texts["script"])


def digest(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"


def test_the_page_is_small() -> None:
    assert len(gzip.compress(BLANK.encode(), 9)) <= 45_000


@pytest.mark.parametrize(
    "whole",
    [
        pytest.param(export(), id="nothing"),
        pytest.param(export(legs=[leg("Nowhere at all", "2026-07-20 2026-07-24", None)]), id="no place"),
        pytest.param(export(pins=[pin("Onsen", 35.2, 139.0)]), id="no date"),
        pytest.param(export(pins=[pin("North", 90, 180), pin("South", -90, -180)]), id="poles"),
        pytest.param(export(pins=[pin("Off", 91, 0), pin("Nan", float("nan"), 0)]), id="off the globe"),
        pytest.param(export("0002-01-01 9998-12-31"), id="ten thousand years"),
    ],
)
def test_a_trip_that_lacks_much_is_still_a_page(whole: Any) -> None:
    trip = drawn(outline_of(whole)).data["trip"]

    assert trip["title"] == "A trip"
    assert len(trip["days"]) <= 400
    assert len(trip["pins"]) == sum(abs(one.lat) <= 90 for one in whole.map_pins)


@pytest.mark.parametrize("text", [*HOSTILE, "\ud800 half a letter"], ids=range(len(HOSTILE) + 1))
def test_a_hostile_title_stays_text(text: str) -> None:
    page = to_html({"format": 1, "trip": {"title": text}})
    read = Page(page.encode().decode())

    assert read.data["trip"]["title"] == text
    assert read.elements == Page(BLANK).elements


@given(st.data(), plausible(ZONES))
@SOME
def test_any_trip_is_a_page(data: st.DataObject, parts: dict[str, Any]) -> None:
    holds(data, parts)


@pytest.mark.soak
@given(st.data(), plausible(ZONES))
@MANY
def test_many_trips_are_pages(data: st.DataObject, parts: dict[str, Any]) -> None:
    holds(data, parts)


def holds(data: st.DataObject, parts: dict[str, Any]) -> None:
    """The page of a trip with hostile words and secrets in it has the former as text and none of the latter."""
    parts = data.draw(st.sampled_from([parts, spoilt(parts, data)]))
    word = data.draw(st.sampled_from(HOSTILE))
    sown = sow(parts, word)
    events = [Event.model_validate(one) for one in sown.pop("events")]
    outline = outline_of(public_export(export(**sown)), public_events(events))

    text = FORMAT["html"].render(outline)
    read = Page(text.encode().decode())

    assert SECRET not in text
    assert read.elements == Page(BLANK).elements
    assert read.data == page_of(outline)
    trip = read.data["trip"]
    keys = [one["key"] for name in ("items", "legs", "pins", "toDos") for one in trip[name]]
    assert len(keys) == len(set(keys))
    assert {key for one in trip["findings"] for key in one.get("about", ())} <= set(keys)
    assert {key for day in trip["days"] for key in day.get("legs", ())} <= set(keys)
    words = " ".join(word.split())
    assert all(words in one["name"] for one in trip["legs"])


def sow(parts: dict[str, Any], word: str) -> dict[str, Any]:
    """Hostile words in each title, a secret in each field that no share shows."""
    unnamed = {"gateCode": SECRET, "more": {"deep": [SECRET]}}
    legs: list[Json] = []
    for one in parts["legs"]:
        sown: Json = {**one, "title": word, "clientRef": SECRET, **unnamed}
        for name, hidden in HIDDEN.items():
            if name == "flights":
                sown[name] = [{**each, **hidden} for each in one.get(name, ())]
            elif name in one:
                sown[name] = one[name] | hidden
        legs.append(sown)
    plans = [{**one, "title": word, "notes": SECRET, **unnamed} for one in parts["plans"]]
    pins = [{**one, "name": word, "notes": SECRET, "clientRef": SECRET, **unnamed} for one in parts["pins"]]
    todos = [{**one, "text": word, "owner": SECRET, **unnamed} for one in parts["todos"]]
    events = [{**one, "title": word, "description": SECRET, **unnamed} for one in parts["events"]]
    return {**parts, "legs": legs, "plans": plans, "pins": pins, "todos": todos, "events": events}


def unpublished() -> Iterator[tuple[str, Json]]:
    pairs = {
        "accommodation": (Accommodation, SharedAccommodation),
        "flights": (Flight, SharedFlight),
        "rentalCar": (RentalCar, SharedRentalCar),
    }
    for name, (stored, shared) in pairs.items():
        names, public = ({field.alias for field in model.model_fields.values()} for model in (stored, shared))
        yield name, dict.fromkeys(filter(None, names - public), SECRET) | {"gateCode": SECRET, "deep": [SECRET]}


HIDDEN = dict(unpublished())
