"""The names under which the journal keeps calls, and the resources that they change."""

from typing import Any, Final

import anyio
import pytest

from trips_mcp.client import Endpoint
from trips_mcp.client.session import ApiSession
from trips_mcp.client.writes import as_step, digest, digest_of, is_repeatable, made, target
from trips_mcp.contract import OPERATIONS
from trips_mcp.contract.models import Params
from trips_mcp.contract.operation import Operation

OPERATION: Final = {operation.name: operation for operation in OPERATIONS}
SECRET: Final = b"an account's secret"

Call = tuple[Operation[Any, Any], Params]

LEG: Final[dict[str, Any]] = {
    "order": 1,
    "title": "Kyoto",
    "destination": "Kyoto",
    "startDate": "2026-11-01",
    "endDate": "2026-11-03",
    "timezone": "Asia/Tokyo",
}
PIN: Final[dict[str, Any]] = {"name": "Inari", "lat": 35.0, "lng": 135.7}
MINE: Final = {"clientRef": "mine"}
TO_DO: Final[dict[str, Any]] = {"text": "Rail passes", "urgency": "now"}


def call(operation_name: str, /, **arguments: Any) -> Call:
    operation = OPERATION[operation_name]
    return operation, operation.params.model_validate(arguments)


def of_trip(operation_name: str, /, **arguments: Any) -> Call:
    return call(operation_name, tripId="t é:1", **arguments)


def report(*items: tuple[str, str | None]) -> dict[str, Any]:
    """A batch's answer: the status and the id of each item."""
    return {"results": [{"index": at, "status": status, "id": own} for at, (status, own) in enumerate(items)]}


def test_notes_of_an_earlier_version_are_found() -> None:
    """They outlive an update of the program, so that a name once given stays."""
    operation, pin = of_trip("create_map_pin", **PIN, clientRef="mine")
    result = operation.result.model_validate({"_id": "p1"})

    assert digest(SECRET, operation, pin) == "acbbb331d8297b54588da4a161d9bec0e53b3245370afb10dc6d0ed21d4f4ea6"
    assert target(SECRET, operation, pin) == "4b8ad9f4264a64402d90b3fc411d3e356d64478ab4bf5649d53020f11763ed45"
    assert (
        target(SECRET, *of_trip("delete_map_pin", pinId="p1"))
        == "8a18efac8a68ee2956914c5cfebd28a0026985a5ba3665f0467c181d767cd79c"
    )
    assert made(SECRET, operation, pin, result) == ["8a18efac8a68ee2956914c5cfebd28a0026985a5ba3665f0467c181d767cd79c"]


def test_a_call_has_its_own_name_in_each_step_of_a_plan() -> None:
    endpoint = Endpoint("https://trips.test", "osk_key")
    session = ApiSession(endpoint, lambda: 0.0, anyio.sleep)
    write = of_trip("delete_leg", legId="l1")

    def name_in(step: str) -> str:
        with as_step(step):
            return digest_of(session, *write)

    outside = digest_of(session, *write)

    assert outside == digest(session.secret, *write)
    assert len({outside, name_in("plan 3"), name_in("plan 4")}) == 3


def test_equal_arguments_in_another_order_are_the_same_call() -> None:
    """The service keeps unknown fields of a flight, so a client may send any."""
    flight = {"airline": "JL", "deck": "upper", "meal": "none"}
    one = of_trip("create_leg", **LEG, flights=[flight])
    other = of_trip("create_leg", **dict(reversed(LEG.items())), flights=[dict(reversed(flight.items()))])

    assert digest(SECRET, *one) == digest(SECRET, *other)


@pytest.mark.parametrize(
    "other",
    [
        of_trip("update_leg", legId="l1", title="Nara"),
        of_trip("update_leg", legId="l2", title="Kyoto"),
        call("update_leg", tripId="t2", legId="l1", title="Kyoto"),
        of_trip("update_commitment", commitmentId="l1", title="Kyoto"),
    ],
    ids=["other content", "other leg", "other trip", "other operation"],
)
def test_calls_that_differ_have_different_names(other: Call) -> None:
    one = of_trip("update_leg", legId="l1", title="Kyoto")

    assert digest(SECRET, *one) != digest(SECRET, *other)
    assert digest(SECRET, *one) != digest(b"another account's", *one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (of_trip("update_leg", legId="l1", title="Nara"), of_trip("update_leg", legId="l1", title="Kyoto")),
        (of_trip("update_leg", legId="l1", title="Nara"), of_trip("delete_leg", legId="l1")),
        (of_trip("create_share_token"), of_trip("revoke_share_token")),
        (of_trip("update_trip", title="Kansai"), of_trip("archive_trip")),
        (of_trip("create_map_pin", **PIN, clientRef="mine"), of_trip("create_map_pin", **PIN | MINE, notes="At dawn")),
        (call("update_event", event_id=7, title="Udon"), call("delete_event", event_id=7)),
    ],
)
def test_writes_to_one_resource_have_one_target(one: Call, other: Call) -> None:
    assert target(SECRET, *one) == target(SECRET, *other) is not None
    assert target(SECRET, *one) != target(b"another account's", *one)


