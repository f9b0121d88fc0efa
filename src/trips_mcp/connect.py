"""Which APIs the client talks to: the configured ones, or the embedded backend. Nothing else knows both."""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trips_mcp.client import Endpoint, TripsClient
    from trips_mcp.client.journal import Journal
    from trips_mcp.settings import Settings


@asynccontextmanager
async def connect(settings: "Settings", *, deadline: float = 45.0) -> "AsyncGenerator[TripsClient]":
    """A client that is ready to be called, until the block ends; each of its calls takes `deadline` seconds at most.

    Raises: CannotConnectError.
    """
    from trips_mcp.client import TripsClient  # brings httpx, which a start does not wait for

    async with AsyncExitStack() as stack:
        if settings.embedded:
            trips, events = await _embedded(settings.database, stack)
        else:
            trips = _endpoint("OSOTO_BASE_URL", settings.trips_url, settings.trips_key)
            events = _endpoint("TRAVELMODE_BASE_URL", settings.events_url, settings.events_token)
        journal = _journal(settings.journal)
        stack.push_async_callback(journal.aclose)
        client = TripsClient(trips=trips, events=events, journal=journal, scopes=settings.scopes, deadline=deadline)
        yield await stack.enter_async_context(client)


def _journal(file: str | None) -> "Journal":
    """Nothing of it is opened, or refused, before the first write."""
    from trips_mcp.client.journal.memory import MemoryJournal
    from trips_mcp.client.journal.sqlite import SqliteJournal

    return MemoryJournal() if file is None else SqliteJournal(_absolute(file))


def _endpoint(setting: str, url: str, key: str | None) -> "Endpoint | None":
    from trips_mcp.client import CannotConnectError, Endpoint

    if key is None:
        return None
    try:
        return Endpoint(url, key)
    except CannotConnectError as error:
        raise CannotConnectError(f"{setting}: {error}") from None


async def _embedded(database: str, stack: AsyncExitStack) -> "tuple[Endpoint, Endpoint]":
    import httpx

    from trips_mcp.backend import DatabaseError, open_backend
    from trips_mcp.client import CannotConnectError, Endpoint

    try:
        app = await stack.enter_async_context(open_backend(database, require_keys=False))
    except DatabaseError as error:
        raise CannotConnectError(str(error)) from error
    # A defect of the backend is then its answer 500, as over a network, and not an exception in the caller.
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    account = database if "://" in database else str(_absolute(database))
    return (
        Endpoint("http://embedded/api/v1", transport=transport, account=account),
        Endpoint("http://embedded", transport=transport, account=account),
    )


def _absolute(file: str) -> Path:
    """However the same file is named from wherever."""
    try:
        return Path(file).expanduser().resolve()
    except (OSError, RuntimeError, ValueError):
        # no home, a ring of links, no name for a file: whoever opens it will say so
        return Path(file)
