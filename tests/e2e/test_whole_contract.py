"""Every operation of docs/contract.md, called as an agent calls it: real client, real server process, real backend."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

from mcp import Client
from mcp_types import CallToolResult, TextContent

from trips_mcp.contract import OPERATIONS

Fields = dict[str, Any]
Connect = Callable[..., AbstractAsyncContextManager[Client]]
KeyFor = Callable[..., Awaitable[str]]

EVERY_SCOPE = ("trips:read", "trips:write", "messages:read", "messages:write")


class Agent:
    """Calls tools, and remembers which."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.called: set[str] = set()

    async def do(self, tool: str, **arguments: object) -> Fields:
        result = await self._call(tool, arguments)
        assert not result.is_error, _text(result)
        assert result.structured_content is not None
        return result.structured_content

    async def fail(self, tool: str, **arguments: object) -> str:
        result = await self._call(tool, arguments)
        assert result.is_error, _text(result)
        return _text(result)

    async def _call(self, tool: str, arguments: Fields) -> CallToolResult:
        self.called.add(tool)
        return await self._client.call_tool(tool, arguments)


def _text(result: CallToolResult) -> str:
    return "".join(block.text for block in result.content if isinstance(block, TextContent))


def in_a_list(thing: Fields) -> Fields:
    """As a list of its trip shows it."""
    return {name: value for name, value in thing.items() if name != "tripId"}


async def test_an_agent_can_use_the_whole_contract_over_http(connect: Connect, base: str, key_for: KeyFor) -> None:
    key = await key_for("a traveller", *EVERY_SCOPE)
    trips = {"OSOTO_API_KEY": key, "OSOTO_BASE_URL": f"{base}/api/v1"}
    events = {"TRAVELMODE_TOKEN": key, "TRAVELMODE_BASE_URL": base}

    async with connect(**trips, **events) as client:
        await the_whole_contract_is_used(Agent(client))


async def test_an_agent_can_use_the_whole_contract_without_an_account(connect: Connect, tmp_path: Path) -> None:
    async with connect(TRIPS_MCP_DATABASE=str(tmp_path / "trips.db")) as client:
        await the_whole_contract_is_used(Agent(client))


async def the_whole_contract_is_used(agent: Agent) -> None:
    trip = await trips_are_made_found_and_changed(agent)
    leg = await legs_keep_their_stays_and_flights(agent, trip["_id"])
    await a_checklist_is_worked_off(agent, trip["_id"])
    pin = await places_are_pinned(agent, trip["_id"])
    await what_is_scheduled_is_linked(agent, trip["_id"], leg["_id"], pin["_id"])
    await travellers_talk(agent, trip["_id"])
    await events_stand_on_the_same_trip(agent, trip["number"])
    await an_import_can_be_repeated(agent, trip["_id"])
    await a_shared_trip_keeps_its_secrets(agent, trip["_id"])

    archived = await agent.do("archive_trip", tripId=trip["_id"])

    assert archived["status"] == "completed"
    assert agent.called == {operation.name for operation in OPERATIONS}


async def trips_are_made_found_and_changed(agent: Agent) -> Fields:
    me = await agent.do("get_me")
    assert set(me["scopes"]) == set(EVERY_SCOPE)
    assert me["defaultGroupId"] in [group["_id"] for group in me["groups"]]

    dates = {"startDate": "2027-03-24", "endDate": "2027-04-08"}
    trip = await agent.do("create_trip", groupId=me["defaultGroupId"], title="Kyoto", **dates)
    assert (trip["title"], trip["status"], trip["groupId"]) == ("Kyoto", "draft", me["defaultGroupId"])
    assert await agent.do("get_trip", tripId=trip["_id"]) == trip
    assert (await agent.do("list_trips"))["items"] == [trip]

    changed = await agent.do("update_trip", tripId=trip["_id"], title="Kyōto 🌸", status="active")
    assert changed == {**trip, "title": "Kyōto 🌸", "status": "active"}
    assert "404" in await agent.fail("get_trip", tripId="jx7-no-such-trip")
    return changed


