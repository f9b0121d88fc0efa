"""A whole trip in one answer: lean, selected by `fields`, or a summary that names its parts if it is too large."""

import json
from typing import Any

import pytest

from trips_mcp.contract.fields import MASK
from trips_mcp.tools import TOOLS, Answer
from trips_mcp.tools.call_context import Conduct

from .services import Service

LARGEST = 40_000
TRIP = {"_id": "t", "title": "Japan", "startDate": "2026-11-01", "endDate": "2026-11-30", "_creationTime": 1.5}
KINDS = {
    "export_trip": ({"tripId": "t"}, "/trips/t/export"),
    "export_shared_trip": ({"token": "tok"}, "/shared/trips/tok/export"),
}


def an_export(legs: int = 2, **more: Any) -> dict[str, Any]:
    """`more` has each leg."""
    return {
        "trip": TRIP,
        "legs": [
            {
                "_id": f"l{n}",
                "tripId": "t",
                "title": f"Leg {n}",
                "startDate": "2026-11-01",
                "_creationTime": 2.5,
                **more,
            }
            for n in range(legs)
        ],
        "mapPins": [{"_id": "p1", "tripId": "t", "name": "Inari", "lat": 35, "lng": 135, "notes": ""}],
        "actionItems": [
            {"_id": "a1", "tripId": "t", "text": "Visa", "urgency": "now", "completed": False, "clientRef": "visa"}
        ],
        "commitments": [],
        "members": [{"userId": "u1", "name": "Ann", "role": "owner"}],
    }


def structured(answer: Answer) -> dict[str, Any]:
    assert not answer.is_error, answer.text
    assert answer.structured is not None
    assert json.loads(answer.text) == answer.structured
    assert len(answer.text) <= LARGEST
    return answer.structured


def unquoted(found: dict[str, Any]) -> dict[str, Any]:
    if "quoting" not in found:
        return found
    mark = found["quoting"].split("[")[1].split("]")[0]
    text = json.dumps({name: value for name, value in found.items() if name != "quoting"})
    return json.loads(text.replace(f"[{mark}]", "").replace(f"[/{mark}]", ""))


async def test_an_export_is_lean_and_names_what_it_omits() -> None:
    async with Service({"/trips/t/export": an_export(legs=1)}).called() as call:
        told = structured(await call("export_trip", tripId="t"))

    assert told == {
        "trip": TRIP,
        "legs": [{"_id": "l0", "title": "Leg 0", "startDate": "2026-11-01"}],
        "mapPins": [{"_id": "p1", "name": "Inari", "lat": 35, "lng": 135}],
        "actionItems": [{"_id": "a1", "text": "Visa", "urgency": "now", "clientRef": "visa"}],
        "members": [{"userId": "u1", "name": "Ann", "role": "owner"}],
        "notShown": ["legs._creationTime"],
    }


@pytest.mark.parametrize("tool", KINDS)
async def test_fields_name_sections_and_their_parts(tool: str) -> None:
    arguments, path = KINDS[tool]
    async with Service({path: an_export()}).called() as call:
        section = unquoted(structured(await call(tool, **arguments, fields=["actionItems"])))
        parts = unquoted(structured(await call(tool, **arguments, fields=["trip.title", "legs.title", "mapPins"])))
        inner = unquoted(structured(await call(tool, **arguments, fields=["legs._creationTime"])))

    assert section["actionItems"][0]["text"] == "Visa"
    assert set(section) - {"notShown"} == {"actionItems"}
    assert parts["trip"] == {"title": "Japan"}
    assert parts["legs"] == [{"_id": "l0", "title": "Leg 0"}, {"_id": "l1", "title": "Leg 1"}]
    assert parts["mapPins"][0]["name"] == "Inari"
    assert inner == {"legs": [{"_id": "l0", "_creationTime": 2.5}, {"_id": "l1", "_creationTime": 2.5}]}


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        (
            ["stays"],
            "fields: there is no stays; there is trip, legs, mapPins, actionItems, commitments, members, events.",
        ),
        (["trip", "legs.colour"], "fields: there is no legs.colour; there is legs._id, legs.tripId, legs.order, "),
        (["wifiPassword"], "fields: there is no wifiPassword; ask for legs.accommodation.wifiPassword."),
        (["accommodation.wifiPassword"], "fields: there is no accommodation; ask for legs.accommodation."),
        (["legs.wifiPassword"], "fields: there is no legs.wifiPassword; ask for legs.accommodation.wifiPassword."),
    ],
)
async def test_an_unknown_section_is_answered_with_the_known_ones(fields: list[str], said: str) -> None:
    async with Service({"/trips/t/export": an_export()}).called() as call:
        answer = await call("export_trip", tripId="t", fields=fields)

    assert answer.is_error
    assert answer.text.startswith(said)


