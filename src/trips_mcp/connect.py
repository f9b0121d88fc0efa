"""The choice of APIs for the client: the configured ones, or the embedded backend.

No other module knows both the client and the backend.
"""

from collections.abc import AsyncGenerator, Collection
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

_VISITOR_SECONDS = 5.0
"""Calendars that read too often are told so at once, instead of being kept waiting."""

if TYPE_CHECKING:
    from trips_mcp.backend.app import Backend
    from trips_mcp.client import Endpoint, TripsClient
    from trips_mcp.client.journal import Journal
    from trips_mcp.history import History
    from trips_mcp.json_values import JsonObject
    from trips_mcp.settings import Settings


@asynccontextmanager
async def connect(settings: "Settings", *, deadline: float = 45.0) -> "AsyncGenerator[TripsClient]":
    """A client that is open until the block ends. `deadline`: the seconds within which each call ends.

    Raises: CannotConnectError.
    """
    from trips_mcp.client import TripsClient  # imports httpx, which the start does not need

    async with AsyncExitStack() as stack:
        if settings.embedded:
            trips, events = _in_process(*await _open_embedded(settings.database, stack))
        else:
            trips = _endpoint("OSOTO_BASE_URL", settings.trips_url, settings.trips_key)
            events = _endpoint("TRAVELMODE_BASE_URL", settings.events_url, settings.events_token)
        journal = _journal(settings)
        stack.push_async_callback(journal.aclose)
        history = _history(settings)
        stack.push_async_callback(history.aclose)
        client = TripsClient(
            trips=trips, events=events, journal=journal, history=history, scopes=settings.scopes, deadline=deadline
        )
        yield await stack.enter_async_context(client)


@dataclass(frozen=True, slots=True)
class _Team:
    backend: "Backend"
    account: str


class Services:
    """The APIs for callers who bring their own keys; opens a client for each caller.

    All clients share one journal and one history, in which only the same keys find a note or a change
    (`client/writes.py`).
    """

    def __init__(
        self,
        trips: "Endpoint",
        events: "Endpoint",
        journal: "Journal",
        history: "History",
        deadline: float,
        team: "_Team | None",
    ) -> None:
        """`team`: the embedded backend, if it serves both APIs and one key opens both."""
        self._trips = trips
        self._events = events
        self._journal = journal
        self._history = history
        self._deadline = deadline
        self._team = team

    @asynccontextmanager
    async def client(self, trips_key: str, events_token: str | None, address: str) -> "AsyncGenerator[TripsClient]":
        """A client with these keys only. `address`: the caller's address. Raises: CannotConnectError."""
        from trips_mcp.client import TripsClient

        trips, events = self._trips, self._events
        token = events_token
        if self._team is not None:
            trips, events = _in_process(self._team.backend, self._team.account, address, trips_key)
            token = events_token or trips_key
        async with TripsClient(
            trips=replace(trips, key=trips_key),
            events=None if token is None else replace(events, key=token),
            journal=self._journal,
            history=self._history,
            deadline=self._deadline,
        ) as client:
            yield client

    @asynccontextmanager
    async def visitor(self, address: str) -> "AsyncGenerator[TripsClient]":
        """A client without a key, which reads what share links of the embedded backend show.

        Its requests count for `address`. Raises: CannotConnectError if the APIs are other services.
        """
        from trips_mcp.client import CannotConnectError, TripsClient
        from trips_mcp.client.journal import MemoryJournal

        if self._team is None:
            raise CannotConnectError("Share links are pages of the service that keeps the trips.")
        trips, _ = _in_process(self._team.backend, self._team.account, address)
        async with TripsClient(trips=trips, events=None, journal=MemoryJournal(), deadline=_VISITOR_SECONDS) as client:
            yield client

    async def knows(self, key: str) -> bool:
        """Whether the embedded backend still knows this key; does not count as a request. True for other APIs."""
        return self._team is None or await self._team.backend.knows(key)

    async def ready(self) -> bool:
        """Whether the embedded backend's database answers. True for other APIs, which get no request."""
        return self._team is None or await self._team.backend.ready()


