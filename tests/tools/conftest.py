"""Tools called as the server calls them, on a fresh embedded backend."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from trips_mcp.client import TripsClient
from trips_mcp.connect import twin
from trips_mcp.tools.call_context import Conduct

from .services import Call, calls_on


@pytest.fixture
def call(trips: TripsClient) -> Call:
    """Any answer, errors too."""
    return calls_on(trips, Conduct(twin=twin))


@pytest.fixture
def do(call: Call) -> Callable[..., Awaitable[dict[str, Any]]]:
    """The structured content of a call that must succeed."""

    async def do(tool: str, /, **arguments: Any) -> dict[str, Any]:
        answer = await call(tool, **arguments)
        assert not answer.is_error, answer.text
        assert answer.structured is not None
        return answer.structured

    return do


Do = Callable[..., Awaitable[dict[str, Any]]]


@pytest.fixture
async def trip_id(do: Do) -> str:
    me = await do("get_me")
    trip = await do(
        "create_trip",
        groupId=me["defaultGroupId"],
        title="Kyoto",
        startDate="2026-11-01",
        endDate="2026-11-10",
    )
    return trip["_id"]
