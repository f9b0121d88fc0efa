"""Every write is recorded with the items before and after, at the cost of one read a minute."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import anyio
import httpx
import pytest

from trips_mcp.client import TripsClient
from trips_mcp.client.errors import MissingScopeError, OutcomeUnknownError, TripsError
from trips_mcp.client.outcome import Outcome
from trips_mcp.contract import OPERATIONS
from trips_mcp.contract.trips import CreateTrip
from trips_mcp.history import ChangeQuery, ItemChange, MemoryHistory, Origin, RecordedChange, made_by

BY_NAME = {operation.name: operation for operation in OPERATIONS}
LEG = {
    "order": 1,
    "title": "Kyoto",
    "destination": "Kyoto",
    "startDate": "2027-04-01",
    "endDate": "2027-04-05",
    "timezone": "Asia/Tokyo",
}
ClientOf = Callable[..., Awaitable[TripsClient]]


class Network(Protocol):
    sent: list[str]
    fails: Callable[[httpx.Request], bool]
    loses: Callable[[httpx.Request], bool]

    @property
    def reads(self) -> int: ...


class Time(Protocol):
    now: float


PIN = {"name": "Market", "lat": 35.0, "lng": 135.7}


async def call(client: TripsClient, tool: str, **arguments: Any) -> Any:
    return (await outcome(client, tool, **arguments)).result


async def outcome(client: TripsClient, tool: str, **arguments: Any) -> Outcome[Any]:
    operation = BY_NAME[tool]
    return await client.outcome(operation, operation.params.model_validate(arguments))


async def new_trip(client: TripsClient) -> str:
    group = (await client.me()).default_group_id or ""
    trip = CreateTrip(group_id=group, title="Japan", start_date="2027-04-01", end_date="2027-04-20")
    return (await client.call(BY_NAME["create_trip"], trip)).id


async def changes(client: TripsClient) -> list[RecordedChange]:
    return await client.history.changes(ChangeQuery(accounts=tuple(client.accounts)))


async def newest(client: TripsClient) -> RecordedChange:
    return (await changes(client))[0]


async def test_a_created_item_is_recorded_as_it_was_answered(trips: TripsClient) -> None:
    trip = await new_trip(trips)
    leg = await call(trips, "create_leg", tripId=trip, **LEG, accommodation={"name": "Inn", "doorCode": "K4711"})

    change = await newest(trips)

    assert (change.tool, change.trip, change.state, change.undone) == ("create_leg", trip, "done", False)
    assert change.arguments["accommodation"] == {"name": "Inn", "doorCode": "K4711"}
    [item] = change.items
    assert (item.kind, item.id, item.before, item.before_is_known) == ("leg", leg.id, None, True)
    assert item.after == {"_id": leg.id, "tripId": trip, **LEG, "accommodation": {"name": "Inn", "doorCode": "K4711"}}


async def test_an_update_is_recorded_with_the_item_before_and_the_fields_it_named(trips: TripsClient) -> None:
    trip = await new_trip(trips)
    leg = await call(trips, "create_leg", tripId=trip, **LEG, accommodation={"name": "Inn", "doorCode": "K4711"})
    await call(
        trips,
        "update_leg",
        tripId=trip,
        legId=leg.id,
        title="Nara",
        accommodation={"doorCode": "K1234"},
        clear=["accommodation.name"],
    )

    [item] = (await newest(trips)).items

    assert item.before is not None
    assert item.after is not None
    assert (item.before["title"], item.before["accommodation"]) == ("Kyoto", {"name": "Inn", "doorCode": "K4711"})
    assert (item.after["title"], item.after["accommodation"]) == ("Nara", {"doorCode": "K1234"})
    assert item.fields == ("title", "accommodation.doorCode", "accommodation.name")


async def test_a_deletion_is_recorded_with_the_commitments_that_it_unlinks(trips: TripsClient) -> None:
    trip = await new_trip(trips)
    leg = await call(trips, "create_leg", tripId=trip, **LEG)
    dinner = await call(
        trips, "create_commitment", tripId=trip, title="Dinner", startDate="2027-04-02", category="dinner", legId=leg.id
    )
    await call(trips, "delete_leg", tripId=trip, legId=leg.id)

    gone, unlinked = (await newest(trips)).items

    assert (gone.kind, gone.id, gone.after) == ("leg", leg.id, None)
    assert gone.before is not None
    assert gone.before["title"] == "Kyoto"
    assert (unlinked.kind, unlinked.id, unlinked.fields) == ("commitment", dinner.id, ("legId",))


async def test_a_batch_is_recorded_item_by_item(trips: TripsClient) -> None:
    trip = await new_trip(trips)
    known = await call(trips, "create_map_pin", tripId=trip, **PIN, clientRef="a")
    await call(
        trips,
        "upsert_map_pins",
        tripId=trip,
        items=[PIN | {"name": "Shop", "clientRef": "a"}, PIN],
    )

    updated, created = (await newest(trips)).items

    assert updated.id == known.id
    assert updated.before is not None
    assert updated.after is not None
    assert (updated.before["name"], updated.after["name"]) == ("Market", "Shop")
    assert (created.before, created.before_is_known) == (None, True)
    assert created.after == (await call(trips, "export_trip", tripId=trip)).map_pins[1].model_dump(
        mode="json", exclude={"trip_id"}, exclude_none=True
    )


async def test_a_creation_that_merged_by_its_client_ref_is_an_update(trips: TripsClient) -> None:
    trip = await new_trip(trips)
    await call(trips, "create_map_pin", tripId=trip, **PIN, clientRef="a")
    await call(trips, "create_map_pin", tripId=trip, **PIN | {"notes": "early"}, clientRef="a")

    [item] = (await newest(trips)).items

    assert item.before is not None
    assert "notes" not in item.before
    assert item.after is not None
    assert item.after["notes"] == "early"


async def test_what_changes_nothing_and_what_fails_leaves_no_change(trips: TripsClient) -> None:
    trip = await new_trip(trips)
    await call(trips, "update_trip", tripId=trip, title="Japan")
    with pytest.raises(TripsError):
        await call(trips, "delete_leg", tripId=trip, legId="nothing")

    assert [change.tool for change in await changes(trips)] == ["create_trip"]


async def test_a_plan_says_why_a_write_is_made(trips: TripsClient) -> None:
    trip = await new_trip(trips)
    made = await newest(trips)
    with made_by(Origin(plan="p1", undoes=made.id, replaces="old")):
        await call(trips, "update_trip", tripId=trip, title="Nippon")

    undo, undone = await changes(trips)

    assert (undo.plan, undo.undoes, undo.replaces) == ("p1", made.id, "old")
    assert undone.undone


async def test_a_token_is_never_recorded(trips: TripsClient) -> None:
    trip = await new_trip(trips)
    token = (await call(trips, "create_share_token", tripId=trip)).token

    assert token not in repr([(replace(change, account="").items, change.arguments) for change in await changes(trips)])
    assert ItemChange(kind="share_token", id="", after={}) in (await newest(trips)).items


async def test_an_event_is_recorded_with_its_trips(trips: TripsClient) -> None:
    trip = await new_trip(trips)
    number = (await call(trips, "get_trip", tripId=trip)).number
    event = await call(trips, "create_event", type="food", title="Ramen", date="2027-04-02", trip_ids=[number])
    await call(trips, "update_event", event_id=event.event_id, title="Udon")
    await call(trips, "delete_event", event_id=event.event_id)

    deleted, updated, created, _ = await changes(trips)

    assert {change.numbers for change in (deleted, updated, created)} == {(number,)}
    assert deleted.items[0].before is not None
    assert (deleted.items[0].before["title"], deleted.items[0].before["attached_trips"]) == ("Udon", [number])
    assert updated.items[0].before is not None
    assert updated.items[0].before["title"] == "Ramen"


async def test_a_burst_of_edits_costs_one_read_and_creations_none(
    client_of: ClientOf, network: Network, time: Time
) -> None:
    client = await client_of()
    trip = await new_trip(client)
    network.sent.clear()
    pins = [(await call(client, "create_map_pin", tripId=trip, **PIN)).id for _ in range(10)]
    assert network.reads == 0

    async with anyio.create_task_group() as tasks:
        for at, pin in enumerate(pins):
            tasks.start_soon(
                lambda pin=pin, at=at: call(client, "update_map_pin", tripId=trip, pinId=pin, name=f"n{at}")
            )
    for pin in pins:
        await call(client, "update_map_pin", tripId=trip, pinId=pin, notes="seen")
    await call(client, "update_trip", tripId=trip, title="Nippon")
    assert network.reads == 1
    assert [change.items[0].before["name"] for change in (await changes(client))[1:11] if change.items[0].before] == [
        f"n{at}" for at in reversed(range(10))
    ]

    time.now += 61
    await call(client, "delete_map_pin", tripId=trip, pinId=pins[0])
    assert network.reads == 2


async def test_an_export_that_somebody_read_is_the_read(client_of: ClientOf, network: Network) -> None:
    client = await client_of()
    trip = await new_trip(client)
    pin = (await call(client, "create_map_pin", tripId=trip, **PIN)).id
    await call(client, "export_trip", tripId=trip)
    network.sent.clear()

    await call(client, "update_map_pin", tripId=trip, pinId=pin, name="Shop")

    assert network.sent == [f"PATCH {pin}"]


async def test_a_burst_of_events_costs_two_reads(client_of: ClientOf, network: Network) -> None:
    client = await client_of()
    trip = await new_trip(client)
    number = (await call(client, "get_trip", tripId=trip)).number
    events = [
        (await call(client, "create_event", type="food", title="Ramen", date="2027-04-02", trip_ids=[number])).event_id
        for _ in range(8)
    ]
    other = await client_of()  # which has seen none of them
    network.sent.clear()

    for event in events:
        await call(other, "update_event", event_id=event, title="Udon")

    assert network.reads == 2
    assert [change.items[0].before["title"] for change in (await changes(other))[:8] if change.items[0].before] == [
        "Ramen"
    ] * 8


async def test_if_the_read_fails_the_write_is_made_and_says_that_it_cannot_be_undone(
    client_of: ClientOf, network: Network
) -> None:
    client = await client_of()
    trip = await new_trip(client)
    pin = (await call(client, "create_map_pin", tripId=trip, **PIN)).id
    network.fails = lambda request: request.method == "GET"

    for name in ("Shop", "Stall"):
        done = await outcome(client, "update_map_pin", tripId=trip, pinId=pin, name=name)
        assert done.result.name == name
        assert done.notes == ()  # list_changes and plan_undo say that it cannot be undone

    [item] = (await newest(client)).items
    assert (item.before, item.before_is_known) == (None, False)
    assert sum(sent == "GET export" for sent in network.sent) < 10  # the second write did not try again


async def test_a_key_that_may_not_read_writes_without_reading(client_of: ClientOf, network: Network) -> None:
    client = await client_of()
    trip = await new_trip(client)
    pin = (await call(client, "create_map_pin", tripId=trip, **PIN)).id
    writer = await client_of(scopes=["trips:write"])
    network.sent.clear()

    done = await outcome(writer, "update_map_pin", tripId=trip, pinId=pin, name="Shop")

    assert network.reads == 0
    assert done.notes == ()
    with pytest.raises(MissingScopeError):
        await call(await client_of(scopes=["trips:read"]), "update_map_pin", tripId=trip, pinId=pin, name="Shop")


async def test_a_history_that_fails_fails_no_write(client_of: ClientOf, file: Path) -> None:
    put_a_folder(file)
    client = await client_of()

    trip = await new_trip(client)
    done = await outcome(client, "update_trip", tripId=trip, title="Nippon")

    assert done.result.title == "Nippon"
    assert f"This change cannot be undone: the history file {file} cannot be used (it is not a file" in done.notes[0]


def put_a_folder(file: Path) -> None:
    file.mkdir(parents=True)


async def test_without_a_history_nothing_is_read_and_nothing_is_said(client_of: ClientOf, network: Network) -> None:
    client = await client_of(MemoryHistory(records=False))
    trip = await new_trip(client)
    network.sent.clear()

    done = await outcome(client, "update_trip", tripId=trip, title="Nippon")

    assert (network.sent, done.notes) == ([f"PATCH {trip}"], ())


def posts(request: httpx.Request) -> bool:
    return request.method == "POST"


async def test_an_unknown_write_is_recorded_as_such_and_completed_by_the_next_call(
    client_of: ClientOf, network: Network, time: Time
) -> None:
    client = await client_of()
    trip = await new_trip(client)
    network.loses = posts
    with pytest.raises(OutcomeUnknownError):
        await call(client, "create_map_pin", tripId=trip, **PIN)
    network.loses = lambda _: False

    unknown = await newest(client)
    assert (unknown.state, unknown.items[0].id, unknown.items[0].after) == ("unknown", "", PIN)

    again = await client_of()  # another process
    pin = await call(again, "create_map_pin", tripId=trip, **PIN)

    [completed, _] = await changes(again)
    assert (completed.id, completed.state, completed.items[0].id) == (unknown.id, "done", pin.id)


async def test_an_update_that_is_completed_later_has_the_item_of_before(client_of: ClientOf, network: Network) -> None:
    client = await client_of()
    trip = await new_trip(client)
    pin = (await call(client, "create_map_pin", tripId=trip, **PIN)).id
    network.loses = lambda request: request.method == "PATCH"
    with pytest.raises(OutcomeUnknownError):
        await call(client, "update_map_pin", tripId=trip, pinId=pin, name="Shop")
    network.loses = lambda _: False
    done = await outcome(client, "update_map_pin", tripId=trip, pinId=pin, name="Shop")

    assert "completed an earlier call" in done.notes[0]
    change = await newest(client)
    assert len(await changes(client)) == 3
    [item] = change.items
    assert item.before is not None
    assert item.after is not None
    assert (change.state, item.before["name"], item.after["name"]) == ("done", "Market", "Shop")


async def test_an_update_whose_outcome_is_unknown_is_about_its_item_alone(
    client_of: ClientOf, network: Network
) -> None:
    client = await client_of()
    trip = await new_trip(client)
    leg = (await call(client, "create_leg", tripId=trip, **LEG)).id
    dinner = {"title": "Dinner", "startDate": "2027-04-02", "category": "dinner"}
    await call(client, "create_commitment", tripId=trip, **dinner, legId=leg)
    network.loses = lambda request: request.method == "PATCH"
    with pytest.raises(OutcomeUnknownError):
        await call(client, "update_leg", tripId=trip, legId=leg, title="Kyōto")

    change = await newest(client)
    assert change.state == "unknown"
    assert [item.id for item in change.items] == [leg], "only a deletion unlinks commitments"


@pytest.mark.parametrize("ref", [{}, {"clientRef": "b"}], ids=["no clientRef", "a new clientRef"])
async def test_a_creation_that_is_completed_later_did_not_exist_before(
    ref: dict[str, str], client_of: ClientOf, network: Network
) -> None:
    """However the second call reads the trip, which has what the first one created."""
    client = await client_of()
    trip = await new_trip(client)
    known = await call(client, "create_map_pin", tripId=trip, **PIN, clientRef="a")
    for tool, arguments in (
        ("upsert_map_pins", {"items": [PIN | ref, PIN | {"name": "Shop", "clientRef": "a"}]}),
        ("create_map_pin", PIN | {"name": "Stall"} | ({"clientRef": "c"} if ref else {})),
    ):
        network.loses = posts
        with pytest.raises(OutcomeUnknownError):
            await call(client, tool, tripId=trip, **arguments)
        network.loses = lambda _: False
        client = await client_of()  # another process
        await call(client, "export_trip", tripId=trip)
        await call(client, tool, tripId=trip, **arguments)

    single, batch, *_ = await changes(client)

    assert [(item.before, item.before_is_known) for item in single.items] == [(None, True)]
    by_id = {item.id: item for item in batch.items}
    updated = by_id.pop(known.id)
    [created] = by_id.values()
    assert updated.before is not None
    assert updated.before["name"] == "Market"
    assert (created.before, created.before_is_known) == (None, True)


async def test_a_deletion_that_is_completed_later_still_knows_what_it_unlinked(
    client_of: ClientOf, network: Network
) -> None:
    client = await client_of()
    trip = await new_trip(client)
    leg = await call(client, "create_leg", tripId=trip, **LEG)
    await call(
        client, "create_commitment", tripId=trip, title="Tea", startDate="2027-04-02", category="other", legId=leg.id
    )
    network.loses = lambda request: request.method == "DELETE"
    with pytest.raises(OutcomeUnknownError):
        await call(client, "delete_leg", tripId=trip, legId=leg.id)
    network.loses = lambda _: False
    again = await client_of()  # another process
    await call(again, "delete_leg", tripId=trip, legId=leg.id)

    assert [(item.kind, item.fields) for item in (await newest(again)).items] == [
        ("leg", ()),
        ("commitment", ("legId",)),
    ]


async def test_a_cancelled_write_is_unknown(client_of: ClientOf, network: Network) -> None:
    client = await client_of()
    trip = await new_trip(client)
    with anyio.CancelScope() as scope:

        def cancels(request: httpx.Request) -> bool:
            scope.cancel()
            return False

        network.fails = cancels
        await call(client, "create_map_pin", tripId=trip, **PIN)

    assert (await newest(client)).state == "unknown"