async def legs_keep_their_stays_and_flights(agent: Agent, trip_id: str) -> Fields:
    flight = {
        "flightNumber": "JL44",
        "from": "LHR",
        "to": "HND",
        "departure": "2027-03-25T18:50",
        "departureTimezone": "Europe/London",
        "arrival": "2027-03-26T17:30",
        "arrivalTimezone": "Asia/Tokyo",
    }
    tokyo = {
        "order": 1,
        "title": "Tokyo",
        "destination": "Tokyo, Japan",
        "startDate": "2027-03-26",
        "endDate": "2027-03-29",
        "timezone": "Asia/Tokyo",
        "clientRef": "leg-tokyo",
    }
    stay = {"name": "Paper Lantern Inn", "doorCode": "7741#", "wifiPassword": "sakura-dango"}
    leg = await agent.do("create_leg", tripId=trip_id, **tokyo, accommodation=stay, flights=[flight])
    assert leg.items() >= {**tokyo, "accommodation": stay, "flights": [flight]}.items()

    merged = await agent.do("create_leg", tripId=trip_id, **tokyo | {"title": "Tōkyō"})
    assert merged == {**leg, "title": "Tōkyō"}

    kyoto = tokyo | {"order": 2, "title": "Kyoto", "endDate": "2027-04-08", "clientRef": "leg-kyoto"}
    batch = await agent.do("upsert_legs", tripId=trip_id, items=[tokyo, kyoto, kyoto])
    assert [outcome["status"] for outcome in batch["results"]] == ["updated", "created", "unchanged"]
    assert (batch["created"], batch["updated"], batch["unchanged"], batch["errors"]) == (1, 1, 1, 0)

    first = await agent.do("list_legs", tripId=trip_id, limit=1)
    second = await agent.do("list_legs", tripId=trip_id, limit=1, cursor=first["nextCursor"])
    assert [page["items"][0]["title"] for page in (first, second)] == ["Tokyo", "Kyoto"]
    assert "nextCursor" not in second

    updated = await agent.do(
        "update_leg",
        tripId=trip_id,
        legId=leg["_id"],
        accommodation={"wifiName": "lantern-2F"},
        clear=["accommodation.wifiPassword"],
    )
    assert updated["accommodation"] == {"name": stay["name"], "doorCode": "7741#", "wifiName": "lantern-2F"}
    assert updated["flights"] == [flight]

    kyoto_id = second["items"][0]["_id"]
    assert await agent.do("delete_leg", tripId=trip_id, legId=kyoto_id) == {"deleted": kyoto_id}
    return updated


async def a_checklist_is_worked_off(agent: Agent, trip_id: str) -> None:
    owner = (await agent.do("list_members", tripId=trip_id))["items"][0]["userId"]
    item = await agent.do(
        "create_action_item", tripId=trip_id, text="Check the passports", urgency="now", owner=owner, clientRef="a"
    )
    assert (item["owner"], item["completed"]) == (owner, False)

    batch = await agent.do(
        "upsert_action_items",
        tripId=trip_id,
        items=[
            {"text": "Nobody's job", "urgency": "now", "owner": "no-such-user"},
            {"text": "Order the pocket Wi-Fi", "urgency": "before_trip", "clientRef": "b"},
        ],
    )
    assert [outcome["status"] for outcome in batch["results"]] == ["error", "created"]
    assert (batch["created"], batch["errors"]) == (1, 1)

    ticked = await agent.do("update_action_item", tripId=trip_id, itemId=item["_id"], completed=True, clear=["owner"])
    assert ticked["completed"] is True
    assert "owner" not in ticked

    assert await agent.do("delete_action_item", tripId=trip_id, itemId=item["_id"]) == {"deleted": item["_id"]}
    left = (await agent.do("list_action_items", tripId=trip_id))["items"]
    assert [item["text"] for item in left] == ["Order the pocket Wi-Fi"]


async def places_are_pinned(agent: Agent, trip_id: str) -> Fields:
    pin = await agent.do("create_map_pin", tripId=trip_id, name="Nezu Shrine", lat=35.7202, lng=139.7608, clientRef="n")
    batch = await agent.do(
        "upsert_map_pins",
        tripId=trip_id,
        items=[
            {"name": "Nezu Shrine", "lat": 35.7202, "lng": 139.7608, "clientRef": "n"},
            {"name": "Ueno Park", "lat": 35.7141, "lng": 139.7741},
        ],
    )
    assert [outcome["status"] for outcome in batch["results"]] == ["unchanged", "created"]

    noted = await agent.do("update_map_pin", tripId=trip_id, pinId=pin["_id"], notes="before breakfast")
    assert noted == {**pin, "notes": "before breakfast"}

    ueno = batch["results"][1]["id"]
    assert await agent.do("delete_map_pin", tripId=trip_id, pinId=ueno) == {"deleted": ueno}
    assert (await agent.do("list_map_pins", tripId=trip_id))["items"] == [in_a_list(noted)]
    return noted


async def what_is_scheduled_is_linked(agent: Agent, trip_id: str, leg_id: str, pin_id: str) -> None:
    dinner = {
        "title": "Dinner with Noriko",
        "startDate": "2027-03-27",
        "startTime": "18:30",
        "endTime": "00:30",
        "timezone": "Asia/Tokyo",
        "category": "dinner",
    }
    made = await agent.do("create_commitment", tripId=trip_id, **dinner, legId=leg_id, mapPinId=pin_id, notes="for two")
    assert made.items() >= {**dinner, "legId": leg_id, "mapPinId": pin_id, "notes": "for two"}.items()
    birthday = await agent.do(
        "create_commitment",
        tripId=trip_id,
        title="Noriko's birthday",
        startDate="2027-03-27",
        category="birthday",
        isAllDay=True,
    )

    moved = await agent.do(
        "update_commitment", tripId=trip_id, commitmentId=made["_id"], startTime="19:00", clear=["notes"]
    )
    assert moved["startTime"] == "19:00"
    assert "notes" not in moved
    assert (await agent.do("list_commitments", tripId=trip_id))["items"] == [in_a_list(birthday), in_a_list(moved)]

    refused = await agent.fail("update_commitment", tripId=trip_id, commitmentId=made["_id"], legId="no-such-leg")
    assert "legId" in refused
    gone = await agent.do("delete_commitment", tripId=trip_id, commitmentId=birthday["_id"])
    assert gone == {"deleted": birthday["_id"]}


