"""Secrets are masked and revealed one at a time, and a mask that is sent back never removes or replaces one."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from trips_mcp.client import TripsClient
from trips_mcp.contract.fields import MASK, SECRETS
from trips_mcp.tools import Answer
from trips_mcp.tools.call_context import Conduct

from .services import Service, calls_on

Call = Callable[..., Awaitable[Answer]]
Do = Callable[..., Awaitable[dict[str, Any]]]

MASKING = Conduct(mask_secrets=True)
STAY = {
    "name": "Ryokan",
    "doorCode": "K4711",
    "wifiName": "guests",
    "wifiPassword": "hunter2",
    "hostPhone": "+81 3 1234",
    "confirmationNumber": "STAY-9",
    "checkInInstructions": "Key under the third stone",
}
OUT = {
    "flightNumber": "NH 212",
    "from": "LHR",
    "departure": "2026-11-01T09:30",
    "departureTimezone": "Europe/London",
    "confirmationNumber": "AAA111",
}
BACK = {
    "flightNumber": "NH 211",
    "from": "HND",
    "departure": "2026-11-05T11:00",
    "departureTimezone": "Asia/Tokyo",
    "confirmationNumber": "BBB222",
}
CAR = {"company": "Oku", "confirmationNumber": "CAR-7"}
LEG: dict[str, Any] = {
    "order": 0,
    "title": "Gion",
    "destination": "Kyoto",
    "startDate": "2026-11-01",
    "endDate": "2026-11-05",
    "timezone": "Asia/Tokyo",
    "clientRef": "gion",
}
FULL = {**LEG, "accommodation": STAY, "flights": [OUT, BACK], "rentalCar": CAR}
VALUES = ("K4711", "hunter2", "+81 3 1234", "STAY-9", "third stone", "AAA111", "BBB222", "CAR-7")


def masked(thing: dict[str, Any]) -> dict[str, Any]:
    return {name: MASK if name in SECRETS else value for name, value in thing.items()}


@pytest.fixture
def call(trips: TripsClient) -> Call:
    """On a server that masks secrets."""
    return calls_on(trips, MASKING)


@pytest.fixture
async def stored(trips: TripsClient, trip_id: str) -> Callable[[], Awaitable[dict[str, Any]]]:
    """The trip's only leg as it is, unmasked."""

    async def stored() -> dict[str, Any]:
        answer = await calls_on(trips)("list_legs", tripId=trip_id)
        assert answer.structured is not None
        (leg,) = answer.structured["items"]
        return leg

    return stored


Stored = Callable[[], Awaitable[dict[str, Any]]]


def writing(tool: str, leg: dict[str, Any]) -> dict[str, Any]:
    """The tool's arguments that write this leg."""
    match tool:
        case "create_leg":
            return leg
        case "upsert_legs":
            return {"items": [{**LEG, "clientRef": "another", "title": "Edo"}, leg]}
        case _:
            return {"legs": [leg], "mapPins": [{"name": "x", "lat": 1, "lng": 2}]}


async def test_secrets_are_masked_wherever_a_leg_is_read(call: Call, do: Do, trip_id: str) -> None:
    leg = await do("create_leg", tripId=trip_id, **FULL)
    changed = await do("update_leg", tripId=trip_id, legId=leg["_id"], title="Gion East")
    answers = [
        await call("list_legs", tripId=trip_id),
        await call("list_legs", tripId=trip_id, fields=["accommodation.doorCode", "flights"]),
        await call("export_trip", tripId=trip_id),
        await call("get_timeline", tripId=trip_id),
        await call("get_day", tripId=trip_id, date="2026-11-01"),
        await call("check_trip", tripId=trip_id),
        await call("search_trip", tripId=trip_id, query="Gion"),
    ]

    assert leg["accommodation"] == masked(STAY)
    assert changed["flights"] == [masked(OUT), masked(BACK)]
    assert changed["rentalCar"] == masked(CAR)
    told = json.dumps([leg, changed]) + "".join(a.text + json.dumps(a.structured, ensure_ascii=False) for a in answers)
    assert not [value for value in VALUES if value in told]


