"""Successful answers in every plausible shape (docs/contract.md#reading-tolerantly)."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from trips_mcp.client import BadAnswerError, OutcomeUnknownError, TripsClient
from trips_mcp.contract.events import CreateEvent
from trips_mcp.contract.legs import CreateLeg, UpdateLeg, UpsertLegs
from trips_mcp.contract.messages import SendMessage
from trips_mcp.contract.trips import CreateTrip, SyncTrip

ClientOf = Callable[[Callable[[httpx.Request], httpx.Response]], TripsClient]

TRIP = {"_id": "t1", "title": "Kyoto", "status": "draft"}
LEGS = [{"_id": "l1", "title": "Gion"}, {"_id": "l2", "title": "Nara"}]


def answering(client_of: ClientOf, body: object, status: int = 200) -> TripsClient:
    return client_of(lambda request: httpx.Response(status, json=body))


@pytest.mark.parametrize(
    "body",
    [
        TRIP,
        {"id": "t1", "title": "Kyoto", "status": "draft"},
        {"trip": TRIP},
        {"data": TRIP},
        {"data": {"trip": TRIP}},
        {"trip": TRIP, "requestId": "r1"},
        {"status": "ok", "trip": TRIP},
        {"success": True, "data": TRIP, "error": None},
    ],
)
async def test_a_single_object_is_found_bare_or_wrapped(client_of: ClientOf, body: object) -> None:
    trip = await answering(client_of, body).trips.get("t1")

    assert (trip.id, trip.title, trip.status) == ("t1", "Kyoto", "draft")


async def test_a_field_that_only_shares_a_wrappers_name_stays(client_of: ClientOf) -> None:
    body = {**TRIP, "data": {"_id": "x", "title": "y", "status": "z", "groupId": "g"}, "trip": {"_id": "other"}}

    trip = await answering(client_of, body).trips.get("t1")

    assert trip.id == "t1"
    assert trip.model_extra == {"data": body["data"], "trip": body["trip"]}


@pytest.mark.parametrize("wrapper", [None, "data", "export"])
async def test_an_export_is_not_mistaken_for_the_trip_in_it(client_of: ClientOf, wrapper: str | None) -> None:
    export = {"trip": TRIP, "legs": LEGS, "extra": 1}
    body = export if wrapper is None else {wrapper: export}

    read = await answering(client_of, body).trips.export("t1")

    assert read.trip is not None
    assert read.trip.title == "Kyoto"
    assert [leg.id for leg in read.legs] == ["l1", "l2"]
    assert read.model_extra == {"extra": 1}


@pytest.mark.parametrize(
    ("body", "cursor"),
    [
        (LEGS, None),
        ({"items": LEGS}, None),
        ({"items": LEGS, "nextCursor": None}, None),
        ({"items": LEGS, "nextCursor": "c"}, "c"),
        ({"items": LEGS, "nextCursor": ""}, None),
        ({"data": LEGS, "cursor": "c"}, "c"),
        ({"data": LEGS, "cursor": 7}, "7"),
        ({"results": LEGS}, None),
        ({"legs": LEGS, "nextCursor": "c"}, "c"),
        ({"page": LEGS, "isDone": False, "continueCursor": "c"}, "c"),
        ({"page": LEGS, "isDone": True, "continueCursor": "c"}, None),
        ({"items": LEGS, "isDone": True, "nextCursor": "c"}, None),
        ({"page": 1, "data": LEGS}, None),
        ({"data": {"items": LEGS, "nextCursor": "c"}}, "c"),
        ({"data": {"legs": LEGS}, "nextCursor": "c"}, "c"),
        ({"data": {"page": LEGS, "isDone": True, "continueCursor": "c"}}, None),
    ],
)
async def test_a_list_is_found_under_any_likely_name(client_of: ClientOf, body: object, cursor: str | None) -> None:
    page = await answering(client_of, body).legs.list("t1")

    assert [leg.id for leg in page.items] == ["l1", "l2"]
    assert page.next_cursor == cursor


@pytest.mark.parametrize("body", [[], {"items": []}, {"items": None}, {"data": []}, {"legs": None}])
async def test_an_empty_list_is_read_as_one(client_of: ClientOf, body: object) -> None:
    assert (await answering(client_of, body).legs.list("t1")).items == []


@pytest.mark.parametrize("body", [{}, {"ok": True}, "legs", 3, True, {"items": [1, 2]}, {"data": {"ok": 1}}])
async def test_an_answer_without_a_list_is_not_read_as_an_empty_one(client_of: ClientOf, body: object) -> None:
    with pytest.raises(BadAnswerError):
        await answering(client_of, body).legs.list("t1")


async def test_unknown_fields_are_kept(client_of: ClientOf) -> None:
    leg = {"_id": "l1", "mood": "calm", "accommodation": {"name": "Inn", "sauna": True}}

    page = await answering(client_of, {"items": [leg], "total": 9}).legs.list("t1")

    assert page.model_extra == {"total": 9}
    assert page.items[0].model_dump(exclude_unset=True) == leg


async def test_nulls_and_other_formats_inside_a_leg_are_accepted(client_of: ClientOf) -> None:
    body = {
        "_id": "l1",
        "flights": [{"departure": "2026-11-01T10:00:00Z", "departureTimezone": "Japan time", "seat": None}],
        "accommodation": {"doorCode": None, "name": "Inn"},
        "rentalCar": None,
    }

    page = await answering(client_of, [body]).legs.list("t1")

    assert page.items[0].flights is not None
    assert page.items[0].flights[0].departure == "2026-11-01T10:00:00Z"


async def test_a_null_in_place_of_a_list_is_an_empty_list(client_of: ClientOf) -> None:
    export = await answering(client_of, {"trip": TRIP, "legs": None, "mapPins": None}).trips.export("t1")

    assert (export.legs, export.map_pins) == ([], [])


@pytest.mark.parametrize("status", [200, 201, 202, 203, 204, 206, 207, 299])
async def test_any_2xx_is_success(client_of: ClientOf, status: int) -> None:
    created = await answering(client_of, TRIP, status).trips.create(
        CreateTrip(group_id="g", title="Kyoto", start_date="2026-11-01", end_date="2026-11-02")
    )

    assert created.id == "t1"


async def test_a_204_gives_the_deleted_id(client_of: ClientOf) -> None:
    client = client_of(lambda request: httpx.Response(204))

    assert (await client.legs.delete("t1", "l1")).deleted == "l1"
    assert (await client.shares.revoke("t1")).revoked is True
    assert (await client.events.delete(7)).deleted == 7
    assert (await client.trips.archive("t1")).id == "t1"


@pytest.mark.parametrize("body", [b"", b"null"])
async def test_an_empty_list_may_have_no_body(client_of: ClientOf, body: bytes) -> None:
    assert (await client_of(lambda request: httpx.Response(200, content=body)).legs.list("t1")).items == []


LEG: dict[str, Any] = {
    "order": 1,
    "title": "Kyoto",
    "destination": "Kyoto",
    "startDate": "2026-11-01",
    "endDate": "2026-11-02",
    "timezone": "Asia/Tokyo",
}
WRITES: dict[str, Callable[[TripsClient], Awaitable[Any]]] = {
    "create_trip": lambda client: client.trips.create(
        CreateTrip(group_id="g", title="Kyoto", start_date="2026-11-01", end_date="2026-11-02")
    ),
    "create_leg": lambda client: client.legs.create(CreateLeg.model_validate({"tripId": "t1", **LEG})),
    "update_leg": lambda client: client.legs.update(UpdateLeg(trip_id="t1", leg_id="l1", title="Gion")),
    "upsert_legs": lambda client: client.legs.upsert(UpsertLegs.model_validate({"tripId": "t1", "items": [LEG]})),
    "sync_trip": lambda client: client.trips.sync(SyncTrip.model_validate({"tripId": "t1", "legs": [LEG]})),
    "delete_leg": lambda client: client.legs.delete("t1", "l1"),
    "archive_trip": lambda client: client.trips.archive("t1"),
    "send_message": lambda client: client.messages.send(SendMessage(trip_id="t1", channel_id="c1", content="Hello")),
    "create_share_token": lambda client: client.shares.create("t1"),
    "revoke_share_token": lambda client: client.shares.revoke("t1"),
    "create_event": lambda client: client.events.create(CreateEvent(type="food", title="Ramen", date="2026-11-01")),
    "delete_event": lambda client: client.events.delete(7),
}


@pytest.mark.parametrize("status", [200, 201])
@pytest.mark.parametrize("body", [b"", b"  \r\n", b"null", b"\xef\xbb\xbfnull", b"{}", b'{"ok": true}', b"<html>Hello"])
@pytest.mark.parametrize("write", WRITES)
async def test_a_write_is_not_done_before_an_answer_of_the_contract_says_so(
    client_of: ClientOf, write: str, body: bytes, status: int
) -> None:
    client = client_of(lambda request: httpx.Response(status, content=body))

    with pytest.raises(OutcomeUnknownError, match="does not say what was done") as caught:
        await WRITES[write](client)

    assert isinstance(caught.value.__cause__, BadAnswerError)


@pytest.mark.parametrize("body", [{"deleted": True}, {"_id": "l1"}, {"deleted": "l1"}, {"data": {"deleted": "l1"}}])
async def test_a_deletion_may_name_what_is_gone(client_of: ClientOf, body: object) -> None:
    assert (await answering(client_of, body).legs.delete("t1", "l1")).deleted == "l1"


@pytest.mark.parametrize("body", [["deleted"], "deleted", {"success": False}, {"deleted": False}, {"_id": "l2"}])
async def test_an_unconfirmed_deletion_is_not_reported_as_done(client_of: ClientOf, body: object) -> None:
    with pytest.raises(OutcomeUnknownError) as caught:
        await answering(client_of, body).legs.delete("t1", "l1")

    assert isinstance(caught.value.__cause__, BadAnswerError)


@pytest.mark.parametrize("report", [{"results": []}, {"created": 0, "errors": 0}, {"created": 1}])
async def test_a_batch_is_answered_item_by_item(client_of: ClientOf, report: dict[str, Any]) -> None:
    items = UpsertLegs.model_validate({"tripId": "t1", "items": [LEG, LEG]})

    with pytest.raises(OutcomeUnknownError):
        await answering(client_of, report).legs.upsert(items)


async def test_a_read_that_shows_nothing_of_what_was_asked_for_is_a_bad_answer(client_of: ClientOf) -> None:
    with pytest.raises(BadAnswerError):
        await answering(client_of, {"error": "no such trip"}).trips.get("t1")


async def test_a_deletion_says_that_the_event_was_already_deleted(client_of: ClientOf) -> None:
    again = await answering(client_of, {"already_deleted": True}).events.delete(7)

    assert (again.already_deleted, again.deleted) == (True, None)


async def test_events_are_read_by_either_id(client_of: ClientOf) -> None:
    itinerary = await answering(
        client_of, {"trip_id": 42, "events": [{"id": 7, "title": "Ramen"}, {"event_id": 8}]}
    ).events.list(42)

    assert [event.event_id for event in itinerary.events] == [7, 8]


async def test_a_byte_order_mark_is_ignored(client_of: ClientOf) -> None:
    client = client_of(lambda request: httpx.Response(200, content=b'\xef\xbb\xbf{"_id":"t1"}'))

    assert (await client.trips.get("t1")).id == "t1"


@pytest.mark.parametrize(
    "body",
    [
        b"<html>Welcome</html>",
        b'{"_id": "t1"',
        b'{"_id": "t1"} trailing',
        b'{"_id": "\\ud800"}',
        b'{"_id": "\xff"}',
        b'{"_id": ["t1"]}',
        b'{"number": NaN}',
        b'"t1"',
        b"[]",
        b"[[[[[",
        b"[" * 100_000,
        b'{"number": 1e400}',
    ],
)
async def test_an_unreadable_answer_is_a_bad_answer(client_of: ClientOf, body: bytes) -> None:
    client = client_of(lambda request: httpx.Response(200, content=body))

    with pytest.raises(BadAnswerError, match=r"^The Trips API answered get_trip in a form") as caught:
        await client.trips.get("t1")

    assert caught.value.status == 200
    assert caught.value.excerpt == body.decode("utf-8", "replace")[:200]
    assert "probably" not in str(caught.value)


async def test_the_excerpt_holds_no_key(client_of: ClientOf) -> None:
    client = client_of(lambda request: httpx.Response(200, text="you sent osk_trips-key, thanks"))

    with pytest.raises(BadAnswerError) as caught:
        await client.trips.list()

    assert caught.value.excerpt == "you sent …, thanks"
