"""Which APIs the client talks to: the configured ones, or the embedded backend. Nothing else knows both."""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
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


class Services:
    """The APIs for callers with keys of their own: what opening a client for one more caller needs.

    They have one journal, in which only a caller's own keys lead to a note (`client/journal/digest.py`).
    """

    def __init__(
        self, trips: "Endpoint", events: "Endpoint", journal: "Journal", deadline: float, *, one_key: bool
    ) -> None:
        """`one_key`: whether the key of the one API opens the other as well."""
        self._trips = trips
        self._events = events
        self._journal = journal
        self._deadline = deadline
        self._one_key = one_key

    @asynccontextmanager
    async def client(self, trips_key: str, events_token: str | None) -> "AsyncGenerator[TripsClient]":
        """With these keys and no others. Raises: CannotConnectError."""
        from trips_mcp.client import TripsClient

        token = events_token or (trips_key if self._one_key else None)
        async with TripsClient(
            trips=replace(self._trips, key=trips_key),
            events=None if token is None else replace(self._events, key=token),
            journal=self._journal,
            deadline=self._deadline,
        ) as client:
            yield client

    async def knows(self, key: str) -> bool:
        """Whether our own backend still has this key, in a way that it does not count as a request of its owner's."""
        answer = await self._probe(self._events, "/v1/events/0", key)
        return answer != 401

    async def ready(self) -> bool:
        """Whether the database answers; of APIs elsewhere nothing is asked."""
        return await self._probe(self._trips, "/me", "nobody") < 500

    async def _probe(self, api: "Endpoint", path: str, key: str) -> int:
        """The status of our own backend's answer."""
        import httpx

        if api.transport is None:
            return 200
        probe = httpx.Request("GET", api.base_url + path, headers={"Authorization": f"Bearer {key}"})
        return (await api.transport.handle_async_request(probe)).status_code


@asynccontextmanager
async def services(
    settings: "Settings", *, deadline: float = 45.0, rate_limit: int | None = 60
) -> AsyncGenerator[Services]:
    """The APIs of these settings, whose keys don't count; those of the embedded backend where it is for a team.

    `rate_limit`: how many requests a minute that allows each key.

    Raises: CannotConnectError.
    """
    from trips_mcp.client.account import trusted

    async with AsyncExitStack() as stack:
        if settings.team:
            trips, events = await _embedded(settings.database, stack, require_keys=True, rate_limit=rate_limit)
        else:
            trips = _checked("OSOTO_BASE_URL", settings.trips_url)
            events = _checked("TRAVELMODE_BASE_URL", settings.events_url)
            tls = trusted()
            trips, events = replace(trips, tls=tls), replace(events, tls=tls)
        journal = _journal(settings.journal)
        stack.push_async_callback(journal.aclose)
        yield Services(trips, events, journal, deadline, one_key=settings.team)


def _journal(file: str | None) -> "Journal":
    """Nothing of it is opened, or refused, before the first write."""
    from trips_mcp.client.journal.memory import MemoryJournal
    from trips_mcp.client.journal.sqlite import SqliteJournal

    return MemoryJournal() if file is None else SqliteJournal(_absolute(file))


def _endpoint(setting: str, url: str, key: str | None) -> "Endpoint | None":
    return None if key is None else _checked(setting, url, key)


def _checked(setting: str, url: str, key: str | None = None) -> "Endpoint":
    from trips_mcp.client import CannotConnectError, Endpoint

    try:
        return Endpoint(url, key)
    except CannotConnectError as error:
        raise CannotConnectError(f"{setting}: {error}") from None


async def _embedded(
    database: str, stack: AsyncExitStack, *, require_keys: bool = False, rate_limit: int | None = None
) -> "tuple[Endpoint, Endpoint]":
    import httpx

    from trips_mcp.backend import DatabaseError, open_backend
    from trips_mcp.client import CannotConnectError, Endpoint

    try:
        app = await stack.enter_async_context(open_backend(database, require_keys=require_keys, rate_limit=rate_limit))
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