@pytest.mark.parametrize("words", ["K4711", "hunter2", "AAA111", "third stone", "STAY-9"])
async def test_a_search_does_not_find_what_is_masked(call: Call, do: Do, trip_id: str, words: str) -> None:
    await do("create_leg", tripId=trip_id, **FULL)

    answer = await call("search_trip", tripId=trip_id, query=words)

    assert answer.structured is not None
    assert not answer.structured.get("hits")


async def test_secrets_in_objects_nobody_knows_are_masked_too() -> None:
    leg = {
        "_id": "l1",
        "title": "Gion",
        "accommodation": {"name": "Ryokan", "annex": {"wifi_password": "hunter2", "beds": 2}},
        "parking": [{"doorCode": 815, "level": "B1"}, {"doorCode": ""}],
    }
    async with Service({"/trips/t/legs": {"items": [leg]}}).called(MASKING) as call:
        usual = await call("list_legs", tripId="t")
        asked = await call("list_legs", tripId="t", fields=["parking"])
        secret = await call("get_secret", tripId="t", legId="l1", path="accommodation.annex.wifi_password")
        wrong = await call("get_secret", tripId="t", legId="l1", path="accommodation.name")

    assert usual.structured is not None
    stay = {"name": "Ryokan", "annex": {"wifi_password": MASK, "beds": 2}}
    assert usual.structured["items"] == [{"_id": "l1", "title": "Gion", "accommodation": stay}]
    assert asked.structured is not None
    assert asked.structured["items"] == [{"_id": "l1", "parking": [{"doorCode": MASK, "level": "B1"}, {}]}]
    assert secret.structured == {"path": "accommodation.annex.wifi_password", "value": "hunter2"}
    assert wrong.text == (
        "The leg has no secret at this path; it has accommodation.annex.wifi_password, parking.0.doorCode."
    )


async def test_without_masking_everything_is_shown(trips: TripsClient, trip_id: str) -> None:
    answer = await calls_on(trips)("create_leg", tripId=trip_id, **FULL)

    assert answer.structured is not None
    assert answer.structured["accommodation"] == STAY
    assert MASK not in answer.text


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("accommodation.doorCode", "K4711"),
        ("accommodation.checkInInstructions", "Key under the third stone"),
        ("flights.1.confirmationNumber", "BBB222"),
        ("rentalCar.confirmationNumber", "CAR-7"),
    ],
)
async def test_secrets_are_revealed_one_at_a_time(do: Do, trip_id: str, path: str, value: str) -> None:
    leg = await do("create_leg", tripId=trip_id, **FULL)

    assert await do("get_secret", tripId=trip_id, legId=leg["_id"], path=path) == {"path": path, "value": value}


@pytest.mark.parametrize(
    "path", ["doorCode", "accommodation", "accommodation.name", "flights.2.confirmationNumber", "."]
)
async def test_a_wrong_path_is_answered_with_the_right_ones(call: Call, do: Do, trip_id: str, path: str) -> None:
    leg = await do("create_leg", tripId=trip_id, **FULL)

    answer = await call("get_secret", tripId=trip_id, legId=leg["_id"], path=path)

    assert answer.is_error
    assert answer.text == (
        "The leg has no secret at this path; it has accommodation.confirmationNumber, accommodation.hostPhone, "
        "accommodation.wifiPassword, accommodation.doorCode, accommodation.checkInInstructions, "
        "flights.0.confirmationNumber, flights.1.confirmationNumber, rentalCar.confirmationNumber."
    )
    assert not [value for value in VALUES if value in answer.text]


