"""The Events API, over the same trips (docs/contract.md#events-api-operations)."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

Client = Callable[[str | None], httpx.AsyncClient]
NewKey = Callable[..., Awaitable[str]]
NewTrip = Callable[..., Awaitable[dict[str, Any]]]

TOUR = {"type": "activity", "title": "Colosseum", "date": "2027-05-02"}


@pytest.fixture
async def number(api: httpx.AsyncClient, trip: str) -> int:
    """The trip's id in the Events API."""
    return (await api.get(trip)).json()["number"]


@pytest.mark.parametrize("backend", ["in process", "served"], indirect=True)
async def test_an_event_lives_its_whole_life(api: httpx.AsyncClient, events: httpx.AsyncClient, number: int) -> None:
    me = (await api.get("/me")).json()["user"]["_id"]
    more = {"time": "10:00", "description": "Skip the line", "location": "Rome", "importance": "important"}
    made = await events.post("/v1/events", json=TOUR | more | {"attach": {"trip_ids": [number, number]}})
    assert made.status_code == 201
    assert made.json() == TOUR | more | {
        "event_id": 1,
        "planner_user_id": me,
        "attached_trips": [number],
        "revision": 0,
    }
    assert (await events.get("/v1/events/1")).json() == made.json()

    moved = await events.patch("/v1/events/1", json={"date": "2027-05-03", "time": None})

    expected = made.json() | {"date": "2027-05-03", "revision": 1}
    del expected["time"]
    assert moved.json() == expected
    first, again = await events.delete("/v1/events/1"), await events.delete("/v1/events/1")
    assert first.status_code == again.status_code == 200
    assert first.json() == {"deleted": 1}
    assert again.json() == {"already_deleted": True}
    for method in ("GET", "PATCH"):
        gone = await events.request(method, "/v1/events/1")
        assert gone.status_code == 410
        assert isinstance(gone.json()["error"], str)


async def test_an_itinerary_is_in_order_and_knows_its_revision(events: httpx.AsyncClient, number: int) -> None:
    attach = {"attach": {"trip_ids": [number]}}
    for title, when in {
        "late": {"time": "22:00"},
        "early": {"time": "08:00"},
        "some time": {},
        "day before": {"date": "2027-05-01", "time": "23:00"},
        "cancelled": {},
    }.items():
        await events.post("/v1/events", json=TOUR | {"title": title} | when | attach)
    await events.post("/v1/events", json=TOUR | {"title": "elsewhere"})
    before = (await events.get(f"/v1/trips/{number}/itinerary")).json()

    await events.delete("/v1/events/5")
    after = (await events.get(f"/v1/trips/{number}/itinerary")).json()

    assert [one["title"] for one in after["events"]] == ["day before", "some time", "early", "late"]
    assert [one["id"] for one in after["events"]] == [4, 3, 2, 1]
    assert after["event_count"] == 4
    assert after["status"] == "draft"
    assert after["trip_id"] == number
    assert after["revision"] == before["revision"] + 1


async def test_attaching_replaces_the_set(
    api: httpx.AsyncClient, events: httpx.AsyncClient, trip: str, number: int
) -> None:
    here = (await api.get(trip)).json()
    there = await api.post("/trips", json={name: here[name] for name in ("groupId", "title", "startDate", "endDate")})
    other = there.json()["number"]
    await events.post("/v1/events", json=TOUR | {"attach": {"trip_ids": [number]}})

    moved = await events.patch("/v1/events/1", json={"attach": {"trip_ids": [other]}})
    left = await events.get(f"/v1/trips/{number}/itinerary")
    taken = await events.get(f"/v1/trips/{other}/itinerary")
    loose = await events.patch("/v1/events/1", json={"attach": {"trip_ids": None}})

    assert moved.json()["attached_trips"] == [other]
    assert left.json()["event_count"] == 0
    assert taken.json()["event_count"] == 1
    assert loose.json()["attached_trips"] == []
    assert loose.json()["revision"] == 2


async def test_every_update_is_a_revision_even_one_that_changes_nothing(events: httpx.AsyncClient, number: int) -> None:
    made = (await events.post("/v1/events", json=TOUR | {"attach": {"trip_ids": [number]}})).json()

    same = await events.patch("/v1/events/1", json=TOUR | {"attach": {"trip_ids": [number]}})

    assert same.json() == made | {"revision": 1}


@pytest.mark.parametrize(
    ("body", "path", "message"),
    [
        ({"type": "x", "title": "y"}, ["date"], "required"),
        (TOUR | {"title": ""}, ["title"], "must not be empty"),
        (TOUR | {"attach": {"trip_ids": ["a"]}}, ["attach", "trip_ids", "0"], "expected a whole number"),
        (TOUR | {"attach": {"trip_ids": [2**63]}}, ["attach", "trip_ids", "0"], None),
        (TOUR | {"attach": {"trips": [1]}}, ["attach", "trips"], "unknown field here"),
        (TOUR | {"attach": None}, ["attach"], "expected an object"),
        (TOUR | {"trip_ids": [1]}, ["trip_ids"], "unknown field here"),
        (TOUR | {"date": "2027-02-29"}, ["date"], "not a real date, expected YYYY-MM-DD"),
        (TOUR | {"event_id": 1}, ["event_id"], None),
    ],
)
async def test_an_impossible_event_is_not_made(
    events: httpx.AsyncClient, number: int, body: dict[str, Any], path: list[str], message: str | None
) -> None:
    refused = await events.post("/v1/events", json=body)

    (fault,) = refused.json()["error"]
    assert refused.status_code == 400
    assert fault["path"] == path
    assert message is None or fault["message"] == message
    assert (await events.get("/v1/events/1")).status_code == 404


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"title": None}, ["title"]),
        ({"attach": {"trip_ids": 1}}, ["attach", "trip_ids"]),
        ({"revision": 7}, ["revision"]),
        ({"time": "25:00"}, ["time"]),
    ],
)
async def test_an_impossible_update_changes_nothing(
    events: httpx.AsyncClient, change: dict[str, Any], path: list[str]
) -> None:
    made = (await events.post("/v1/events", json=TOUR)).json()

    refused = await events.patch("/v1/events/1", json=change | {"description": "New"})

    assert refused.status_code == 400
    assert [fault["path"] for fault in refused.json()["error"]] == [path]
    assert (await events.get("/v1/events/1")).json() == made


