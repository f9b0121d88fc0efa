"""Identical calls have the same account, operation and values, however the values are written."""

from typing import Any

import pytest

from trips_mcp.client import Endpoint
from trips_mcp.client.endpoint import account_secret
from trips_mcp.client.writes import digest
from trips_mcp.contract.map_pins import CREATE_MAP_PIN, UPDATE_MAP_PIN, CreateMapPin, UpdateMapPin
from trips_mcp.contract.messages import SEND_MESSAGE, SendMessage

URL = "https://trips.test/api/v1"
SECRET = account_secret(Endpoint(URL, "osk_1"))
PIN: dict[str, Any] = {"tripId": "t1", "name": "Inari", "lat": 35.0, "lng": 135.7}


def digest_of(secret: bytes = SECRET, **arguments: Any) -> str:
    return digest(secret, CREATE_MAP_PIN, CreateMapPin.model_validate(PIN | arguments))


def test_the_same_values_in_another_order_are_the_same_call() -> None:
    backwards = CreateMapPin.model_validate(dict(reversed(PIN.items())))

    assert digest(SECRET, CREATE_MAP_PIN, backwards) == digest_of()
    assert digest_of(lat=35) == digest_of()


@pytest.mark.parametrize(
    "other",
    [{"tripId": "t2"}, {"name": "inari"}, {"lat": 35.0001}, {"notes": "At dawn"}, {"name": "Inari\u0301"}],
    ids=str,
)
def test_any_other_value_is_another_call(other: dict[str, Any]) -> None:
    assert digest_of(**other) != digest_of()


def test_another_operation_is_another_call() -> None:
    say = {"trip_id": "t1", "channel_id": "c1"}

    assert digest(SECRET, UPDATE_MAP_PIN, UpdateMapPin(trip_id="t1", pin_id="p1", name="Inari")) != digest_of()
    assert digest(SECRET, SEND_MESSAGE, SendMessage(**say, content="a")) != digest(
        SECRET, SEND_MESSAGE, SendMessage(**say, content="a", parent_id="m1")
    )


@pytest.mark.parametrize(
    "other",
    [
        Endpoint(URL, "osk_2"),
        Endpoint(URL),
        Endpoint("https://other.test/api/v1", "osk_1"),
        Endpoint(URL, "osk_1", account="/home/kim/trips.db"),
    ],
    ids=["key", "no key", "url", "database"],
)
def test_another_account_is_another_call(other: Endpoint) -> None:
    assert digest_of(account_secret(other)) != digest_of()