async def test_a_leg_without_secrets_and_a_missing_leg_have_different_errors(call: Call, do: Do, trip_id: str) -> None:
    leg = await do("create_leg", tripId=trip_id, **LEG)

    none = await call("get_secret", tripId=trip_id, legId=leg["_id"], path="accommodation.doorCode")
    nowhere = await call("get_secret", tripId=trip_id, legId="leg_0", path="accommodation.doorCode")

    assert (none.is_error, none.text) == (True, "This leg has no secrets.")
    assert (nowhere.is_error, nowhere.text) == (
        True,
        "The trip has no leg with this legId; look it up with list_legs.",
    )


async def test_a_leg_that_is_read_and_written_back_keeps_its_secrets(do: Do, stored: Stored, trip_id: str) -> None:
    leg = await do("create_leg", tripId=trip_id, **FULL)

    await do(
        "update_leg",
        tripId=trip_id,
        legId=leg["_id"],
        accommodation={**leg["accommodation"], "name": "Ryokan East"},
        flights=[{**leg["flights"][1], "seat": "12A"}, leg["flights"][0]],
        rentalCar=leg["rentalCar"],
    )

    now = await stored()
    assert now["accommodation"] == {**STAY, "name": "Ryokan East"}
    assert now["flights"] == [{**BACK, "seat": "12A"}, OUT]
    assert now["rentalCar"] == CAR


async def test_a_mask_is_never_stored_where_masking_is_off_either(
    trips: TripsClient, stored: Stored, trip_id: str
) -> None:
    call = calls_on(trips)
    leg = (await call("create_leg", tripId=trip_id, **FULL)).structured
    assert leg is not None

    answer = await call("update_leg", tripId=trip_id, legId=leg["_id"], accommodation={"doorCode": MASK})

    assert not answer.is_error
    assert (await stored())["accommodation"] == STAY


async def test_one_secret_is_changed_and_the_masked_ones_stay(do: Do, stored: Stored, trip_id: str) -> None:
    leg = await do("create_leg", tripId=trip_id, **FULL)

    await do("update_leg", tripId=trip_id, legId=leg["_id"], accommodation={**masked(STAY), "doorCode": "0000"})
    await do("update_leg", tripId=trip_id, legId=leg["_id"], clear=["accommodation.hostPhone"])

    stay = (await stored())["accommodation"]
    assert stay == {name: value for name, value in {**STAY, "doorCode": "0000"}.items() if name != "hostPhone"}


async def test_flights_keep_their_secrets_by_number_and_departure_else_by_place(
    do: Do, stored: Stored, trip_id: str
) -> None:
    leg = await do("create_leg", tripId=trip_id, **FULL)
    later = {**masked(BACK), "departure": "2026-11-05T15:00"}

    await do("update_leg", tripId=trip_id, legId=leg["_id"], flights=[masked(OUT), later])
    moved = await stored()
    await do("update_leg", tripId=trip_id, legId=leg["_id"], flights=[later])

    assert moved["flights"] == [OUT, {**later, "confirmationNumber": "BBB222"}]
    assert (await stored())["flights"] == [{**later, "confirmationNumber": "BBB222"}]


@pytest.mark.parametrize(
    "flights",
    [
        [masked({**OUT, "flightNumber": "XX 1"})],
        [masked(OUT), masked(BACK), {"flightNumber": "NH 999", "confirmationNumber": MASK}],
        [masked(BACK), masked({**OUT, "departure": "2026-12-24T09:30"})],
    ],
    ids=["another flight", "one more", "in the place of one that moved"],
)
async def test_an_ambiguous_flight_is_refused_and_nothing_written(
    call: Call, do: Do, stored: Stored, trip_id: str, flights: list[dict[str, Any]]
) -> None:
    leg = await do("create_leg", tripId=trip_id, **FULL)

    answer = await call("update_leg", tripId=trip_id, legId=leg["_id"], title="x", flights=flights)

    assert answer.is_error
    assert answer.text.startswith(f"flights.{len(flights) - 1}.confirmationNumber holds the mask of a secret")
    assert answer.text.endswith("leave it out or give the real value. Nothing was sent.")
    assert (await stored())["title"] == "Gion"


