"""Lists as agents get them: lean items, `fields`, and pages that neither skip nor repeat an item."""

import json
import re
from collections.abc import Awaitable, Callable
from itertools import count
from random import Random
from typing import Any

import anyio
import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic.alias_generators import to_camel
from typing_extensions import override

from trips_mcp.tools import TOOLS, Answer
from trips_mcp.tools.views import Listed

from .services import TOOL, Service

Call = Callable[..., Awaitable[Answer]]
Do = Callable[..., Awaitable[dict[str, Any]]]

LARGEST = 40_000
UNPAGED: dict[str, tuple[dict[str, Any], str]] = {
    "list_trips": ({}, "/trips"),
    "list_action_items": ({"tripId": "t"}, "/trips/t/action-items"),
    "list_map_pins": ({"tripId": "t"}, "/trips/t/map-pins"),
    "list_channels": ({"tripId": "t"}, "/trips/t/channels"),
}
PAGED: dict[str, tuple[dict[str, Any], str]] = {
    "list_legs": ({"tripId": "t"}, "/trips/t/legs"),
    "list_commitments": ({"tripId": "t"}, "/trips/t/commitments"),
    "list_messages": ({"tripId": "t", "channelId": "c"}, "/trips/t/channels/c/messages"),
}


def id_of(number: int) -> str:
    return f"k5{number:030d}"


def an_action_item(number: int, **more: Any) -> dict[str, Any]:
    """As a service with its own bookkeeping answers it."""
    return {
        "_id": id_of(number),
        "_creationTime": 1780394412345.123 + number,
        "tripId": "t",
        "text": f"Book the ryokan no. {number}",
        "urgency": "before_trip",
        "owner": "k5" + "u" * 30,
        "completed": False,
        "completedAt": None,
        "clientRef": f"todo-{number}",
        "createdBy": "k5" + "u" * 30,
        "updatedAt": 1780394998765,
        "tags": [],
        **more,
    }


def texts(structured: dict[str, Any]) -> list[str]:
    return [item["_id"] for item in structured["items"]]


def structured(answer: Answer) -> dict[str, Any]:
    assert not answer.is_error, answer.text
    assert answer.structured is not None
    assert json.loads(answer.text) == answer.structured
    assert len(answer.text) <= LARGEST
    return answer.structured


async def test_an_item_has_its_useful_fields_and_the_rest_is_named() -> None:
    items = [an_action_item(1), an_action_item(2, completed=True, completedAt=1780394999999, **{"not a name": 1})]
    async with Service({"/trips/t/action-items": items}).called() as call:
        told = structured(await call("list_action_items", tripId="t"))

    assert told == {
        "notShown": ["owner", "clientRef", "_creationTime", "createdBy", "updatedAt", "completedAt"],
        "items": [
            {"_id": id_of(1), "text": "Book the ryokan no. 1", "urgency": "before_trip"},
            {"_id": id_of(2), "text": "Book the ryokan no. 2", "urgency": "before_trip", "completed": True},
        ],
    }


async def test_twenty_action_items_cost_at_most_a_third_of_the_body() -> None:
    items = {"items": [an_action_item(number) for number in range(20)], "nextCursor": None}
    async with Service({"/trips/t/action-items": items}).called() as call:
        answer = await call("list_action_items", tripId="t")

    assert len(answer.text) * 3 <= len(json.dumps(items, separators=(",", ":")))


async def test_fields_select_and_ids_are_always_included() -> None:
    async with Service({"/trips/t/action-items": [an_action_item(1)]}).called() as call:
        told = structured(await call("list_action_items", tripId="t", fields=["owner", "completed", "_creationTime"]))

    assert told == {
        "items": [{"_id": id_of(1), "_creationTime": 1780394412346.123, "owner": "k5" + "u" * 30, "completed": False}]
    }


async def test_fields_reach_into_objects_and_lists(do: Do, trip_id: str) -> None:
    leg = {"title": "Gion", "destination": "Kyoto", "startDate": "2026-11-01", "endDate": "2026-11-05"}
    await do(
        "create_leg",
        tripId=trip_id,
        **leg,
        order=0,
        timezone="Asia/Tokyo",
        accommodation={"name": "Ryokan", "address": "Gion 1"},
        flights=[{"from": "LHR", "to": "HND"}, {"from": "HND", "seat": "1A"}],
    )

    told = await do("list_legs", tripId=trip_id, fields=["title", "accommodation.name", "flights.from"])

    (item,) = told["items"]
    del item["_id"]
    assert item == {"title": "Gion", "accommodation": {"name": "Ryokan"}, "flights": [{"from": "LHR"}, {"from": "HND"}]}