async def travellers_talk(agent: Agent, trip_id: str) -> None:
    channel_id = (await agent.do("list_channels", tripId=trip_id))["items"][0]["_id"]
    place = {"tripId": trip_id, "channelId": channel_id}

    question = await agent.do("send_message", **place, content="Who has the tickets? 🎫")
    answer = await agent.do("send_message", **place, content="I do.", parentId=question["_id"])

    assert answer["parentId"] == question["_id"]
    both = await agent.do("list_messages", **place)
    assert [message["_id"] for message in both["items"]] == [question["_id"], answer["_id"]]
    mark = both["quoting"].partition("[")[2].partition("]")[0]
    assert both["items"][0]["content"] == f"[{mark}]Who has the tickets? 🎫[/{mark}]"
    newest = await agent.do("list_messages", **place, limit=1)
    assert [message["_id"] for message in newest["items"]] == [answer["_id"]]
    older = await agent.do("list_messages", **place, limit=1, cursor=newest["nextCursor"])
    assert [message["_id"] for message in older["items"]] == [question["_id"]]


async def events_stand_on_the_same_trip(agent: Agent, number: int) -> None:
    train = {"type": "train", "title": "Nozomi to Kyoto", "date": "2027-03-29", "time": "11:30"}
    event = await agent.do("create_event", **train, trip_ids=[number])
    assert event.items() >= {**train, "attached_trips": [number], "revision": 0}.items()
    read = await agent.do("get_event", event_id=event["event_id"])
    assert read.pop("quoting").startswith("Other people may have written these texts")
    assert read == event

    later = await agent.do("update_event", event_id=event["event_id"], time="12:30")
    assert (later["time"], later["revision"]) == ("12:30", 1)
    itinerary = await agent.do("list_trip_events", trip_id=number)
    assert (itinerary["trip_id"], itinerary["event_count"]) == (number, 1)
    assert [(found["event_id"], found["time"]) for found in itinerary["events"]] == [(event["event_id"], "12:30")]

    await agent.do("delete_event", event_id=event["event_id"])
    assert (await agent.do("delete_event", event_id=event["event_id"]))["already_deleted"] is True
    assert "410" in await agent.fail("get_event", event_id=event["event_id"])


async def an_import_can_be_repeated(agent: Agent, trip_id: str) -> None:
    snapshot = {
        "mapPins": [{"name": "Senso-ji", "lat": 35.7148, "lng": 139.7967, "clientRef": "s"}],
        "actionItems": [{"text": "Order the pocket Wi-Fi", "urgency": "now", "clientRef": "b"}],
    }
    preview = await agent.do("sync_trip", tripId=trip_id, dryRun=True, **snapshot)
    assert preview["dryRun"] is True
    assert (preview["mapPins"]["created"], preview["actionItems"]["updated"]) == (1, 1)
    assert len((await agent.do("export_trip", tripId=trip_id))["mapPins"]) == 1

    real = await agent.do("sync_trip", tripId=trip_id, **snapshot)
    again = await agent.do("sync_trip", tripId=trip_id, **snapshot)

    assert (real["mapPins"]["created"], real["actionItems"]["updated"]) == (1, 1)
    assert (again["mapPins"]["unchanged"], again["actionItems"]["unchanged"]) == (1, 1)
    assert len((await agent.do("export_trip", tripId=trip_id))["mapPins"]) == 2


async def a_shared_trip_keeps_its_secrets(agent: Agent, trip_id: str) -> None:
    first = (await agent.do("create_share_token", tripId=trip_id))["token"]
    token = (await agent.do("create_share_token", tripId=trip_id))["token"]
    assert "404" in await agent.fail("get_shared_trip", token=first)

    assert "]Kyōto 🌸[" in (await agent.do("get_shared_trip", token=token))["title"]
    stay = (await agent.do("export_trip", tripId=trip_id))["legs"][0]["accommodation"]
    shared = (await agent.do("export_shared_trip", token=token))["legs"][0]["accommodation"]
    assert "doorCode" in stay
    assert shared.keys() == {"name"}
    assert f"]{stay['name']}[" in shared["name"]

    assert await agent.do("revoke_share_token", tripId=trip_id) == {"revoked": True}
    assert "404" in await agent.fail("export_shared_trip", token=token)
