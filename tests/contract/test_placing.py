"""`gather` returns the parameters that `place` put into a request."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trips_mcp.contract.events import CREATE_EVENT, UPDATE_EVENT, CreateEvent, UpdateEvent
from trips_mcp.contract.legs import LIST_LEGS, UPDATE_LEG, Accommodation, ListLegs, UpdateLeg
from trips_mcp.contract.models import Update
from trips_mcp.contract.operation import MisplacedError, Operation, gather, location, place
from trips_mcp.contract.trips import SYNC_TRIP, SyncTrip


def there_and_back(operation: Operation[Any, Any], params: Any, path: dict[str, str]) -> Any:
    placed = place(operation, params)
    query = {name: str(value).lower() for name, value in placed.query.items()}
    fields = gather(operation, path, query, placed.body or {})
    return operation.params.model_validate(fields, strict=True, by_name=False)


def test_path_values_are_percent_encoded() -> None:
    assert place(LIST_LEGS, ListLegs(trip_id="a b?c#d")).path == "/trips/a%20b%3Fc%23d/legs"


def test_a_reads_fields_stand_in_the_query() -> None:
    placed = place(LIST_LEGS, ListLegs(trip_id="t", limit=5))

    assert (placed.query, placed.body) == ({"limit": 5}, None)
    assert there_and_back(LIST_LEGS, ListLegs(trip_id="t", limit=5), {"tripId": "t"}).limit == 5


def test_a_dry_run_is_asked_for_in_the_query() -> None:
    params = SyncTrip(trip_id="t", dry_run=True, legs=[])

    placed = place(SYNC_TRIP, params)

    assert (placed.query, placed.body) == ({"dryRun": True}, {"legs": []})
    assert there_and_back(SYNC_TRIP, params, {"tripId": "t"}) == params


def test_an_events_trips_are_nested_under_attach() -> None:
    params = CreateEvent(type="food", title="x", date="2026-11-02", trip_ids=[1, 2])

    placed = place(CREATE_EVENT, params)

    assert placed.body is not None
    assert placed.body["attach"] == {"trip_ids": [1, 2]}
    assert there_and_back(CREATE_EVENT, params, {}) == params
    assert location(CREATE_EVENT, "trip_ids.0") == ["attach", "trip_ids", "0"]


def test_cleared_fields_travel_as_nulls() -> None:
    params = UpdateLeg(
        trip_id="t",
        leg_id="l",
        accommodation=Accommodation(name="Ryokan"),
        clear=["accommodation.doorCode", "rentalCar"],
    )

    placed = place(UPDATE_LEG, params)

    assert placed.body == {"accommodation": {"name": "Ryokan", "doorCode": None}, "rentalCar": None}
    assert there_and_back(UPDATE_LEG, params, {"tripId": "t", "legId": "l"}) == params


def test_clearing_an_object_and_a_part_of_it_is_one_null() -> None:
    for paths in (["accommodation", "accommodation.doorCode"], ["accommodation.doorCode", "accommodation"]):
        params = UpdateLeg(trip_id="t", leg_id="l", clear=paths)
        assert place(UPDATE_LEG, params).body == {"accommodation": None}


def test_clearing_an_events_trips_is_a_null_under_attach() -> None:
    params = UpdateEvent(event_id=1, clear=["trip_ids"])

    assert place(UPDATE_EVENT, params).body == {"attach": {"trip_ids": None}}
    assert there_and_back(UPDATE_EVENT, params, {"event_id": "1"}) == params


@pytest.mark.parametrize(
    ("operation", "query", "body", "path"),
    [
        (UPDATE_LEG, {}, {"tripId": "other"}, "tripId"),
        (UPDATE_LEG, {}, {"clear": ["notes"]}, "clear"),
        (UPDATE_LEG, {"title": "x"}, {}, "title"),
        (SYNC_TRIP, {}, {"dryRun": True}, "dryRun"),
        (CREATE_EVENT, {}, {"trip_ids": [1]}, "trip_ids"),
        (CREATE_EVENT, {}, {"attach": {"trips": [1]}}, "attach.trips"),
        (CREATE_EVENT, {}, {"attach": [1]}, "attach"),
    ],
)
def test_a_field_in_the_wrong_place_is_named(
    operation: Operation[Any, Any], query: dict[str, str], body: dict[str, Any], path: str
) -> None:
    with pytest.raises(MisplacedError) as refused:
        gather(operation, {"tripId": "t", "legId": "l"} if "trips" in operation.path else {}, query, body)

    assert [fault.path for fault in refused.value.faults] == [path]


@given(st.sets(st.sampled_from(["accommodation.doorCode", "accommodation.notes", "flights", "clientRef"])))
def test_any_set_of_cleared_fields_comes_back(cleared: set[str]) -> None:
    params = UpdateLeg(trip_id="t", leg_id="l", clear=sorted(cleared))

    back = there_and_back(UPDATE_LEG, params, {"tripId": "t", "legId": "l"})

    assert isinstance(back, Update)
    assert set(back.clear if isinstance(back.clear, list) else []) == cleared