async def test_masked_flights_of_a_leg_that_is_not_there_are_refused(call: Call, trip_id: str) -> None:
    answer = await call("update_leg", tripId=trip_id, legId="leg_0", flights=[masked(OUT)])

    assert answer.is_error
    assert answer.text == (
        "flights.0.confirmationNumber: the mask stands for nothing, as there is no such leg; leave it out or give the "
        "real value. Nothing was sent."
    )


async def test_a_leg_keeps_its_secrets_beside_a_new_flight_and_a_new_leg(
    do: Do, trips: TripsClient, trip_id: str
) -> None:
    await do("create_leg", tripId=trip_id, **{**LEG, "clientRef": "another", "order": -1})
    leg = await do("create_leg", tripId=trip_id, **FULL)
    new = {"flightNumber": "NH 999", "departure": "2026-11-03T08:00", "confirmationNumber": "CCC333"}

    await do("update_leg", tripId=trip_id, legId=leg["_id"], flights=[new, masked(BACK)])
    await do("create_leg", tripId=trip_id, **{**LEG, "accommodation": masked(STAY)})

    answer = await calls_on(trips)("list_legs", tripId=trip_id)
    assert answer.structured is not None
    (now,) = (found for found in answer.structured["items"] if found["_id"] == leg["_id"])
    assert (now["flights"], now["accommodation"]) == ([new, BACK], STAY)


async def test_a_mask_for_an_absent_secret_is_dropped(do: Do, stored: Stored, trip_id: str) -> None:
    leg = await do("create_leg", tripId=trip_id, **LEG, accommodation={"name": "Ryokan"})

    await do(
        "update_leg",
        tripId=trip_id,
        legId=leg["_id"],
        accommodation={"name": "Ryokan", "doorCode": MASK},
        rentalCar={"confirmationNumber": MASK},
    )

    now = await stored()
    assert now["accommodation"] == {"name": "Ryokan"}
    assert "rentalCar" not in now


@pytest.mark.parametrize("tool", ["create_leg", "upsert_legs", "sync_trip"])
async def test_a_known_client_ref_keeps_what_is_there(do: Do, trips: TripsClient, trip_id: str, tool: str) -> None:
    leg = await do("create_leg", tripId=trip_id, **FULL)
    back = {name: value for name, value in leg.items() if name not in ("_id", "tripId")}

    await do(tool, tripId=trip_id, **writing(tool, {**back, "title": "Gion East"}))

    answer = await calls_on(trips)("list_legs", tripId=trip_id)
    assert answer.structured is not None
    (now,) = (found for found in answer.structured["items"] if found["_id"] == leg["_id"])
    assert {name: now[name] for name in FULL} == {**FULL, "title": "Gion East"}


@pytest.mark.parametrize(
    ("tool", "path"),
    [
        ("create_leg", "accommodation.doorCode"),
        ("upsert_legs", "items.1.accommodation.doorCode"),
        ("sync_trip", "legs.0.accommodation.doorCode"),
    ],
)
@pytest.mark.parametrize("ref", [{"clientRef": "nobody's"}, {}])
async def test_a_mask_without_a_leg_is_refused_and_nothing_written(
    call: Call, do: Do, trip_id: str, tool: str, path: str, ref: dict[str, str]
) -> None:
    leg = {name: value for name, value in LEG.items() if name != "clientRef"}
    leg = {**leg, **ref, "accommodation": {"name": "Ryokan", "doorCode": MASK}}

    answer = await call(tool, tripId=trip_id, **writing(tool, leg))

    assert answer.is_error
    assert answer.text == (
        f"{path} holds the mask of a secret, and no leg with this clientRef is there to have one: leave it out or give "
        "the real value. Nothing was sent."
    )
    assert (await do("list_legs", tripId=trip_id)) == {"items": []}