@pytest.mark.parametrize("tool", KINDS)
async def test_a_trip_that_is_too_large_becomes_a_summary(tool: str) -> None:
    arguments, path = KINDS[tool]
    large = an_export(legs=90, destination="Kyoto", accommodation={"address": "A" * 600})
    async with Service({path: large}).called() as call:
        told = unquoted(structured(await call(tool, **arguments)))

    assert told["trip"] == TRIP
    assert told["counts"] == {"legs": 90, "mapPins": 1, "actionItems": 1, "members": 1}
    assert told["legs"][89] == {"_id": "l89", "title": "Leg 89", "destination": "Kyoto", "startDate": "2026-11-01"}
    assert told["actionItems"] == [{"_id": "a1", "text": "Visa", "urgency": "now"}]
    (remark,) = told["remarks"]
    assert remark.startswith("Too large to show whole (")
    named = {"list_legs", "list_commitments", "list_action_items", "list_map_pins", "list_members"}
    named |= {"list_trip_events"}
    assert {tool.name for tool in TOOLS if tool.name in remark} == (named if tool == "export_trip" else set())
    assert '["legs"]' in remark


@pytest.mark.parametrize("tool", KINDS)
async def test_a_summary_stays_within_the_limit_for_any_trip(tool: str) -> None:
    arguments, path = KINDS[tool]
    huge = an_export(legs=3_000, destination="D" * 200)
    huge["trip"] = {**TRIP, "title": "T" * 50_000, "extra": {"nested": ["x" * 50_000]}}
    huge["trip"] |= {f"key{n}": "v" * 100 for n in range(5000)}
    async with Service({path: huge}).called() as call:
        told = unquoted(structured(await call(tool, **arguments)))

    assert told["counts"]["legs"] == 3_000
    assert 10 < len(told["legs"]) < 1000
    assert len(told["trip"]["title"]) < 300


@pytest.mark.parametrize("tool", KINDS)
async def test_one_section_of_a_large_trip_is_read_part_by_part(tool: str) -> None:
    arguments, path = KINDS[tool]
    large = an_export(legs=200, accommodation={"address": "A" * 600})
    seen: list[str] = []
    async with Service({path: large}).called() as call:
        cursor: dict[str, str] = {}
        for _ in range(10):
            told = unquoted(structured(await call(tool, **arguments, fields=["legs"], **cursor)))
            seen += [leg["_id"] for leg in told["legs"]]
            if "nextCursor" not in told:
                break
            cursor = {"cursor": told["nextCursor"]}
        elsewhere = await call(tool, **arguments, **cursor)
        of_others = await call(tool, **arguments, fields=["members"], **cursor)

    assert seen == [f"l{n}" for n in range(200)]
    assert elsewhere.text == "cursor: give it with the `fields` it came with, which name one section."
    assert of_others.text == "cursor: what it goes on from is gone; leave it out to start again."


@pytest.mark.parametrize("tool", KINDS)
async def test_what_is_masked_stays_so_in_every_form_of_an_export(tool: str) -> None:
    arguments, path = KINDS[tool]
    body = an_export(legs=90, accommodation={"address": "A" * 600, "doorCode": "K4711"})
    body["trip"] = {**TRIP, "hostPhone": "+81 3 1234"}
    async with Service({path: body}).called(Conduct(mask_secrets=True)) as call:
        answers = [
            await call(tool, **arguments),
            await call(tool, **arguments, fields=["trip", "legs.accommodation.doorCode"]),
            await call(tool, **arguments, fields=["legs"]),
        ]

    assert not any("K4711" in answer.text or "+81" in answer.text for answer in answers)
    assert MASK in answers[1].text


JAZZ = {"id": 41, "title": "Jazz", "date": "2026-11-02", "time": "20:00", "attached_trips": [7]}


@pytest.mark.parametrize(
    ("conduct", "events", "remark"),
    [
        (Conduct(), [JAZZ], None),
        (Conduct(one_store=False, event_trips={"t": 7}), [JAZZ], None),
        (Conduct(one_store=False), None, "Itinerary events are not in this export: the number that the trip has in "),
        (Conduct(event_trips={"t": 8}), None, "Events are left out, for they could not be read: "),
    ],
    ids=["one store", "linked", "not linked", "not to be read"],
)
async def test_events_are_in_it_or_it_says_why_not(conduct: Conduct, events: Any, remark: str | None) -> None:
    export = {**an_export(), "trip": {**TRIP, "number": 7}, "serviceOwn": [{"x": 1}]}
    service = Service({"/trips/t/export": export, "/v1/trips/7/itinerary": {"events": [JAZZ]}})
    async with service.called(conduct) as call:
        told = structured(await call("export_trip", tripId="t"))
        legs = structured(await call("export_trip", tripId="t", fields=["legs"]))
        only = await call("export_trip", tripId="t", fields=["events.title"])

    shown = events and [{("event_id" if name == "id" else name): value for name, value in JAZZ.items()}]
    assert told.get("events") == shown
    assert told["serviceOwn"] == [{"x": 1}]
    assert [leg["_id"] for leg in legs["legs"]] == ["l0", "l1"]
    assert only.is_error or structured(only).get("events") == ((events and [{"event_id": 41, "title": "Jazz"}]) or [])
    if remark is None:
        assert "remarks" not in told
    else:
        assert told["remarks"][0].startswith(remark)
