"""Every method of every resource, once, on the embedded backend."""

import pytest

from trips_mcp.client import GoneError, InvalidError, NotFoundError, TripsClient
from trips_mcp.contract.action_items import (
    ActionItemItem,
    CreateActionItem,
    UpdateActionItem,
    UpsertActionItems,
)
from trips_mcp.contract.commitments import CreateCommitment, UpdateCommitment
from trips_mcp.contract.events import CreateEvent, UpdateEvent
from trips_mcp.contract.legs import Accommodation, CreateLeg, LegItem, UpdateLeg, UpsertLegs
from trips_mcp.contract.map_pins import CreateMapPin, MapPinItem, UpdateMapPin, UpsertMapPins
from trips_mcp.contract.messages import SendMessage
from trips_mcp.contract.trips import CreateTrip, SyncTrip, Trip, UpdateTrip


async def new_trip(client: TripsClient) -> Trip:
    group = (await client.me()).default_group_id
    assert group is not None
    return await client.trips.create(
        CreateTrip(group_id=group, title="Kyoto", start_date="2026-11-01", end_date="2026-11-09")
    )


def leg(order: int, title: str) -> LegItem:
    return LegItem(
        order=order,
        title=title,
        destination="Kyoto",
        start_date="2026-11-01",
        end_date="2026-11-03",
        timezone="Asia/Tokyo",
        accommodation=Accommodation(name="Ryokan", door_code="1234"),
        client_ref=title,
    )


async def test_trips(trips: TripsClient) -> None:
    made = await new_trip(trips)

    renamed = await trips.trips.update(UpdateTrip(trip_id=made.id, title="Kyoto & Nara"))
    listed = await trips.trips.list()
    archived = await trips.trips.archive(made.id)

    assert renamed.title == "Kyoto & Nara"
    assert [trip.id for trip in listed.items] == [made.id]
    assert archived.status == "completed"
    assert (await trips.trips.get(made.id)).status == "completed"
    assert [trip.id async for trip in trips.iterate_trips()] == [made.id]


async def test_legs(trips: TripsClient) -> None:
    trip = await new_trip(trips)

    made = await trips.legs.create(CreateLeg(trip_id=trip.id, **dict(leg(1, "Gion"))))
    batch = await trips.legs.upsert(UpsertLegs(trip_id=trip.id, items=[leg(1, "Gion"), leg(2, "Nara")]))
    changed = await trips.legs.update(
        UpdateLeg(trip_id=trip.id, leg_id=made.id, title="Higashiyama", clear=["accommodation.doorCode"])
    )
    gone = await trips.legs.delete(trip.id, made.id)

    assert (batch.created, batch.unchanged, batch.errors) == (1, 1, 0)
    assert changed.accommodation is not None
    assert (changed.accommodation.name, changed.accommodation.door_code) == ("Ryokan", None)
    assert gone.deleted == made.id
    assert [left.title for left in (await trips.legs.list(trip.id)).items] == ["Nara"]


async def test_legs_are_followed_over_pages(trips: TripsClient) -> None:
    trip = await new_trip(trips)
    for start in range(0, 120, 40):
        items = [leg(order, f"Leg {order}") for order in range(start, start + 40)]
        await trips.legs.upsert(UpsertLegs(trip_id=trip.id, items=items))

    first = await trips.legs.list(trip.id, limit=7)

    assert len(first.items) == 7
    assert first.next_cursor is not None
    second = await trips.legs.list(trip.id, limit=7, cursor=first.next_cursor)
    assert [found.title for found in second.items] == [f"Leg {order}" for order in range(7, 14)]
    assert [found.order async for found in trips.iterate_legs(trip.id)] == list(range(120))


async def test_action_items(trips: TripsClient) -> None:
    trip = await new_trip(trips)

    made = await trips.action_items.create(CreateActionItem(trip_id=trip.id, text="Passport", urgency="now"))
    items = [ActionItemItem(text="Rail pass", urgency="before_trip")]
    batch = await trips.action_items.upsert(UpsertActionItems(trip_id=trip.id, items=items))
    done = await trips.action_items.update(UpdateActionItem(trip_id=trip.id, item_id=made.id, completed=True))
    gone = await trips.action_items.delete(trip.id, made.id)

    assert batch.created == 1
    assert done.completed is True
    assert gone.deleted == made.id
    assert [item.text for item in (await trips.action_items.list(trip.id)).items] == ["Rail pass"]
    assert [item.text async for item in trips.iterate_action_items(trip.id)] == ["Rail pass"]


async def test_commitments(trips: TripsClient) -> None:
    trip = await new_trip(trips)

    for title in ("Kaiseki", "Tea"):
        made = await trips.commitments.create(
            CreateCommitment(trip_id=trip.id, title=title, start_date="2026-11-02", category="dinner")
        )
    changed = await trips.commitments.update(
        UpdateCommitment(trip_id=trip.id, commitment_id=made.id, start_time="19:00")
    )
    page = await trips.commitments.list(trip.id, limit=1)
    gone = await trips.commitments.delete(trip.id, made.id)

    assert changed.start_time == "19:00"
    assert page.next_cursor is not None
    assert gone.deleted == made.id
    assert [left.title async for left in trips.iterate_commitments(trip.id)] == ["Kaiseki"]