@pytest.mark.parametrize(
    ("tool", "arguments", "path"),
    [
        ("create_map_pin", {"name": "Inari", "lat": 35, "lng": 135, "notes": f"Door: {MASK}"}, "notes"),
        ("create_action_item", {"text": MASK, "urgency": "now"}, "text"),
        ("create_leg", {**LEG, "accommodation": {"notes": f"code {MASK}"}}, "accommodation.notes"),
        ("upsert_map_pins", {"items": [{"name": MASK, "lat": 35, "lng": 135}]}, "items.0.name"),
    ],
)
async def test_a_mask_where_no_secret_belongs_is_refused(
    call: Call, do: Do, trip_id: str, tool: str, arguments: dict[str, Any], path: str
) -> None:
    before = await do("export_trip", tripId=trip_id)

    answer = await call(tool, tripId=trip_id, **arguments)

    assert answer.is_error
    assert answer.text.startswith(f"{path} holds the mask of a secret")
    assert await do("export_trip", tripId=trip_id) == before


@pytest.mark.parametrize("tool", ["create_leg", "upsert_legs", "sync_trip"])
@pytest.mark.parametrize("unknown", [{"wifi_password": MASK}, {"annex": {"wifi_password": MASK}}])
async def test_a_mask_in_an_unknown_field_is_not_sent(tool: str, unknown: dict[str, Any]) -> None:
    service = Service({"/trips/t/legs": {"items": [{"_id": "l1", **FULL}]}})

    async with service.called(MASKING) as call:
        answer = await call(tool, tripId="t", **writing(tool, {**LEG, "accommodation": {**masked(STAY), **unknown}}))

    assert answer.is_error
    assert f"accommodation.{next(iter(unknown))}: unknown field" in answer.text
    assert service.asked == []


async def test_writing_a_leg_back_twice_changes_it_once(do: Do, stored: Stored, trip_id: str) -> None:
    leg = await do("create_leg", tripId=trip_id, **FULL)
    edit: dict[str, Any] = {"tripId": trip_id, "legId": leg["_id"], "flights": leg["flights"], "title": "Gion East"}

    first = await do("update_leg", **edit)

    assert await do("update_leg", **edit) == first
    assert (await stored())["flights"] == [OUT, BACK]


@pytest.mark.parametrize(
    "guessed",
    [
        {"accommodation": {"doorCode": "K4711"}},
        {"accommodation": {"wifiPassword": "hunter2", "doorCode": MASK}},
        {"rentalCar": {"confirmationNumber": "CAR-7"}},
        {"flights": [OUT, {**BACK, "confirmationNumber": MASK}]},
    ],
)
async def test_a_preview_does_not_confirm_a_guessed_secret(
    call: Call, do: Do, trip_id: str, guessed: dict[str, Any]
) -> None:
    await do("create_leg", tripId=trip_id, **FULL)
    wrong = json.loads(json.dumps(guessed).replace("K4711", "4712").replace("hunter2", "x").replace("CAR-7", "CAR-8"))
    wrong = json.loads(json.dumps(wrong).replace("AAA111", "AAA112"))

    answers = [
        await call("sync_trip", tripId=trip_id, dryRun=True, legs=[{**LEG, **leg}, {**LEG, "clientRef": "new"}])
        for leg in (guessed, wrong)
    ]

    assert not answers[0].is_error
    assert answers[0].structured == answers[1].structured
    assert answers[0].structured is not None
    assert answers[0].structured["legs"]["updated"] == 1
    assert answers[0].structured["legs"]["created"] == 1
    assert answers[0].structured["remarks"] == [
        "Secrets are masked here, so a leg that is there and is sent with one counts as updated."
    ]


async def test_a_preview_without_secrets_reports_unchanged_legs(call: Call, do: Do, trip_id: str) -> None:
    leg = await do("create_leg", tripId=trip_id, **FULL)
    as_shown = {name: value for name, value in leg.items() if name not in ("_id", "tripId")}

    for same in (LEG, as_shown):
        told = await do("sync_trip", tripId=trip_id, dryRun=True, legs=[same])
        assert (told["legs"]["unchanged"], "remarks" in told) == (1, False)