def test_each_resource_is_a_target_of_its_own() -> None:
    targets = [
        target(SECRET, *of_trip("update_leg", legId="l1", title="Nara")),
        target(SECRET, *of_trip("update_leg", legId="l2", title="Nara")),
        target(SECRET, *call("update_leg", tripId="t2", legId="l1", title="Nara")),
        target(SECRET, *of_trip("update_map_pin", pinId="l1", name="Nara")),
        target(SECRET, *of_trip("create_map_pin", **PIN, clientRef="mine")),
        target(SECRET, *of_trip("create_map_pin", **PIN, clientRef="yours")),
        target(SECRET, *of_trip("create_leg", **LEG, clientRef="mine")),
        target(SECRET, *of_trip("create_share_token")),
        target(SECRET, *of_trip("archive_trip")),
    ]

    assert None not in targets
    assert len({*targets}) == len(targets)


@pytest.mark.parametrize(
    "creation",
    [
        of_trip("create_map_pin", **PIN),
        of_trip("upsert_map_pins", items=[PIN | {"clientRef": "mine"}]),
        of_trip("send_message", channelId="c1", content="Hello"),
    ],
)
def test_what_has_no_name_yet_is_no_target(creation: Call) -> None:
    assert target(SECRET, *creation) is None


@pytest.mark.parametrize(
    ("write", "answer", "later"),
    [
        (of_trip("create_map_pin", **PIN), {"_id": "p é:1"}, [of_trip("delete_map_pin", pinId="p é:1")]),
        (of_trip("create_leg", **LEG), {"_id": "l1"}, [of_trip("update_leg", legId="l1", title="Nara")]),
        (
            call("create_event", type="food", title="Ramen", date="2026-11-01"),
            {"event_id": 7},
            [call("delete_event", event_id=7)],
        ),
        (
            of_trip("upsert_legs", items=[LEG] * 4),
            report(("created", "l1"), ("unchanged", "l2"), ("error", None), ("updated", "l4")),
            [of_trip("delete_leg", legId=own) for own in ("l1", "l4")],
        ),
        (
            of_trip("sync_trip", legs=[LEG] * 2, actionItems=[TO_DO], mapPins=[PIN] * 2),
            {
                "legs": report(("created", "l1"), ("unchanged", "l2")),
                "actionItems": report(("created", "a1")),
                "mapPins": report(("updated", "p1"), ("error", None)),
            },
            [
                of_trip("delete_leg", legId="l1"),
                of_trip("delete_action_item", itemId="a1"),
                of_trip("delete_map_pin", pinId="p1"),
            ],
        ),
        (of_trip("sync_trip", legs=[LEG]), {"legs": report(("created", "l1"))}, [of_trip("delete_leg", legId="l1")]),
        (of_trip("create_share_token"), {"token": "s1"}, []),
        (of_trip("update_leg", legId="l1", title="Nara"), {"_id": "l1"}, []),
        (of_trip("create_map_pin", **PIN), {}, []),
        (call("create_event", type="food", title="Ramen", date="2026-11-01"), {}, []),
    ],
)
def test_what_a_write_made_is_named_as_later_writes_name_it(
    write: Call, answer: dict[str, Any], later: list[Call]
) -> None:
    operation, params = write
    result = operation.result.model_validate(answer)

    assert made(SECRET, operation, params, result) == [target(SECRET, *one) for one in later]


@pytest.mark.parametrize(
    ("write", "repeatable"),
    [
        (of_trip("update_leg", legId="l1", title="Nara"), True),
        (of_trip("delete_leg", legId="l1"), True),
        (of_trip("create_leg", **LEG), False),
        (of_trip("create_leg", **LEG | MINE), True),
        (of_trip("upsert_legs", items=[LEG | MINE, LEG]), False),
        (of_trip("upsert_legs", items=[LEG | MINE, LEG | {"clientRef": "yours"}]), True),
        (of_trip("sync_trip", legs=[LEG | MINE], mapPins=[PIN]), False),
        (of_trip("sync_trip", legs=[LEG | MINE], mapPins=[PIN | MINE]), True),
        (of_trip("sync_trip", mapPins=[PIN | MINE]), True),
        (of_trip("sync_trip"), False),
        (of_trip("send_message", channelId="c1", content="Hello"), False),
        (of_trip("create_share_token"), False),
    ],
)
def test_a_write_is_repeatable_where_each_item_names_itself(write: Call, repeatable: bool) -> None:
    assert is_repeatable(*write) is repeatable