async def test_map_pins(trips: TripsClient) -> None:
    trip = await new_trip(trips)

    made = await trips.map_pins.create(CreateMapPin(trip_id=trip.id, name="Inari", lat=34.967, lng=135.773))
    items = [MapPinItem(name="Kiyomizu", lat=34.995, lng=135.785)]
    batch = await trips.map_pins.upsert(UpsertMapPins(trip_id=trip.id, items=items))
    changed = await trips.map_pins.update(UpdateMapPin(trip_id=trip.id, pin_id=made.id, notes="At dawn"))
    gone = await trips.map_pins.delete(trip.id, made.id)

    assert batch.created == 1
    assert (changed.lat, changed.notes) == (34.967, "At dawn")
    assert gone.deleted == made.id
    assert [pin.name for pin in (await trips.map_pins.list(trip.id)).items] == ["Kiyomizu"]
    assert [pin.name async for pin in trips.iterate_map_pins(trip.id)] == ["Kiyomizu"]


async def test_messages(trips: TripsClient) -> None:
    trip = await new_trip(trips)
    [channel] = (await trips.channels.list(trip.id)).items

    sent = [
        await trips.messages.send(SendMessage(trip_id=trip.id, channel_id=channel.id, content=f"Message {number}"))
        for number in range(60)
    ]
    page = await trips.messages.list(trip.id, channel.id, limit=2)

    assert sent[-1].content == "Message 59"
    assert [message.content for message in page.items] == ["Message 58", "Message 59"]
    assert [found.id async for found in trips.iterate_channels(trip.id)] == [channel.id]
    assert [message.content async for message in trips.iterate_messages(trip.id, channel.id)] == [
        f"Message {number}" for number in reversed(range(60))
    ]


async def test_members(trips: TripsClient) -> None:
    trip = await new_trip(trips)
    me = await trips.me()
    assert me.user is not None

    assert [member.user_id for member in (await trips.members.list(trip.id)).items] == [me.user.id]
    assert [member.user_id async for member in trips.iterate_members(trip.id)] == [me.user.id]


async def test_shares_show_no_door_code(trips: TripsClient) -> None:
    trip = await new_trip(trips)
    await trips.legs.upsert(UpsertLegs(trip_id=trip.id, items=[leg(1, "Gion")]))

    token = (await trips.shares.create(trip.id)).token
    shown = await trips.shares.get(token)
    snapshot = await trips.shares.export(token)
    revoked = await trips.shares.revoke(trip.id)

    assert shown.title == "Kyoto"
    assert "Ryokan" in snapshot.model_dump_json()
    assert "1234" not in snapshot.model_dump_json()
    assert revoked.revoked
    with pytest.raises(NotFoundError):
        await trips.shares.get(token)


async def test_events(trips: TripsClient) -> None:
    trip = await new_trip(trips)
    assert trip.number is not None

    made = await trips.events.create(CreateEvent(type="food", title="Ramen", date="2026-11-02", trip_ids=[trip.number]))
    assert made.event_id is not None
    changed = await trips.events.update(UpdateEvent(event_id=made.event_id, time="12:30"))
    found = await trips.events.get(made.event_id)
    itinerary = await trips.events.list(trip.number)
    listed = [event.event_id async for event in trips.iterate_trip_events(trip.number)]
    await trips.events.delete(made.event_id)
    again = await trips.events.delete(made.event_id)

    assert (changed.time, changed.revision) == ("12:30", 1)
    assert found.title == "Ramen"
    assert [event.event_id for event in itinerary.events] == listed == [made.event_id]
    assert again.already_deleted is True
    with pytest.raises(GoneError):
        await trips.events.get(made.event_id)


async def test_a_snapshot_goes_in_and_comes_out(trips: TripsClient) -> None:
    trip = await new_trip(trips)
    pins = [MapPinItem(name="Inari", lat=34.967, lng=135.773)]

    preview = await trips.trips.sync(SyncTrip(trip_id=trip.id, dry_run=True, legs=[leg(1, "Gion")], map_pins=pins))
    before = await trips.trips.export(trip.id)
    real = await trips.trips.sync(SyncTrip(trip_id=trip.id, legs=[leg(1, "Gion")], map_pins=pins))
    after = await trips.trips.export(trip.id)

    assert preview.legs is not None
    assert real.legs is not None
    assert (preview.dry_run, preview.legs.created, before.legs) == (True, 1, [])
    assert (real.dry_run, real.legs.created) == (False, 1)
    assert [found.title for found in after.legs] == ["Gion"]
    assert [pin.name for pin in after.map_pins] == ["Inari"]


async def test_a_refusal_names_every_fault_and_the_request(trips: TripsClient) -> None:
    trip = await new_trip(trips)

    with pytest.raises(InvalidError) as caught:
        await trips.commitments.create(
            CreateCommitment(
                trip_id=trip.id,
                title="Tea",
                start_date="2026-11-02",
                category="other",
                leg_id="no-leg",
                map_pin_id="no-pin",
            )
        )

    assert caught.value.code == "VALIDATION_ERROR"
    assert {fault.path for fault in caught.value.details} == {"legId", "mapPinId"}
    assert caught.value.request_id


async def test_a_missing_item_is_not_found(trips: TripsClient) -> None:
    with pytest.raises(NotFoundError):
        await trips.trips.get("no-trip")
