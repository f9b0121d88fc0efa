"""Several `trips-mcp backend serve` processes on one database keep the promises of a single one."""

import os
import re
import subprocess
from collections.abc import AsyncGenerator, Generator
from contextlib import AbstractContextManager, AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from typing import Any, Protocol

import anyio
import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from tests.no_tls import NO_TLS
from trips_mcp.backend import create_key
from trips_mcp.scopes import BASE_SCOPES, Scope

LIMIT = 60
PROCESSES = 3


class Server(Protocol):
    def migrated(self) -> AbstractContextManager[str]: ...
    def run(self, url: str, statement: str, *values: object) -> list[Any]: ...


class Services:
    """Processes that serve one database."""

    def __init__(self, command: list[str], database: str, stack: ExitStack) -> None:
        self.command = command
        self.database = database
        running = [stack.enter_context(ended(start(command, database))) for _ in range(PROCESSES)]
        self.bases = list(map(base_of, running))


def start(command: list[str], database: str) -> subprocess.Popen[str]:
    env = {name: value for name, value in os.environ.items() if not name.startswith("TRIPS_MCP_")}
    # the setting and not the flag: a command line is there for all to read
    words, env["TRIPS_MCP_DATABASE"] = ("backend", "serve", "--port", "0"), database
    return subprocess.Popen([*command, *words], env=env, stderr=subprocess.PIPE, encoding="utf-8")


def base_of(process: subprocess.Popen[str]) -> str:
    assert process.stderr is not None
    line = process.stderr.readline()
    address = re.match(r"Serving (http://\S+)/api/v1 ", line)
    assert address, line + process.stderr.read()
    return address[1]


@contextmanager
def ended(process: subprocess.Popen[str]) -> Generator[subprocess.Popen[str]]:
    """A process that is stopped with the block and must not have logged more."""
    with process:
        yield process
        process.terminate()
        assert process.stderr is not None
        assert process.stderr.read() == ""


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)], scope="module")
def services(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, command: list[str]
) -> Generator[Services]:
    with ExitStack() as stack:
        if request.param == "sqlite":
            database = str(tmp_path_factory.mktemp("services") / "trips.db")
        else:
            server: Server = request.getfixturevalue("postgresql")
            database = stack.enter_context(server.migrated())
        yield Services(command, database, stack)


@asynccontextmanager
async def asking(services: Services, user: str) -> AsyncGenerator[tuple[list[httpx.AsyncClient], str]]:
    """A client for each process, all with one key of this user, and the path of the user's trip."""
    key = await create_key(services.database, list(map(Scope, BASE_SCOPES)), user)
    async with AsyncExitStack() as stack:
        clients = [
            await stack.enter_async_context(
                httpx.AsyncClient(base_url=base, headers={"Authorization": f"Bearer {key}"}, timeout=60, verify=NO_TLS)
            )
            for base in services.bases
        ]
        group = (await clients[0].get("/api/v1/me")).json()["defaultGroupId"]
        new = {"groupId": group, "title": "T", "startDate": "2027-01-01", "endDate": "2027-01-02"}
        made = await clients[0].post("/api/v1/trips", json=new)
        yield clients, f"/api/v1/trips/{made.json()['_id']}"


async def together(clients: list[httpx.AsyncClient], number: int, *request: Any, **more: Any) -> list[httpx.Response]:
    """Sends this many requests at once, spread evenly over the processes."""
    answers: list[httpx.Response] = []

    async def one(client: httpx.AsyncClient) -> None:
        answers.append(await client.request(*request, **more))

    with anyio.fail_after(60):
        async with anyio.create_task_group() as tasks:
            for index in range(number):
                tasks.start_soon(one, clients[index % len(clients)])
    return answers


async def test_one_key_makes_one_row(services: Services, pin: dict[str, Any]) -> None:
    async with asking(services, "keys") as (clients, trip):
        retry = {"Idempotency-Key": "race"}
        answers = await together(clients, 42, "POST", f"{trip}/map-pins", json=pin, headers=retry)
        pins = (await clients[1].get(f"{trip}/map-pins")).json()["items"]

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert sum("idempotent-replayed" not in answer.headers for answer in answers) == 1
    assert len(pins) == 1


@pytest.mark.parametrize("resource", ["legs", "action-items", "map-pins"])
async def test_one_client_ref_makes_one_row(
    services: Services, leg: dict[str, Any], pin: dict[str, Any], resource: str
) -> None:
    item = {"legs": leg, "action-items": {"text": "x", "urgency": "now"}, "map-pins": pin}[resource]
    async with asking(services, f"refs of {resource}") as (clients, trip):
        answers = await together(clients, 42, "POST", f"{trip}/{resource}", json=item | {"clientRef": "race"})
        rows = (await clients[1].get(f"{trip}/{resource}")).json()["items"]

    assert sorted(answer.status_code for answer in answers) == [200] * 41 + [201]
    assert len(rows) == 1


async def test_the_rate_limit_is_of_all_together(services: Services) -> None:
    async with asking(services, "limits") as (clients, trip):  # two requests
        answers = await together(clients, LIMIT + 30, "GET", trip)

    allowed = [answer for answer in answers if answer.status_code == 200]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert (len(allowed), len(refused)) == (LIMIT - 2, 32)
    remaining = sorted(int(answer.headers["x-ratelimit-remaining"]) for answer in allowed)
    assert remaining == list(range(LIMIT - 2))
    assert {answer.headers["x-ratelimit-remaining"] for answer in refused} == {"0"}


@pytest.mark.parametrize("services", [pytest.param("postgresql", marks=pytest.mark.postgresql)], indirect=True)
async def test_what_a_killed_process_had_under_way_is_done_once_by_another(
    services: Services, pin: dict[str, Any], postgresql: Server
) -> None:
    locks = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    answers: list[httpx.Response | None] = []
    engine = create_async_engine(services.database)
    async with asking(services, "killed") as (clients, trip):

        async def send(client: httpx.AsyncClient) -> None:
            try:
                headers = {"Idempotency-Key": "killed"}
                answers.append(await client.post(f"{trip}/map-pins", json=pin, headers=headers))
            except httpx.TransportError:
                answers.append(None)

        async def waiting(number: int) -> None:
            with anyio.fail_after(30):
                while postgresql.run(services.database, locks) != [(number,)]:
                    await anyio.lowlevel.checkpoint()

        with ended(start(services.command, services.database)) as doomed:
            clients[0].base_url = base_of(doomed)
            async with anyio.create_task_group() as tasks, engine.begin() as db:
                await db.execute(text("SELECT id FROM trips FOR UPDATE"))
                tasks.start_soon(send, clients[0])  # claims the key, then waits for the trip
                await waiting(1)
                tasks.start_soon(send, clients[1])  # waits for the claim
                await waiting(2)
                doomed.kill()
        await engine.dispose()
        pins = (await clients[2].get(f"{trip}/map-pins")).json()["items"]

    (answer,) = [answer for answer in answers if answer is not None]
    assert answer.status_code == 201
    assert "idempotent-replayed" not in answer.headers
    assert pins == [answer.json()]