async def test_where_nothing_is_masked_a_preview_compares_secrets(trips: TripsClient, trip_id: str) -> None:
    call = calls_on(trips)
    await call("create_leg", tripId=trip_id, **FULL)

    answer = await call("sync_trip", tripId=trip_id, dryRun=True, legs=[FULL])

    assert answer.structured is not None
    assert answer.structured["legs"]["unchanged"] == 1


async def test_outside_a_preview_the_report_is_the_services(call: Call, do: Do, trip_id: str) -> None:
    await do("create_leg", tripId=trip_id, **FULL)

    told = await do("sync_trip", tripId=trip_id, legs=[FULL])

    assert (told["legs"]["unchanged"], "remarks" in told) == (1, False)


NEW = {**LEG, "clientRef": "new"}
GIVEN = {**LEG, "accommodation": {"doorCode": "K4711"}}


@pytest.mark.parametrize(
    ("report", "shown"),
    [
        (
            {"results": [{"status": "created", "id": "l2"}, {"status": "unchanged", "id": "l1"}], "created": 1},
            {"statuses": ["created", "updated"], "created": 1, "updated": 1, "unchanged": -1},
        ),
        (
            {
                "results": [
                    {"index": 1, "status": "unchanged", "id": "l1"},
                    {"index": 0, "status": "unchanged", "id": "l2"},
                ],
                "updated": 3,
                "unchanged": 2,
            },
            {"statuses": ["updated", "unchanged"], "updated": 4, "unchanged": 1},
        ),
        (
            {"results": [{"index": 0, "status": "created"}, {"index": 1, "status": "updated", "id": "l1"}]},
            {"statuses": ["created", "updated"]},
        ),
    ],
    ids=["places and numbers untold", "in another order", "nothing to hide"],
)
async def test_a_preview_is_read_as_the_service_tells_it(report: dict[str, Any], shown: dict[str, Any]) -> None:
    service = Service({"/trips/t/sync": {"dryRun": True, "legs": report}})

    async with service.called(MASKING) as call:
        answer = await call("sync_trip", tripId="t", dryRun=True, legs=[NEW, GIVEN])

    assert answer.structured is not None
    told = answer.structured["legs"]
    found = {name: told[name] for name in ("created", "updated", "unchanged") if name in told}
    assert {"statuses": [each["status"] for each in told["results"]], **found} == shown


async def test_a_preview_of_other_things_is_passed_on_whatever_it_says_of_legs() -> None:
    legs = {"results": [{"index": 0, "status": "unchanged", "id": "l1"}]}
    service = Service(
        {"/trips/t/sync": {"dryRun": True, "legs": legs, "mapPins": {"results": [{"status": "created"}]}}}
    )

    async with service.called(MASKING) as call:
        answer = await call("sync_trip", tripId="t", dryRun=True, mapPins=[{"name": "x", "lat": 1, "lng": 2}])

    assert answer.structured is not None
    assert answer.structured["legs"]["results"][0]["status"] == "unchanged"
    assert "remarks" not in answer.structured


async def sent(tool: str, stored: dict[str, Any] | None, **arguments: Any) -> list[tuple[str, Any]]:
    """The requests of this call, on a service with one leg or none."""
    legs = [] if stored is None else [{"_id": "l1", **stored}]

    def listed_or_made(query: dict[str, str]) -> dict[str, Any]:
        return {"items": legs} if query else LEG

    service = Service({"/trips/t/legs": listed_or_made, "/trips/t/legs/l1": LEG})
    async with service.called(MASKING) as call:
        await call(tool, tripId="t", **arguments)
    return [(each.method, json.loads(each.content) if each.content else None) for each in service.asked]


