"""Fixtures for a backend in this process as the local owner, or over a socket with keys.

Every answer that a test gets is compared with the contract on its way.
"""

import os
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, closing, contextmanager
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any
from uuid import uuid4

import anyio
import httpx
import pytest
import uvicorn
from anyio.from_thread import BlockingPortal, start_blocking_portal
from pydantic import BaseModel
from sqlalchemy import make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from starlette.types import ASGIApp

from trips_mcp.backend import create_key, migrate, open_backend
from trips_mcp.backend.app import Backend
from trips_mcp.backend.store.schema import SCHEMA, Schema
from trips_mcp.backend.store.tables import metadata
from trips_mcp.contract import OPERATIONS, Operation
from trips_mcp.contract.errors import STATUS_OF
from trips_mcp.in_process import InProcessTransport
from trips_mcp.scopes import BASE_SCOPES, Scope

SERVER = Path(__file__).parents[2] / "scripts/postgresql.py"
ALL = tuple(map(Scope, BASE_SCOPES))
MOUNTS = {"trips": "/api/v1", "events": ""}
PATHS = [
    (operation, re.compile(MOUNTS[operation.api] + re.sub(r"{\w+}", "[^/]+", operation.path)))
    for operation in OPERATIONS
]


class PostgreSQL:
    """A server on which the tests create databases."""

    def __init__(self, administrator: str, portal: BlockingPortal) -> None:
        self._administrator = make_url(administrator)
        self._portal = portal
        self._engines: dict[str, AsyncEngine] = {}

    @contextmanager
    def database(self, how: str = "") -> Generator[str]:
        """The URL of a new database without tables, until the block ends."""
        name = f"t{uuid4().hex}"
        self.command(f"CREATE DATABASE {name} {how}")
        url = self._administrator.set(database=name).render_as_string(hide_password=False)
        try:
            yield url
        finally:
            self._forget(url)
            self.command(f"DROP DATABASE {name} WITH (FORCE)")

    @contextmanager
    def migrated(self) -> Generator[str]:
        with self.database() as url:
            self._portal.call(migrate, url)
            yield url

    def empty(self, url: str) -> None:
        """The other tables refer to these. A new database per test would take longer than most tests."""
        for table in ("users", "groups", "idempotency", "rate_windows"):
            self.run(url, f"DELETE FROM {table}")  # noqa: S608
        self.run(url, "SELECT setval(oid::regclass, 1, false) FROM pg_class WHERE relkind = 'S'")

    def command(self, statement: str) -> None:
        """For statements outside any database."""
        self.run(self._administrator.render_as_string(hide_password=False), statement)

    def run(self, url: str, statement: str, *values: object) -> list[Any]:
        """The statement's rows; its placeholders are ?, as in SQLite."""
        return self._portal.call(self._run, url, statement, values)

    def end(self) -> None:
        for url in list(self._engines):
            self._forget(url)

    def _forget(self, url: str) -> None:
        if url in self._engines:
            self._portal.call(self._engines.pop(url).dispose)

    async def _run(self, url: str, statement: str, values: tuple[object, ...]) -> list[Any]:
        if url not in self._engines:
            self._engines[url] = create_async_engine(url, pool_size=1, isolation_level="AUTOCOMMIT")
        numbers = count(1)
        async with self._engines[url].connect() as db:
            done = await db.exec_driver_sql(re.sub(r"\?", lambda _: f"${next(numbers)}", statement), values)
            return list(map(tuple, done.all())) if done.returns_rows else []


@pytest.fixture(scope="session")
def postgresql() -> Generator[PostgreSQL]:
    """The server from the environment, or a new one; without either, the tests are skipped."""
    with administrator_of_a_server() as url, start_blocking_portal() as portal:
        server = PostgreSQL(url, portal)
        yield server
        server.end()


@contextmanager
def administrator_of_a_server() -> Generator[str]:
    if given := os.environ.get("POSTGRESQL_TEST_URL"):
        yield given
        return
    with subprocess.Popen([sys.executable, SERVER], stdin=-1, stdout=-1, stderr=-1, encoding="utf-8") as own:
        assert own.stdout is not None
        assert own.stderr is not None
        url = own.stdout.readline().strip()
        if not url:
            pytest.skip(own.stderr.read().strip().splitlines()[-1])
        yield url


