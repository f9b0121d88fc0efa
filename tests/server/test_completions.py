"""Completions while the user types: ids of trips by their titles, and dates of a trip."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import anyio.lowlevel
import pytest
from mcp import Client, MCPError
from mcp.types import INVALID_PARAMS, Completion, PromptReference, ResourceTemplateReference

from trips_mcp.client import CannotConnectError, TripsClient
from trips_mcp.server.resource_handlers import FRESH_SECONDS, TripCache
from trips_mcp.server.server import build_server

if TYPE_CHECKING:
    from .conftest import Service

ERAS = pytest.mark.parametrize("mode", ["auto", "legacy"])
ITINERARY = ResourceTemplateReference(uri="trips://{tripId}")
DAY = ResourceTemplateReference(uri="trips://{tripId}/day/{date}")
BRIEFING = PromptReference(name="daily_briefing")

TRIPS = [
    {"_id": "jx7kyoto", "title": "Kyōto in autumn", "startDate": "2026-11-01", "endDate": "2026-11-05"},
    {"_id": "jx7oslo", "title": "OSLO", "startDate": "2027-02-01", "endDate": "2027-02-03"},
    {"_id": "k9", "title": "From Oslo to Kyōto", "startDate": "2026-12-01", "endDate": "2026-12-24"},
    {"_id": "k10"},
]


@pytest.fixture
def service(service: "Service") -> "Service":
    service.trips = [*TRIPS]
    return service


async def completed(
    service: "Service", ref: Any, argument: str, typed: str, mode: Any = "auto", /, trip: str | None = None, **env: str
) -> Completion:
    async with Client(build_server(service.offer(**env)), mode=mode) as agent:
        beside = None if trip is None else {"tripId": trip}
        return (await agent.complete(ref, {"name": argument, "value": typed}, beside)).completion


@ERAS
@pytest.mark.parametrize("ref", [ITINERARY, DAY, BRIEFING, PromptReference(name="import_booking")])
@pytest.mark.parametrize(
    ("typed", "ids"),
    [
        ("", ["jx7oslo", "k9", "jx7kyoto", "k10"]),
        ("oslo", ["jx7oslo", "k9"]),
        ("AUTUMN", ["jx7kyoto"]),
        ("JX7", ["jx7oslo", "jx7kyoto"]),
        ("k1", ["k10"]),
        ("lima", []),
    ],
)
async def test_a_trip_is_found_by_its_title_or_the_beginning_of_its_id(
    ref: Any, typed: str, ids: list[str], mode: Any, service: "Service"
) -> None:
    found = await completed(service, ref, "tripId", typed, mode)

    assert (found.values, found.total, found.has_more) == (ids, len(ids), False)


@ERAS
@pytest.mark.parametrize(("ref", "argument"), [(DAY, "date"), (BRIEFING, "day")])
@pytest.mark.parametrize(
    ("typed", "dates"),
    [
        ("", ["2026-11-01", "2026-11-02", "2026-11-03", "2026-11-04", "2026-11-05"]),
        ("2026-11-04", ["2026-11-04"]),
        ("tue", ["2026-11-03"]),
        ("Sunday", ["2026-11-01"]),
        ("2027", []),
    ],
)
async def test_a_date_is_one_of_the_trip_that_was_named(
    ref: Any, argument: str, typed: str, dates: list[str], mode: Any, service: "Service"
) -> None:
    found = await completed(service, ref, argument, typed, mode, trip="jx7kyoto")

    assert (found.values, found.total, found.has_more) == (dates, len(dates), False)


@pytest.mark.parametrize("trip", [None, "nope", "k10"])
async def test_without_a_trip_that_has_dates_there_is_nothing_to_offer(trip: str | None, service: "Service") -> None:
    found = await completed(service, DAY, "date", "2026", trip=trip)

    assert found.values == []


@pytest.mark.parametrize(
    ("start", "end", "total"),
    [
        ("2026-01-01", "2026-12-31", 365),
        ("2026-01-01", "9999-12-31", 1000),
        ("2026-01-02", "2026-01-01", 0),
        ("x", "y", 0),
    ],
)
async def test_at_most_a_hundred_dates_of_a_long_trip_are_offered(
    start: str, end: str, total: int, service: "Service"
) -> None:
    service.trips = [{"_id": "k9", "startDate": start, "endDate": end}]

    found = await completed(service, DAY, "date", "", trip="k9")

    assert (len(found.values), found.total, found.has_more) == (min(total, 100), total, total > 100)


async def test_at_most_a_hundred_of_many_trips_are_offered(service: "Service") -> None:
    service.trips = [{"_id": f"t{number}", "title": "Oslo"} for number in range(130)]

    found = await completed(service, ITINERARY, "tripId", "os")

    assert (len(found.values), found.total, found.has_more) == (100, 130, True)


@ERAS
async def test_a_failing_service_gives_no_completions_and_no_error(mode: Any, service: "Service") -> None:
    service.status = 500

    found = await completed(service, ITINERARY, "tripId", "os", mode)

    assert (found.values, found.total) == ([], 0)


async def test_typing_on_does_not_ask_the_service_again(service: "Service") -> None:
    async with Client(build_server(service.offer())) as agent:
        for typed in ("", "o", "os", "osl"):
            await agent.complete(ITINERARY, {"name": "tripId", "value": typed})
        await agent.complete(DAY, {"name": "date", "value": ""}, {"tripId": "k9"})

    assert service.asked == ["trips"]


async def test_cached_trips_expire(service: "Service") -> None:
    now = [1000.0]
    known = TripCache(None, clock=lambda: now[0])

    async with service.offer().connect() as client:
        await known.cached(client)
        now[0] += FRESH_SECONDS - 1
        await known.cached(client)
        before = len(service.asked)
        now[0] += 1
        service.trips = []
        after = await known.cached(client)

    assert before == 1
    assert after == []


async def test_an_argument_without_completions_offers_none(service: "Service") -> None:
    found = await completed(service, PromptReference(name="plan_trip"), "destination", "Os")

    assert found.values == []
    assert service.asked == []


@pytest.mark.parametrize("ref", [PromptReference(name="fly"), ResourceTemplateReference(uri="trips://{tripId}/x")])
async def test_completions_for_an_unknown_reference_are_refused(ref: Any, service: "Service") -> None:
    async with Client(build_server(service.offer())) as agent:
        with pytest.raises(MCPError, match=r"^Unknown (prompt|resource template)") as failed:
            await agent.complete(ref, {"name": "tripId", "value": ""})

    assert failed.value.code == INVALID_PARAMS


async def test_a_server_bound_to_one_trip_completes_that_one_only(service: "Service") -> None:
    bound = {"TRIPS_MCP_TRIP": "k9"}
    template = ResourceTemplateReference(uri="trips://k9/day/{date}")

    trips = await completed(service, template, "tripId", "", **bound)
    dates = await completed(service, template, "date", "2026-12-2", **bound)
    others = await completed(service, BRIEFING, "day", "2026-11", trip="jx7kyoto", **bound)

    assert trips.values == ["k9"]
    assert dates.values == [f"2026-12-2{day}" for day in range(5)]
    assert others.values == []


async def test_without_anything_to_complete_the_capability_is_not_declared(service: "Service") -> None:
    async with Client(build_server(service.offer(TRIPS_MCP_TOOLSETS="messages"))) as agent:
        assert agent.server_capabilities.completions is None


async def test_a_connection_that_fails_offers_nothing(service: "Service") -> None:
    @asynccontextmanager
    async def connect() -> AsyncGenerator[TripsClient]:
        await anyio.lowlevel.checkpoint()
        if service:
            raise CannotConnectError("The database is a folder.")
        yield cast("TripsClient", None)

    async with Client(build_server(replace(service.offer(), connect=connect))) as agent:
        found = (await agent.complete(ITINERARY, {"name": "tripId", "value": ""})).completion

    assert found.values == []
