"""Channels and messages (docs/contract.md#messages)."""

from typing import Any

import httpx
import pytest


@pytest.fixture
async def channel(api: httpx.AsyncClient, trip: str) -> str:
    """The path of the messages in a trip's first channel."""
    channels = (await api.get(f"{trip}/channels")).json()["items"]
    return f"{trip}/channels/{channels[0]['_id']}/messages"


@pytest.mark.parametrize("backend", ["in process", "served"], indirect=True)
async def test_a_reply_can_be_read_back(api: httpx.AsyncClient, trip: str, channel: str) -> None:
    me = (await api.get("/me")).json()["user"]
    first = await api.post(channel, json={"content": "When do we leave?"})
    assert first.status_code == 201

    reply = await api.post(channel, json={"content": "At 9 ☀️", "parentId": first.json()["_id"]})

    assert reply.json() == {
        "_id": reply.json()["_id"],
        "channelId": channel.split("/")[-2],
        "authorId": me["_id"],
        "authorName": "owner",
        "content": "At 9 ☀️",
        "parentId": first.json()["_id"],
        "createdAt": "2027-01-15T08:00:00.000Z",
    }
    assert (await api.get(channel)).json()["items"] == [first.json(), reply.json()]


async def test_a_trip_starts_with_one_channel(api: httpx.AsyncClient, trip: str) -> None:
    page = (await api.get(f"{trip}/channels")).json()

    assert [(one["name"], one["tripId"]) for one in page["items"]] == [("general", trip.removeprefix("/trips/"))]


async def test_pages_go_back_in_time_and_read_forwards(api: httpx.AsyncClient, channel: str) -> None:
    for text in "abcde":
        await api.post(channel, json={"content": text})
    newest = (await api.get(channel, params={"limit": 2})).json()

    await api.post(channel, json={"content": "f"})
    older = (await api.get(channel, params={"limit": 2, "cursor": newest["nextCursor"]})).json()
    oldest = (await api.get(channel, params={"limit": 2, "cursor": older["nextCursor"]})).json()

    pages = [[one["content"] for one in page["items"]] for page in (newest, older, oldest)]
    assert pages == [["d", "e"], ["b", "c"], ["a"]]
    assert oldest["nextCursor"] is None


async def test_a_page_has_50_messages_unless_told_otherwise(api: httpx.AsyncClient, channel: str) -> None:
    for number in range(51):
        await api.post(channel, json={"content": str(number)})

    page = (await api.get(channel)).json()

    assert len(page["items"]) == 50
    assert page["items"][-1]["content"] == "50"
    assert len((await api.get(channel, params={"limit": 100})).json()["items"]) == 51
    assert (await api.get(channel, params={"limit": 101})).status_code == 400


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({}, "content"),
        ({"content": ""}, "content"),
        ({"content": "x" * 10_001}, "content"),
        ({"content": "x", "parentId": "msg_0000000000"}, "parentId"),
        ({"content": "x", "authorId": "usr_1"}, "authorId"),
    ],
)
async def test_an_impossible_message_is_not_sent(
    api: httpx.AsyncClient, channel: str, fields: dict[str, Any], path: str
) -> None:
    refused = await api.post(channel, json=fields)

    assert refused.status_code == 400
    assert [detail["path"] for detail in refused.json()["error"]["details"]] == [path]
    assert (await api.get(channel)).json()["items"] == []


async def test_a_channel_of_another_trip_is_not_found(api: httpx.AsyncClient, trip: str, channel: str) -> None:
    here = (await api.get(trip)).json()
    there = await api.post("/trips", json={name: here[name] for name in ("groupId", "title", "startDate", "endDate")})
    wrong = channel.replace(here["_id"], there.json()["_id"])

    assert (await api.get(wrong)).status_code == 404
    assert (await api.post(wrong, json={"content": "x"})).status_code == 404
    assert (await api.get(channel)).json()["items"] == []