@pytest.fixture(scope="session")
def new_postgresql(postgresql: PostgreSQL) -> Generator[str]:
    with postgresql.migrated() as url:
        yield url


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database with tables; a test must see the same on both kinds."""
    if request.param == "sqlite":
        return str(shutil.copy(request.getfixturevalue("new_database"), tmp_path / "trips.db"))
    url: str = request.getfixturevalue("new_postgresql")
    request.getfixturevalue("postgresql").empty(url)
    return url


@pytest.fixture
def sql(request: pytest.FixtureRequest, database: str) -> Callable[..., list[Any]]:
    """Runs a statement without the backend → its rows."""
    if "://" in database:
        server: PostgreSQL = request.getfixturevalue("postgresql")
        return partial(server.run, database)

    def run(statement: str, *values: object) -> list[Any]:
        with closing(sqlite3.connect(database)) as db, db:
            return db.execute(statement, values).fetchall()

    return run


@pytest.fixture
def stored(database: str, sql: Callable[..., list[Any]]) -> Callable[[], str]:
    """All content of the database, as text."""

    def dump() -> str:
        if "://" in database:
            return "\n".join(str(sql(f'SELECT held::text FROM "{table}" held')) for table in metadata.tables)  # noqa: S608
        with closing(sqlite3.connect(database)) as db:
            return "\n".join(db.iterdump())

    return dump


@pytest.fixture
def next_schema(tmp_path: Path) -> Callable[[str], Schema]:
    """A newer schema, with one more migration that runs this code."""

    def make(upgrade: str) -> Schema:
        folder = tmp_path / "migrations"
        shutil.copytree(SCHEMA.migrations, folder, ignore=shutil.ignore_patterns("__pycache__"))
        script = folder / "versions/next.py"
        script.write_text(
            "from alembic import op\nimport sqlalchemy as sa\n"
            f"revision = 'next'\ndown_revision = {SCHEMA.newest!r}\ndef upgrade():\n    {upgrade}\n"
        )
        return Schema(SCHEMA.metadata, folder, "next")

    return make


@pytest.fixture
def clock() -> list[float]:
    """The backend's clock; `clock[0]` is its time."""
    return [1_800_000_000.0]


@pytest.fixture
async def backend(
    request: pytest.FixtureRequest, database: str, clock: list[float]
) -> AsyncGenerator[Callable[[str], httpx.AsyncClient]]:
    """Mount → a client with all scopes; the parameter "served" adds a socket and a key."""
    served = getattr(request, "param", "in process") == "served"
    key = await create_key(database, ALL) if served else None
    async with AsyncExitStack() as stack:
        app = await stack.enter_async_context(
            open_backend(database, require_keys=served, rate_limit=None, clock=lambda: clock[0])
        )
        url = await stack.enter_async_context(served_on_loopback(app)) if served else None
        clients: list[httpx.AsyncClient] = []

        def client(mount: str) -> httpx.AsyncClient:
            clients.append(speaking_to(app, key, mount, url))
            return clients[-1]

        yield client
        for made in clients:
            await made.aclose()


@pytest.fixture
def api(backend: Callable[[str], httpx.AsyncClient]) -> httpx.AsyncClient:
    """The Trips API."""
    return backend("/api/v1")


@pytest.fixture
def events(backend: Callable[[str], httpx.AsyncClient]) -> httpx.AsyncClient:
    """The Events API, over the same trips."""
    return backend("")


@pytest.fixture
async def trip(api: httpx.AsyncClient) -> str:
    """The path of a trip."""
    me = (await api.get("/me")).json()
    made = await api.post(
        "/trips",
        json={
            "groupId": me["defaultGroupId"],
            "title": "Kyoto",
            "startDate": "2027-04-01",
            "endDate": "2027-04-10",
        },
    )
    return f"/trips/{made.json()['_id']}"


@pytest.fixture
async def service(database: str, clock: list[float]) -> AsyncGenerator[Callable[[str | None], httpx.AsyncClient]]:
    """A backend that requires keys, without a rate limit: key → a client that sends it."""
    async with (
        open_backend(database, require_keys=True, rate_limit=None, clock=lambda: clock[0]) as app,
        AsyncExitStack() as stack,
    ):
        clients: dict[str | None, httpx.AsyncClient] = {}

        def client(key: str | None) -> httpx.AsyncClient:
            if key not in clients:
                clients[key] = speaking_to(app, key)
                stack.push_async_callback(clients[key].aclose)
            return clients[key]

        yield client


