"""Requests share the queries that find their keys. The database answers when the test says so."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

import anyio
import pytest
from anyio.lowlevel import checkpoint
from sqlalchemy.exc import OperationalError

from trips_mcp.backend import list_keys, revoke_key
from trips_mcp.backend.callers import KeyLookups
from trips_mcp.backend.store import DatabaseLostError
from trips_mcp.backend.store.connection import Connection
from trips_mcp.backend.store.database import Database, open_database

# a query of SQLite waits for nothing but the test's gates
pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("database", ["sqlite"], indirect=True)]

NewKey = Callable[..., Awaitable[str]]


class SlowDatabase:
    """Its connections become free, and its answers arrive, when the test opens the gates."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.free = anyio.Event()
        self.arrived = anyio.Event()
        self.failure: Exception | None = None
        self.queries = 0

    @asynccontextmanager
    async def single(self) -> AsyncGenerator[Connection]:
        await self.free.wait()
        if self.failure is not None:
            raise self.failure
        async with self._database.single() as db:
            self.queries += 1
            yield db
        await self.arrived.wait()


@pytest.fixture
async def slow(database: str) -> AsyncGenerator[SlowDatabase]:
    async with open_database(database) as opened:
        yield SlowDatabase(opened)


class Requests:
    """Requests with keys, and what each of them found: the id of the key, None or an error."""

    def __init__(self, slow: SlowDatabase) -> None:
        self._lookups = KeyLookups(slow.single)
        self.found: dict[str, str | Exception | None] = {}
        self.scopes: dict[str, anyio.CancelScope] = {}

    async def make(self, name: str, key: str) -> None:
        with anyio.CancelScope() as self.scopes[name]:
            try:
                caller = await self._lookups.find(key)
                self.found[name] = caller and caller.id
            except (DatabaseLostError, OperationalError) as error:
                self.found[name] = error


async def settle() -> None:
    """Lets every task run until it waits."""
    for _ in range(20):
        await checkpoint()


async def test_requests_that_wait_for_a_connection_share_one_query(
    database: str, slow: SlowDatabase, new_key: NewKey
) -> None:
    ann, ben = await new_key(user="ann"), await new_key(user="ben")
    ids = [key.id for key in await list_keys(database)]
    requests = Requests(slow)
    slow.arrived.set()

    async with anyio.create_task_group() as tasks:
        for name, key in (("ann", ann), ("ben", ben), ("ann again", ann), ("nobody", "osk_made-up"), ("blank", "")):
            tasks.start_soon(requests.make, name, key)
        await settle()
        slow.free.set()

    assert requests.found == {"ann": ids[0], "ben": ids[1], "ann again": ids[0], "nobody": None, "blank": None}
    assert slow.queries == 1


async def test_a_request_after_the_revocation_shares_no_query_from_before(
    database: str, slow: SlowDatabase, new_key: NewKey
) -> None:
    key = await new_key(user="ann")
    (held,) = await list_keys(database)
    requests = Requests(slow)
    slow.free.set()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(requests.make, "before", key)
        await settle()  # its query is made, and the answer on its way
        assert await revoke_key(database, key_id=held.id)
        tasks.start_soon(requests.make, "after", key)
        await settle()
        slow.arrived.set()

    assert requests.found == {"before": held.id, "after": None}
    assert slow.queries == 2


@pytest.mark.parametrize("moment", ["before the query", "during the query"])
async def test_a_request_that_asks_for_others_may_be_cancelled(
    moment: str, database: str, slow: SlowDatabase, new_key: NewKey
) -> None:
    key = await new_key(user="ann")
    (held,) = await list_keys(database)
    requests = Requests(slow)
    if moment == "during the query":
        slow.free.set()

    async with anyio.create_task_group() as tasks:
        for name in ("first", "second", "third"):
            tasks.start_soon(requests.make, name, key)
            await settle()
        requests.scopes["first"].cancel()
        requests.scopes["second"].cancel()
        slow.free.set()
        slow.arrived.set()

    assert requests.found == {"third": held.id}


@pytest.mark.parametrize("failure", [DatabaseLostError("no route"), OperationalError("SELECT", {}, Exception())])
async def test_a_failure_is_reported_to_all_that_wait(failure: Exception, slow: SlowDatabase, new_key: NewKey) -> None:
    key = await new_key(user="ann")
    requests = Requests(slow)
    slow.failure = failure
    slow.arrived.set()

    async with anyio.create_task_group() as tasks:
        for name in ("first", "second", "third"):
            tasks.start_soon(requests.make, name, key)
        await settle()
        slow.free.set()
    failed = dict(requests.found)
    slow.failure = None
    await requests.make("later", key)

    assert failed == dict.fromkeys(("first", "second", "third"), failure)
    assert requests.found["later"]
