"""Errors of the client in the words that a model reads."""

from typing import Any

import pytest

from trips_mcp.client.errors import (
    MissingScopeError,
    OutcomeUnknownError,
    ServerFaultError,
    TripsError,
    UnavailableError,
)
from trips_mcp.contract.events import CREATE_EVENT, DELETE_EVENT, UPDATE_EVENT
from trips_mcp.contract.legs import CREATE_LEG, DELETE_LEG, UPDATE_LEG, UPSERT_LEGS
from trips_mcp.contract.messages import SEND_MESSAGE
from trips_mcp.contract.operation import Operation
from trips_mcp.contract.trips import CREATE_TRIP, LIST_TRIPS, SYNC_TRIP, UPDATE_TRIP
from trips_mcp.tools import TOOLS
from trips_mcp.tools.error_text import advice, where_to_check

LOOKUPS = {tool.name: tool.lookup for tool in TOOLS}


def said(error: TripsError, operation: Operation[Any, Any]) -> str:
    return advice(error, operation.name, where_to_check(error, LOOKUPS[operation.name]), operation.reads)


@pytest.mark.parametrize(
    ("operation", "safe", "lookup"),
    [
        (SEND_MESSAGE, "it will not be sent twice", "list_messages"),
        (CREATE_TRIP, "it will not be created twice", "list_trips"),
        (UPDATE_TRIP, "it will not be changed twice", "get_trip"),
        (SYNC_TRIP, "it will not be written twice", "export_trip"),
        (CREATE_LEG, "it will not be created twice", "list_legs"),
        (UPDATE_LEG, "it will not be changed twice", "list_legs"),
        (UPSERT_LEGS, "it will not be written twice", "list_legs"),
        (DELETE_LEG, "it will not be done twice", "list_legs"),
        (DELETE_EVENT, "it will not be done twice", "get_event"),
        (CREATE_EVENT, "it first looks whether the event is there", "list_trip_events"),
        (UPDATE_EVENT, "it is only done if the event has not changed since", "get_event"),
    ],
    ids=lambda value: value.name if isinstance(value, Operation) else "",
)
def test_an_unknown_outcome_comes_with_a_safe_next_step(operation: Operation[Any, Any], safe: str, lookup: str) -> None:
    assert said(OutcomeUnknownError(operation), operation) == (
        f"Outcome unknown: the service did not answer. Calling {operation.name} again with the same arguments is safe: "
        f"{safe}. To check: {lookup}."
    )


def test_no_text_advises_an_unsafe_repetition() -> None:
    error = OutcomeUnknownError(CREATE_EVENT, "the service failed (500)", repeatable=False)

    assert said(error, CREATE_EVENT) == (
        "Outcome unknown: the service failed (500). Do not simply call create_event again. To check: list_trip_events."
    )


def test_the_wait_is_named_in_whole_seconds() -> None:
    unknown = OutcomeUnknownError(SEND_MESSAGE, retry_after=12.3)
    down = UnavailableError(LIST_TRIPS, "no connection could be made", sent=False, retry_after=1.0)

    assert said(unknown, SEND_MESSAGE).endswith("To check: list_messages. Wait 13 seconds before that.")
    assert said(down, LIST_TRIPS).endswith("call list_trips again in a moment. Wait 1 second before that.")


def test_a_service_that_says_when_to_come_back_is_not_asked_in_a_moment() -> None:
    down = ServerFaultError(LIST_TRIPS, status=503, code="DOWN", retry_after=86_400)
    lost = ServerFaultError(CREATE_TRIP, status=503, code="DOWN", retry_after=60)

    assert said(down, LIST_TRIPS).endswith("Nothing was changed: wait 86400 seconds, then call list_trips again.")
    assert said(lost, CREATE_TRIP).endswith("before calling it again. Wait 60 seconds before that.")


def test_a_missing_scope_is_named_with_how_to_get_it() -> None:
    text = said(MissingScopeError(SEND_MESSAGE, "messages:write"), SEND_MESSAGE)

    assert text.startswith("send_message needs the scope messages:write")
    assert "Settings → API Keys" in text
    assert "Nothing was sent." in text