@pytest.fixture
def new_key(database: str) -> Callable[..., Awaitable[str]]:
    """Scopes, user and group as text → a key."""

    async def make(*scopes: str, user: str = "owner", group: str | None = None) -> str:
        parsed = [Scope.parse(scope) for scope in scopes] or ALL
        return await create_key(database, parsed, user, group=group)

    return make


@pytest.fixture
async def new_trip(service: Callable[[str | None], httpx.AsyncClient]) -> Callable[..., Awaitable[dict[str, Any]]]:
    """Creates a trip with a key, in its user's first group or in the named group."""

    async def make(key: str, group: str | None = None) -> dict[str, Any]:
        me = (await service(key).get("/api/v1/me")).json()
        ids = [one["_id"] for one in me["groups"] if one["name"] == group]
        made = await service(key).post(
            "/api/v1/trips",
            json={
                "groupId": ids[0] if ids else me["groups"][0]["_id"],
                "title": "Rome",
                "startDate": "2027-05-01",
                "endDate": "2027-05-03",
            },
        )
        assert made.status_code == 201, made.text
        return made.json()

    return make


@pytest.fixture
def pin() -> dict[str, Any]:
    return {"name": "Kinkaku-ji", "lat": 35.0394, "lng": 135.7292}


@pytest.fixture
def leg() -> dict[str, Any]:
    return {
        "order": 0,
        "title": "Kyoto",
        "destination": "Kyoto, Japan",
        "startDate": "2027-04-01",
        "endDate": "2027-04-05",
        "timezone": "Asia/Tokyo",
    }


def speaking_to(app: Backend, key: str | None, mount: str = "", url: str | None = None) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        transport=InProcessTransport(app) if url is None else None,
        base_url=(url or "http://backend") + mount,
        headers={"Authorization": f"Bearer {key}"} if key else {},
        event_hooks={"response": [check_answer]},
    )


@asynccontextmanager
async def served_on_loopback(app: ASGIApp) -> AsyncGenerator[str]:
    config = uvicorn.Config(app, port=0, log_config=None, lifespan="on", timeout_graceful_shutdown=5)
    server = uvicorn.Server(config)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(server.serve)
        with anyio.fail_after(10):
            while not server.started:
                await anyio.lowlevel.checkpoint()
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
        server.should_exit = True


async def check_answer(response: httpx.Response) -> None:
    """Compares a response with the contract: an extra field fails as well as a missing one."""
    await response.aread()
    path = response.request.url.raw_path.decode().partition("?")[0]
    is_events = path.startswith("/v1/")
    assert response.headers["x-request-id"].startswith("req_")
    if response.is_success:
        if path != "/openapi.json":
            check_result(
                response,
                next(
                    found for found in PATHS if found[1].fullmatch(path) and found[0].method == response.request.method
                )[0],
            )
    elif is_events:
        assert set(response.json()) == {"error"}
    elif response.request.method != "HEAD":
        error = response.json()["error"]
        assert set(error) - {"details"} == {"code", "message", "requestId"}
        assert error["requestId"] == response.headers["x-request-id"]
        assert STATUS_OF[error["code"]] == response.status_code
        assert error.get("details") != []


def check_result(response: httpx.Response, operation: Operation[Any, Any]) -> None:
    if operation.success == 204:
        assert response.status_code == 204
        assert response.content == b""
        return
    result = operation.result.model_validate(response.json(), strict=True)
    unknown = set(unknown_fields(result)) - {"storage"}  # of GET /me, in process
    assert not unknown, f"{operation.name} answers {unknown}, which the contract does not know"


def unknown_fields(value: object) -> Iterator[str]:
    if isinstance(value, BaseModel):
        if type(value).__name__ not in ("LegAccommodation", "LegFlight", "LegRentalCar"):  # open by contract
            yield from value.model_extra or {}
        for name in type(value).model_fields:
            yield from unknown_fields(getattr(value, name))
    elif isinstance(value, list):
        for inner in value:  # pyright: ignore[reportUnknownVariableType]
            yield from unknown_fields(inner)  # pyright: ignore[reportUnknownArgumentType]