async def test_fields_of_a_whole_and_of_its_parts_add_up() -> None:
    legs = [{"_id": "a", "extra": {"one": 1, "two": 2, "three": 3}}, {"_id": "b", "extra": "none"}, {"_id": "c"}]
    async with Service({"/trips/t/legs": legs}).called() as call:
        parts = structured(await call("list_legs", tripId="t", fields=["extra.two", "extra.one"]))
        whole = structured(await call("list_legs", tripId="t", fields=["extra.two", "extra", "extra.one"]))

    assert parts["items"] == [{"_id": "a", "extra": {"one": 1, "two": 2}}, {"_id": "b", "extra": "none"}, {"_id": "c"}]
    assert whole["items"] == legs


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ("colour", "fields: there is no colour; there is _id, tripId, text, urgency, owner, completed, clientRef."),
        ("text.first", "fields: text has no part first; ask for text."),
        ("", "fields: there is no ; there is _id"),
    ],
)
async def test_an_unknown_field_is_answered_with_the_known_ones(field: str, said: str) -> None:
    async with Service({"/trips/t/action-items": [an_action_item(1)]}).called() as call:
        answer = await call("list_action_items", tripId="t", fields=["text", field] if "." not in field else [field])

    assert answer.is_error
    assert answer.text.startswith(said)
    assert "not a name" not in answer.text


async def test_invalid_fields_are_refused_before_any_request() -> None:
    service = Service({"/trips": []})
    async with service.called() as call:
        answer = await call("list_trips", fields=[7], cursor=5)

    assert answer.text == ("Not sent. Fix the arguments of list_trips: cursor: expected text; fields.0: expected text.")
    assert not service.asked


async def read_all(call: Call, tool: str, arguments: dict[str, Any], name: str = "items") -> list[list[dict[str, Any]]]:
    pages: list[list[dict[str, Any]]] = []
    cursor: dict[str, str] = {}
    while len(pages) < 100:
        told = structured(await call(tool, **arguments, **cursor))
        pages.append(told[name])
        assert ("nextCursor" in told) or not any("remain" in remark for remark in told.get("remarks", ()))
        if "nextCursor" not in told:
            return pages
        cursor = {"cursor": told["nextCursor"]}
    raise AssertionError("it never ends")


@pytest.mark.parametrize("tool", UNPAGED)
async def test_a_long_list_comes_in_parts_though_its_api_has_no_pages(tool: str) -> None:
    arguments, path = UNPAGED[tool]
    everything = [
        {"_id": id_of(number), "title": "T" * 150, "text": "x" * 150, "name": "n" * 150} for number in range(1000)
    ]
    service = Service({path: everything})
    async with service.called() as call:
        first = structured(await call(tool, **arguments))
        pages = await read_all(call, tool, arguments)

    left = 1000 - len(first["items"])
    assert first["remarks"] == [f"{left} more remain: pass nextCursor as cursor."]
    assert len(pages[0]) > 100
    assert [item["_id"] for page in pages for item in page] == [item["_id"] for item in everything]
    assert not any("cursor" in request.url.params or "fields" in request.url.params for request in service.asked)


def paged(everything: list[dict[str, Any]], newest_last: bool = False) -> Callable[[dict[str, str]], dict[str, Any]]:
    """As a service pages: by the place, in the list as it is now, of an item it has shown."""

    def body(query: dict[str, str]) -> dict[str, Any]:
        rows = everything[::-1] if newest_last else everything
        after = next((at + 1 for at, row in enumerate(rows) if row["_id"] == query.get("cursor")), 0)
        page = rows[after : after + int(query.get("limit", 100))]
        more = after + len(page) < len(rows)
        return {"items": page[::-1] if newest_last else page, "nextCursor": page[-1]["_id"] if more else None}

    return body


@pytest.mark.parametrize("tool", PAGED)
async def test_pages_that_are_too_long_come_in_parts(tool: str) -> None:
    arguments, path = PAGED[tool]
    everything = [{"_id": id_of(number), "title": "T" * 900, "content": "c" * 900} for number in range(250)]
    async with Service({path: paged(everything, newest_last=tool == "list_messages")}).called() as call:
        first = structured(await call(tool, **arguments))
        pages = await read_all(call, tool, arguments)

    assert first["remarks"][0].startswith("At least ")
    if tool == "list_messages":
        assert first["items"][-1]["_id"] == id_of(249)
        pages.reverse()
    assert [item["_id"] for page in pages for item in page] == [item["_id"] for item in everything]