@pytest.mark.parametrize("event", ["0", "-1", "x", "1.0", "9" * 19, "9" * 5000, "%00", "1%2F2", str(2**53)])
async def test_an_impossible_id_is_refused(events: httpx.AsyncClient, event: str) -> None:
    refused = await events.get(f"/v1/events/{event}")

    assert refused.status_code == 400
    assert isinstance(refused.json()["error"], str)


async def test_what_never_existed_is_not_found(events: httpx.AsyncClient) -> None:
    for method, path in {
        "GET": "/v1/events/9",
        "PATCH": "/v1/events/9",
        "DELETE": "/v1/events/9",
    }.items():
        assert (await events.request(method, path)).status_code == 404
    assert (await events.get("/v1/trips/9/itinerary")).status_code == 404


async def test_a_key_of_retries_means_nothing_here(events: httpx.AsyncClient) -> None:
    for expected in (1, 2):
        made = await events.post("/v1/events", json=TOUR, headers={"Idempotency-Key": "x" * 300})
        assert made.json()["event_id"] == expected


async def test_creating_needs_access_to_every_trip(service: Client, new_key: NewKey, new_trip: NewTrip) -> None:
    ann, bob = await new_key(user="ann"), await new_key(user="bob")
    anns, bobs = (await new_trip(ann))["number"], (await new_trip(bob))["number"]

    for numbers in ([anns, bobs], [anns, 999]):
        refused = await service(ann).post("/v1/events", json=TOUR | {"attach": {"trip_ids": numbers}})
        assert refused.status_code == 403
    assert (await service(ann).get("/v1/events/1")).status_code == 404


async def test_the_planner_alone_changes_what_the_others_read(
    service: Client, new_key: NewKey, new_trip: NewTrip
) -> None:
    ann, bob, mallory = (
        await new_key(user="ann", group="Family"),
        await new_key(user="bob", group="Family"),
        await new_key(user="mallory"),
    )
    shared, private = await new_trip(ann, "Family"), await new_trip(ann)
    both = {"attach": {"trip_ids": [shared["number"], private["number"]]}}
    await service(ann).post("/v1/events", json=TOUR | both)

    read = await service(bob).get("/v1/events/1")
    for method in ("PATCH", "DELETE"):
        assert (await service(bob).request(method, "/v1/events/1", json={})).status_code == 403
    for method in ("GET", "PATCH", "DELETE"):
        assert (await service(mallory).request(method, "/v1/events/1")).status_code == 403
    await service(ann).delete("/v1/events/1")

    assert read.json()["attached_trips"] == [shared["number"]]
    assert (await service(bob).get("/v1/events/1")).status_code == 410
    assert (await service(mallory).get("/v1/events/1")).status_code == 403


async def test_an_event_of_no_trip_is_its_planners(service: Client, new_key: NewKey) -> None:
    ann, bob = await new_key(user="ann"), await new_key(user="bob")
    await service(ann).post("/v1/events", json=TOUR)

    assert (await service(ann).get("/v1/events/1")).status_code == 200
    assert (await service(bob).get("/v1/events/1")).status_code == 403


async def test_a_key_limited_to_a_trip_reaches_the_events_of_that_trip(
    service: Client, new_key: NewKey, new_trip: NewTrip
) -> None:
    everything = await new_key()
    mine, other = await new_trip(everything), await new_trip(everything)
    limited = service(await new_key(f"trips:read:{mine['_id']}", f"trips:write:{mine['_id']}"))
    here, there = {"attach": {"trip_ids": [mine["number"]]}}, {"attach": {"trip_ids": [other["number"]]}}

    assert (await limited.post("/v1/events", json=TOUR | here)).status_code == 201
    assert (await limited.post("/v1/events", json=TOUR | there)).status_code == 403
    assert (await limited.post("/v1/events", json=TOUR)).status_code == 403
    assert (await limited.patch("/v1/events/1", json={"title": "New"})).status_code == 200
    assert (await limited.patch("/v1/events/1", json=there)).status_code == 403
    await service(everything).patch("/v1/events/1", json=there)
    for method in ("GET", "PATCH", "DELETE"):
        assert (await limited.request(method, "/v1/events/1")).status_code == 403


async def test_a_session_cookie_opens_it_too(service: Client, new_key: NewKey) -> None:
    cookie = {"Cookie": f"theme=dark; session_token={await new_key()}"}

    assert (await service(None).post("/v1/events", json=TOUR, headers=cookie)).status_code == 201
    assert (await service(None).get("/api/v1/me", headers=cookie)).status_code == 401
    wrong = await service(None).get("/v1/events/1", headers={"Cookie": "session_token=x"})
    assert wrong.status_code == 401
    assert isinstance(wrong.json()["error"], str)