async def test_a_mask_in_what_is_merged_is_left_out_without_looking() -> None:
    changed = await sent("update_leg", FULL, legId="l1", accommodation={"name": "Inn", "doorCode": MASK})

    assert changed == [("PATCH", {"accommodation": {"name": "Inn"}})]
    assert await sent("update_leg", FULL, legId="l1", title="x", rentalCar={"confirmationNumber": MASK}) == [
        ("PATCH", {"title": "x"})
    ]


async def test_a_service_that_replaces_a_leg_is_sent_its_secrets_too() -> None:
    looked, (method, body) = await sent("create_leg", FULL, **{**FULL, "accommodation": masked(STAY)})

    assert looked[0] == "GET"
    assert (method, body["accommodation"]) == ("POST", STAY)


async def test_a_mask_without_a_client_ref_is_refused_without_looking() -> None:
    leg = {name: value for name, value in LEG.items() if name != "clientRef"}

    assert await sent("create_leg", FULL, **leg, rentalCar=masked(CAR)) == []


async def test_the_secrets_of_a_leg_on_a_later_page_are_found() -> None:
    other = {**LEG, "_id": "l0", "clientRef": "other"}

    def page(query: dict[str, str]) -> dict[str, Any]:
        if "limit" not in query:
            return LEG
        return {"items": [{**FULL, "_id": "l1"}]} if "cursor" in query else {"items": [other], "nextCursor": "next"}

    service = Service({"/trips/t/legs": page})
    async with service.called(MASKING) as call:
        await call("create_leg", tripId="t", **{**LEG, "flights": [masked(BACK)]})

    assert [each.method for each in service.asked] == ["GET", "GET", "POST"]
    assert json.loads(service.asked[2].content)["flights"] == [BACK]


async def test_a_mask_of_an_empty_secret_is_left_out() -> None:
    emptied = [{**OUT, "confirmationNumber": ""}]
    *_, (_, body) = await sent("update_leg", {**FULL, "flights": emptied}, legId="l1", flights=[masked(OUT)])

    assert body == {"flights": [{name: value for name, value in OUT.items() if name != "confirmationNumber"}]}


async def test_two_seats_on_one_flight_are_matched_by_position() -> None:
    seats = [OUT, {**OUT, "confirmationNumber": "SECOND"}]
    *_, (_, body) = await sent("update_leg", {**FULL, "flights": seats}, legId="l1", flights=list(map(masked, seats)))

    assert body == {"flights": seats}


@pytest.mark.parametrize("spelt", ["NH212", "nh 212", " NH 2 12 "])
async def test_a_flight_number_matches_in_any_spelling(spelt: str) -> None:
    flights = [masked({**OUT, "flightNumber": spelt})]
    *_, (_, body) = await sent("update_leg", FULL, legId="l1", flights=flights)

    assert body == {"flights": [{**OUT, "flightNumber": spelt}]}


@pytest.mark.parametrize("missing", ["flightNumber", "departure"])
async def test_a_flight_without_a_number_or_departure_is_matched_by_position(missing: str) -> None:
    unknown = {name: value for name, value in OUT.items() if name != missing}
    *_, (_, body) = await sent("update_leg", {**FULL, "flights": [unknown]}, legId="l1", flights=[masked(unknown)])
    refused = await sent("update_leg", FULL, legId="l1", flights=[masked(unknown)])

    assert body == {"flights": [unknown]}
    assert [method for method, _ in refused] == ["GET"]


@pytest.mark.parametrize("mask", [MASK, MASK.partition(" ")[0], f" {MASK} "])
async def test_a_mask_is_recognised_by_its_dots(call: Call, trip_id: str, mask: str) -> None:
    flights = [OUT, {**BACK, "confirmationNumber": mask}]

    answer = await call("update_leg", tripId=trip_id, legId="leg_0", flights=flights)

    assert answer.text.startswith("flights.1.confirmationNumber: the mask stands for nothing")
