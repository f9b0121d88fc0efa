"""The whole examination, from what is cheap to know to what has to be asked over the network."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

import anyio

from trips_mcp.backend.errors import DatabaseError
from trips_mcp.cli.command import CommandError
from trips_mcp.cli.doctor.answers import ask_events_api, ask_trips_api, budget
from trips_mcp.cli.doctor.database import database
from trips_mcp.cli.doctor.finding import Finding
from trips_mcp.cli.doctor.setup import offered, settings_in_words, versions
from trips_mcp.client import TripsClient
from trips_mcp.client.errors import CannotConnectError
from trips_mcp.connect import connect
from trips_mcp.settings import Settings

_SECONDS_A_CALL = 5
_SECONDS_A_CHECK = 10

Tell = Callable[[Finding], None]
Check = Callable[[TripsClient], Awaitable[Finding]]


async def examine(settings: Settings, tell: Tell) -> None:
    """Raises: CommandError where nothing can be asked, as with a broken database."""
    tell(versions())
    for finding in settings_in_words(settings):
        tell(finding)
    tell(offered(settings))
    async with _connected(settings, tell) as client:
        for api in settings.apis:
            tell(await _bounded(ask_trips_api if api == "trips" else ask_events_api, api, client))
        if client.rate_limit is not None:
            tell(budget(client.rate_limit))


@asynccontextmanager
async def _connected(settings: Settings, tell: Tell) -> AsyncGenerator[TripsClient]:
    try:
        if settings.embedded:
            tell(database(settings.database))
        async with connect(settings, deadline=_SECONDS_A_CALL) as client:
            yield client
    except (CannotConnectError, DatabaseError) as error:
        raise CommandError(str(error)) from None


async def _bounded(check: Check, api: str, client: TripsClient) -> Finding:
    try:
        with anyio.fail_after(_SECONDS_A_CHECK):
            return await check(client)
    except TimeoutError:
        return Finding(
            "fail", f"{api} API", f"no answer within {_SECONDS_A_CHECK} seconds; check its URL and your network."
        )