@asynccontextmanager
async def services(
    settings: "Settings", *, deadline: float = 45.0, rate_limit: int | None = 60
) -> AsyncGenerator[Services]:
    """The APIs of these settings without their keys, or of the embedded backend for a team.

    `rate_limit`: the requests per minute that the embedded backend allows each key.

    Raises: CannotConnectError.
    """
    from trips_mcp.client.session import trusted

    async with AsyncExitStack() as stack:
        team = None
        if settings.team:
            team = _Team(*await _open_embedded(settings.database, stack, require_keys=True, rate_limit=rate_limit))
            trips, events = _in_process(team.backend, team.account)
        else:
            trips = _checked("OSOTO_BASE_URL", settings.trips_url)
            events = _checked("TRAVELMODE_BASE_URL", settings.events_url)
            tls = trusted(trips.base_url, events.base_url)
            trips, events = replace(trips, tls=tls), replace(events, tls=tls)
        journal = _journal(settings)
        stack.push_async_callback(journal.aclose)
        history = _history_of_callers(settings)
        stack.push_async_callback(history.aclose)
        yield Services(trips, events, journal, history, deadline, team)


@asynccontextmanager
async def twin(
    export: "JsonObject", events: "list[JsonObject]", number: int | None, other_numbers: Collection[int] = ()
) -> "AsyncGenerator[TripsClient]":
    """A client of a twin of one trip (`backend/twin.py`), on which a plan is tried out."""
    from trips_mcp.backend.twin import open_twin
    from trips_mcp.client import TripsClient

    async with open_twin(export, events, number, other_numbers) as backend:
        trips_api, events_api = _in_process(backend, "twin")
        async with TripsClient(trips=trips_api, events=events_api) as client:
            yield client


def _journal(settings: "Settings") -> "Journal":
    """The journal, which is opened (and fails) only with the first write."""
    from trips_mcp.client.journal import MemoryJournal, SqliteJournal

    file = settings.journal
    if file is not None:
        return SqliteJournal(_absolute(file))
    return MemoryJournal() if settings.shared_folder is None else SqliteJournal(Path(settings.shared_folder, "journal"))


def _history(settings: "Settings") -> "History":
    """The history, which is opened (and fails) only with the first write."""
    file = settings.history
    if file is None:
        return _for_an_hour(settings, records=False)
    from trips_mcp.history.sqlite import SqliteHistory

    return SqliteHistory(_absolute(file))


def _history_of_callers(settings: "Settings") -> "History":
    """Kept for an hour, unless a file is named: what many people wrote is not put on a disk unasked."""
    return _for_an_hour(settings) if settings.chosen_history is None else _history(settings)


def _for_an_hour(settings: "Settings", *, records: bool = True) -> "History":
    """In memory, or in the folder of the server's workers."""
    from trips_mcp.history import KEPT_IN_MEMORY, MemoryHistory

    if settings.shared_folder is None:
        return MemoryHistory(records=records)
    from trips_mcp.history.sqlite import SqliteHistory

    return SqliteHistory(Path(settings.shared_folder, "history"), records=records, kept=KEPT_IN_MEMORY)


def _endpoint(setting: str, url: str, key: str | None) -> "Endpoint | None":
    return None if key is None else _checked(setting, url, key)


def _checked(setting: str, url: str, key: str | None = None) -> "Endpoint":
    from trips_mcp.client import CannotConnectError, Endpoint

    try:
        return Endpoint(url, key)
    except CannotConnectError as error:
        raise CannotConnectError(f"{setting}: {error}") from None


async def _open_embedded(
    database: str, stack: AsyncExitStack, *, require_keys: bool = False, rate_limit: int | None = None
) -> "tuple[Backend, str]":
    """The embedded backend, and the account that its database stands for."""
    from trips_mcp.backend import DatabaseError, open_backend
    from trips_mcp.client import CannotConnectError

    try:
        app = await stack.enter_async_context(open_backend(database, require_keys=require_keys, rate_limit=rate_limit))
    except DatabaseError as error:
        raise CannotConnectError(str(error)) from error
    return app, database if "://" in database else str(_absolute(database))


def _in_process(
    backend: "Backend", account: str, address: str = "127.0.0.1", key: str | None = None
) -> "tuple[Endpoint, Endpoint]":
    """Both APIs of the embedded backend. `key`: for requests without one."""
    from trips_mcp.client import Endpoint
    from trips_mcp.in_process import InProcessTransport

    transport = InProcessTransport(backend, key=key, address=address)
    return (
        Endpoint("http://embedded/api/v1", transport=transport, account=account),
        Endpoint("http://embedded", transport=transport, account=account),
    )


def _absolute(file: str) -> Path:
    """The same path for the same file, however it is written."""
    try:
        return Path(file).expanduser().resolve()
    except (OSError, RuntimeError, ValueError):
        # no home folder, a loop of links, an invalid name: opening the file reports it
        return Path(file)