async def test_a_page_with_room_keeps_the_services_own_cursor() -> None:
    everything = [{"_id": id_of(number), "title": "Gion"} for number in range(30)]
    service = Service({"/trips/t/legs": paged(everything)})
    async with service.called() as call:
        first = structured(await call("list_legs", tripId="t", limit=20))
        rest = structured(await call("list_legs", tripId="t", limit=20, cursor=first["nextCursor"]))

    assert first["nextCursor"] == id_of(19)
    assert "remarks" not in first
    assert len(rest["items"]) == 10
    assert "nextCursor" not in rest


@pytest.mark.parametrize("tool", ["list_action_items", "list_legs", "list_messages"])
async def test_nothing_is_skipped_or_repeated_where_items_come_and_go_between_parts(tool: str) -> None:
    arguments, path = {**UNPAGED, **PAGED}[tool]
    newest_last = tool == "list_messages"
    everything = [
        {"_id": id_of(number), "title": "T" * 900, "text": "t" * 900, "content": "c" * 900} for number in range(90)
    ]
    service = Service({path: paged(everything, newest_last) if tool in PAGED else everything})
    async with service.called() as call:
        first = structured(await call(tool, **arguments))
        seen = {item["_id"] for item in first["items"]}
        shown = [item for item in everything if item["_id"] in seen]
        edge = shown[:1] if newest_last else shown[-1:]
        everything.remove(edge[0])  # what was shown last
        everything.remove(shown[len(shown) // 2])
        everything.insert(
            len(everything) if newest_last else 0, {"_id": "new", "title": "N" * 900, "text": "n", "content": "n"}
        )
        rest = structured(await call(tool, **arguments, cursor=first["nextCursor"]))

    expected = [item["_id"] for item in everything if item["_id"] not in seen and item["_id"] != "new"]
    ordered = expected[::-1] if newest_last else expected
    got = [item["_id"] for item in rest["items"]]
    assert (got[::-1] if newest_last else got) == ordered[: len(got)]


@given(sizes=st.lists(st.integers(0, 9000), max_size=40), change=st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=15)
def test_whatever_comes_and_goes_what_stays_is_shown_once_and_in_order(sizes: list[int], change: Random) -> None:
    everything = [{"_id": id_of(number), "text": "t" * size} for number, size in enumerate(sizes)]
    added = count(len(sizes))

    def live(seen: list[str]) -> None:
        """Much goes, but never all that was shown last; something comes."""
        for item in change.sample(everything, len(everything) // 4):
            if item["_id"] not in seen[-1:]:
                everything.remove(item)
        everything.insert(change.randint(0, len(everything)), {"_id": id_of(next(added)), "text": "new"})

    async def read_on() -> tuple[list[str], set[str]]:
        seen: list[str] = []
        gone: set[str] = set()
        cursor: dict[str, str] = {}
        async with Service({"/trips/t/action-items": everything}).called() as call:
            while True:
                before = {item["_id"] for item in everything}
                told = structured(await call("list_action_items", tripId="t", **cursor))
                seen += [item["_id"] for item in told["items"]]
                if "nextCursor" not in told:
                    return seen, gone
                cursor = {"cursor": told["nextCursor"]}
                live(seen)
                gone |= before - {item["_id"] for item in everything}

    seen, gone = anyio.run(read_on)

    stayed = [id_of(number) for number in range(len(sizes)) if id_of(number) not in gone]
    assert len(seen) == len(set(seen))
    assert [found for found in seen if found in set(stayed)] == stayed


async def test_a_list_whose_last_shown_items_are_gone_says_so() -> None:
    everything = [an_action_item(number, text="t" * 900) for number in range(90)]
    service = Service({"/trips/t/action-items": everything})
    async with service.called() as call:
        first = structured(await call("list_action_items", tripId="t"))
        service.bodies["/trips/t/action-items"] = everything[60:]
        answer = await call("list_action_items", tripId="t", cursor=first["nextCursor"])

    assert answer.is_error
    assert answer.text == "cursor: what it goes on from is gone; leave it out to start again."


@pytest.mark.parametrize(
    "cursor", ["nonsense", "after.", "after.bm8=", "after.W10=", "after.WzFd", "after.ü", "a" * 4000]
)
@pytest.mark.parametrize("tool", ["list_trips", "list_action_items", "list_map_pins", "list_channels"])
async def test_an_unknown_cursor_is_refused_in_one_sentence(tool: str, cursor: str) -> None:
    arguments, path = UNPAGED[tool]
    async with Service({path: [{"_id": "a"}]}).called() as call:
        answer = await call(tool, **arguments, cursor=cursor)

    assert answer.is_error
    assert answer.text.startswith("cursor: ")
    assert answer.text.count(". ") == 0


async def test_a_cursor_that_no_service_gives_is_not_sent() -> None:
    service = Service({"/trips/t/legs": []})
    async with service.called() as call:
        answer = await call("list_legs", tripId="t", cursor="a" * 2000)

    assert answer.text == "cursor: nothing gave this one; copy nextCursor exactly, or leave it out to start again."
    assert not service.asked


async def test_the_position_in_a_list_is_searched_on_a_few_pages_only() -> None:
    everything = [{"_id": id_of(number), "title": "T" * 900} for number in range(100)]
    async with Service({"/trips/t/legs": paged(everything)}).called() as call:
        cursor = structured(await call("list_legs", tripId="t"))["nextCursor"]
        everything[:0] = [{"_id": id_of(number), "title": "new"} for number in range(1000, 1150)]
        near = structured(await call("list_legs", tripId="t", cursor=cursor))
        everything[:0] = [{"_id": id_of(number), "title": "new"} for number in range(2000, 2500)]
        far = await call("list_legs", tripId="t", cursor=cursor)

    assert near["items"][0]["title"] == "T" * 900
    assert far.text == "cursor: what it goes on from is gone; leave it out to start again."


async def test_a_cursor_of_the_service_that_is_wrong_is_refused_by_it(call: Call, trip_id: str) -> None:
    answer = await call("list_legs", tripId=trip_id, cursor="bm90IGEgY3Vyc29y")

    assert answer.is_error
    assert answer.text.startswith("VALIDATION_ERROR (400): ")
    assert "cursor" in answer.text


async def test_a_service_that_pages_what_it_should_not_is_not_taken_for_complete() -> None:
    async with Service({"/trips": {"items": [{"_id": "a", "title": "x"}], "nextCursor": "more"}}).called() as call:
        told = structured(await call("list_trips"))

    assert told["remarks"] == ["The service has more, which this tool has no way to read."]
    assert "nextCursor" not in told


async def test_one_item_that_is_too_large_alone_is_cut_and_one_of_its_fields_can_be_read() -> None:
    stay = {name: name[0] * 10_000 for name in ("name", "address", "notes", "hostName", "wifiName", "checkIn")}
    legs = [{"_id": "l1", "title": "Gion", "accommodation": stay}, {"_id": "l2", "title": "Edo"}]
    async with Service({"/trips/t/legs": legs}).called() as call:
        told = structured(await call("list_legs", tripId="t"))
        alone = structured(await call("list_legs", tripId="t", fields=["accommodation.notes"]))

    assert told["items"][0]["title"] == "Gion"
    assert told["items"][0]["accommodation"]["notes"] == "n" * 4000 + "… [cut]"
    assert told["remarks"] == [
        "Too large to show whole: a text that ends in “… [cut]” is cut, never write it back. "
        "One of `fields` alone may be shown whole.",
        "1 more remain: pass nextCursor as cursor.",
    ]
    assert alone["items"] == [{"_id": "l1", "accommodation": {"notes": "n" * 10_000}}, {"_id": "l2"}]


async def test_an_item_without_room_is_named_by_its_id() -> None:
    legs = [{"_id": "l1", "title": "Gion", "accommodation": {"deep": [[[["y" * 100] * 10] * 10] * 10] * 10}}]
    async with Service({"/trips/t/legs": legs}).called() as call:
        told = structured(await call("list_legs", tripId="t"))

    assert told == {
        "items": [{"_id": "l1"}],
        "remarks": ["Nothing but its id has room here. One of `fields` alone may be shown whole."],
    }


@pytest.mark.parametrize("what", ["words", "invisible", "many"])
async def test_messages_of_any_size_stay_within_the_limit_and_quoted(what: str) -> None:
    number, content = {"words": (20, "w" * 10_000), "invisible": (20, "\u202e\x07" * 5000), "many": (100, "m" * 300)}[
        what
    ]
    messages = [{"_id": id_of(one), "content": content, "authorName": "Bo"} for one in range(number)]
    path = "/trips/t/channels/c/messages"
    async with Service({path: paged(messages, newest_last=True)}).called() as call:
        told = structured(await call("list_messages", tripId="t", channelId="c"))

    mark = told["quoting"].split("[")[1].split("]")[0]
    assert told["items"][-1]["_id"] == id_of(number - 1)
    for message in told["items"]:
        assert message["content"].startswith(f"[{mark}]")
        assert message["content"].endswith(f"[/{mark}]")


async def test_ten_thousand_events_come_in_parts() -> None:
    events = [{"id": number, "title": f"Event {number}", "date": "2026-11-02"} for number in range(10_000)]
    body = {"trip_id": 7, "revision": 3, "event_count": 10_000, "events": events}
    async with Service({"/v1/trips/7/itinerary": body}).called() as call:
        first = structured(await call("list_trip_events", trip_id=7))
        second = structured(await call("list_trip_events", trip_id=7, cursor=first["nextCursor"], fields=["title"]))

    shown = len(first["events"])
    assert first["events"][0] == {"event_id": 0, "title": "Event 0", "date": "2026-11-02"}
    assert first["event_count"] == 10_000
    assert first["remarks"] == [f"{10_000 - shown} more remain: pass nextCursor as cursor."]
    assert second["events"][0] == {"event_id": shown, "title": f"Event {shown}"}


async def test_members_come_without_what_is_empty() -> None:
    members: list[dict[str, Any]] = [
        {"userId": "u1", "name": "Ann", "role": "owner", "email": "", "phone": None, "pets": []}
    ]
    async with Service({"/trips/t/members": members}).called() as call:
        assert structured(await call("list_members", tripId="t")) == {
            "items": [{"userId": "u1", "name": "Ann", "role": "owner"}]
        }


@pytest.mark.parametrize("tool", [tool for tool in TOOLS if tool.view is not None], ids=lambda tool: tool.name)
def test_every_list_and_export_takes_fields_and_a_cursor(tool: Any) -> None:
    properties = tool.input_schema["properties"]

    assert properties["fields"]["items"] == {"type": "string"}
    assert properties["cursor"]["type"] == "string"
    assert not {"fields", "cursor"} & set(tool.input_schema.get("required", ()))


def told_fields(tool: Any) -> list[str]:
    """Every name that the tool's schema tells for `fields`."""
    described: str = tool.input_schema["properties"]["fields"]["description"]
    told = described.removeprefix("Only these: ").partition("; ")[0]
    names: list[str] = []
    for name, within in re.findall(r"(\w+)(?: \(([^)]*)\))?", told):
        names += [name, *(name + part for part in within.split())]
    return names


@pytest.mark.parametrize("tool", [tool for tool in TOOLS if tool.view is not None], ids=lambda tool: tool.name)
async def test_names_of_the_schema_are_accepted_and_others_refused(tool: Any) -> None:
    required = {name: 7 if name.endswith("_id") else "t" for name in tool.input_schema.get("required", ())}
    section = {"within": tool.view.within} if isinstance(tool.view, Listed) else {}
    body = {to_camel(section["within"]): [{"_id": "1"}]} if section else {"legs": [{"_id": "1"}], "trip": {"_id": "t"}}
    async with Answering(body).called() as call:
        answers = {name: await call(tool.name, **required, fields=[name]) for name in told_fields(tool)}
        unknown = await call(tool.name, **required, fields=["colour"])

    assert {name: answer.text for name, answer in answers.items() if answer.is_error} == {}
    assert unknown.is_error


class Answering(Service):
    """The same to whatever is asked."""

    @override
    def __call__(self, request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=self.bodies)


async def test_one_password_is_read_without_the_rest(do: Do, trip_id: str) -> None:
    leg = {"title": "Gion", "destination": "Kyoto", "startDate": "2026-11-01", "endDate": "2026-11-05", "order": 0}
    stay = {"name": "Ryokan", "wifiPassword": "hunter2", "doorCode": "K4711"}
    made = await do("create_leg", tripId=trip_id, **leg, timezone="Asia/Tokyo", accommodation=stay)

    told = await do("list_legs", tripId=trip_id, fields=["accommodation.wifiPassword"])

    assert "accommodation.wifiPassword" in told_fields(TOOL["list_legs"])
    assert told == {"items": [{"_id": made["_id"], "accommodation": {"wifiPassword": "hunter2"}}]}
