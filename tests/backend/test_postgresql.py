"""PostgreSQL: explicit migration, lost connections, and locks."""

import logging
import re
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import AbstractContextManager, AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any, Protocol
from uuid import uuid4

import anyio
import httpx
import pytest
from anyio.abc import SocketStream
from sqlalchemy import make_url, select, text
from sqlalchemy.ext.asyncio import create_async_engine

from trips_mcp.backend import DatabaseError, create_key, migrate, open_backend
from trips_mcp.backend.store import DatabaseLostError
from trips_mcp.backend.store.database import locate, open_database, shown
from trips_mcp.backend.store.postgresql import CONNECTIONS
from trips_mcp.backend.store.schema import SCHEMA, Schema
from trips_mcp.backend.store.tables import users
from trips_mcp.cli.commands import run
from trips_mcp.client.errors import CannotConnectError
from trips_mcp.connect import connect
from trips_mcp.contract.me import GET_ME, GetMe
from trips_mcp.scopes import Scope
from trips_mcp.settings import Settings

pytestmark = pytest.mark.postgresql

RETRY = {"Idempotency-Key": "create 1"}


class Server(Protocol):
    def database(self, how: str = "") -> AbstractContextManager[str]: ...
    def empty(self, url: str) -> None: ...
    def command(self, statement: str) -> None: ...
    def run(self, url: str, statement: str, *values: object) -> list[Any]: ...


@pytest.fixture
def bare(postgresql: Server) -> Generator[str]:
    """The URL of a database without tables."""
    with postgresql.database() as url:
        yield url


@pytest.fixture
def database(postgresql: Server, new_postgresql: str) -> str:
    postgresql.empty(new_postgresql)
    return new_postgresql


def tables(postgresql: Server, url: str) -> set[str]:
    return {name for (name,) in postgresql.run(url, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")}


async def refusal(database: str) -> str:
    """The message of the error, which must not contain the password."""
    with pytest.raises(DatabaseError) as refused:
        async with open_backend(database, require_keys=False):
            pass
    sentence = str(refused.value)
    assert re.fullmatch(r"[^\n]+\.", sentence)
    assert (make_url(database).password or "no password") not in sentence
    return sentence


def test_it_is_refused_until_it_was_migrated(bare: str, postgresql: Server, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["backend", "create-key", "--database", bare, "trips:read"]
    said: list[str] = []
    codes = [run(words)]
    said.append(capsys.readouterr().err)
    assert tables(postgresql, bare) == set()
    for _ in range(2):
        codes.append(run(["backend", "migrate", "--database", bare]))
        said.append(capsys.readouterr().out)
    codes.append(run(words))
    said.append(capsys.readouterr().out)

    assert codes == [2, 0, 0, 0]
    assert said[0].startswith("trips-mcp: postgresql://")
    assert said[0].endswith(" has no tables yet; make them with `trips-mcp backend migrate`.\n")
    assert said[1].endswith(f" now has its tables (database version {SCHEMA.newest}).\n")
    assert said[2].endswith(f" is up to date (database version {SCHEMA.newest}).\n")
    assert re.fullmatch(r"osk_\S+\n", said[3])
    assert not any((make_url(bare).password or "") in text for text in said)
    assert tables(postgresql, bare) == {*SCHEMA.metadata.tables, "schema_version"}


def test_doctor_names_it_and_looks_for_the_trip_in_it(
    database: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TRIPS_MCP_DATABASE", database)

    code = run(["doctor", "--trip", "jx7"])

    said = capsys.readouterr().out
    assert code == 1
    assert "ok    api: the embedded backend on PostgreSQL, no account is set, so trips are kept there\n" in said
    assert re.search(r"^ok    database: PostgreSQL at postgresql://\S+ answers, with the newest tables$", said, re.M)
    assert "fail  trip: there is no trip jx7, to which the server is bound. " in said
    assert (make_url(database).password or "no password") not in said


async def test_the_tools_use_it_like_a_file(bare: str) -> None:
    settings = Settings.from_env({"TRIPS_MCP_DATABASE": bare, "TRIPS_MCP_JOURNAL": "off"})
    with pytest.raises(CannotConnectError, match="`trips-mcp backend migrate`"):
        async with connect(settings):
            pass

    await migrate(bare)
    async with connect(settings) as client:
        me = await client.call(GET_ME, GetMe())

    assert me.model_extra is not None
    assert me.model_extra["storage"] == {"kind": "embedded", "path": shown(locate(bare))}
    assert (make_url(bare).password or "") not in str(me.model_extra)


async def test_tables_of_an_earlier_version_are_refused_until_migrated(
    bare: str, next_schema: Callable[[str], Schema], postgresql: Server
) -> None:
    await migrate(bare)
    await create_key(bare, [Scope("trips:read")], "ann")
    schema = next_schema("op.add_column('users', sa.Column('nickname', sa.Text()))")

    with pytest.raises(DatabaseError, match=r"run `trips-mcp backend migrate`\.$"):
        async with open_database(bare, schema):
            pass
    done = await migrate(bare, schema)
    async with open_database(bare, schema):
        pass

    assert (done.before, done.after) == (SCHEMA.newest, "next")
    assert postgresql.run(bare, "SELECT name, nickname FROM users") == [("ann", None)]
    assert "was written by a newer trips-mcp (database version next" in await refusal(bare)
    with pytest.raises(DatabaseError, match="was written by a newer trips-mcp"):
        await migrate(bare)


async def test_a_migration_that_fails_leaves_all_as_it_was(
    bare: str, next_schema: Callable[[str], Schema], postgresql: Server, caplog: pytest.LogCaptureFixture
) -> None:
    await migrate(bare)
    schema = next_schema("op.add_column('users', sa.Column('x', sa.Text()))\n    op.execute('DROP TABLE nowhere')")

    with pytest.raises(DatabaseError, match=r"could not be migrated from version .* and is as it was"):
        await migrate(bare, schema)

    assert [record.name for record in caplog.records] == ["trips_mcp.backend"]
    assert postgresql.run(bare, "SELECT version_num FROM schema_version") == [(SCHEMA.newest,)]
    assert postgresql.run(bare, "SELECT 1 FROM pg_attribute WHERE attrelid = 'users'::regclass AND attname = 'x'") == []


async def test_migrations_at_once_take_turns(bare: str) -> None:
    before: list[str | None] = []

    async def one() -> None:
        before.append((await migrate(bare)).before)

    with anyio.fail_after(60):
        async with anyio.create_task_group() as tasks:
            for _ in range(3):
                tasks.start_soon(one)

    assert sorted(map(str, before)) == [SCHEMA.newest, SCHEMA.newest, "None"]


@pytest.mark.parametrize(
    "theirs", ["CREATE TABLE photos (id int)", "CREATE TABLE schema_version (version int, script text)"]
)
async def test_a_database_of_another_program_is_refused_and_left_alone(
    bare: str, postgresql: Server, theirs: str
) -> None:
    postgresql.run(bare, theirs)
    there = tables(postgresql, bare)

    assert "holds the tables of another program" in await refusal(bare)
    with pytest.raises(DatabaseError, match="holds the tables of another program"):
        await migrate(bare)
    assert tables(postgresql, bare) == there


async def test_a_database_that_cannot_hold_every_character_is_refused(postgresql: Server) -> None:
    with postgresql.database("TEMPLATE template0 LOCALE_PROVIDER libc LOCALE 'C' ENCODING 'LATIN1'") as url:
        with pytest.raises(DatabaseError, match="keeps its text as LATIN1"):
            await migrate(url)

        assert tables(postgresql, url) == set()


@pytest.fixture
def as_guest(bare: str, postgresql: Server) -> Generator[str]:
    """The URL of a database without tables, for a user who may only connect."""
    guest = f"guest_{uuid4().hex}"
    postgresql.command(f"CREATE ROLE {guest} LOGIN PASSWORD 's3cret'")
    yield make_url(bare).set(username=guest, password="s3cret").render_as_string(hide_password=False)  # noqa: S106
    postgresql.run(bare, f"DROP OWNED BY {guest}")
    postgresql.command(f"DROP ROLE {guest}")


async def test_who_may_do_nothing_there_is_told_so(bare: str, as_guest: str, postgresql: Server) -> None:
    with pytest.raises(DatabaseError, match="does not allow this user to do that"):
        await migrate(as_guest)
    await migrate(bare)
    assert "does not allow this user to do that" in await refusal(as_guest)
    postgresql.run(bare, "GRANT SELECT ON schema_version TO PUBLIC")
    assert "does not allow this user to do that" in await refusal(as_guest)


async def test_who_serves_need_not_own_the_tables(
    bare: str, as_guest: str, postgresql: Server, pin: dict[str, Any]
) -> None:
    await migrate(bare)
    postgresql.run(bare, "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO PUBLIC")
    postgresql.run(bare, "GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO PUBLIC")

    async with speaking(as_guest) as (api, trip):
        made = await api.post(f"{trip}/map-pins", json=pin, headers=RETRY)

    assert made.status_code == 201


def wrong_password(url: str) -> str:
    return make_url(url).set(password="s3cret").render_as_string(hide_password=False)  # noqa: S106


def no_such_database(url: str) -> str:
    return make_url(url).set(database="nowhere").render_as_string(hide_password=False)


def no_such_place(url: str) -> str:
    return make_url(url).update_query_dict({"host": "/nowhere"}).render_as_string(hide_password=False)


def nobody_listens(url: str) -> str:
    return make_url(url).set(host="127.0.0.1", port=1, query={}).render_as_string(hide_password=False)


def impossible_port(url: str) -> str:
    return make_url(url).set(host="127.0.0.1", port=99999, query={}).render_as_string(hide_password=False)


def unknown_setting(url: str) -> str:
    return make_url(url).update_query_dict({"colour": "blue"}).render_as_string(hide_password=False)


def password_in_the_query(url: str) -> str:
    parts = make_url(url)
    return (
        parts.set(password=None)
        .update_query_dict({"password": parts.password or "", "colour": "blue"})
        .render_as_string(hide_password=False)
    )


@pytest.mark.parametrize(
    ("spoilt", "said"),
    [
        (wrong_password, "lets nobody in with this user and password"),
        (no_such_database, "does not exist on that server"),
        (no_such_place, "cannot be reached"),
        (nobody_listens, "cannot be reached"),
        (impossible_port, "cannot be reached"),
        (unknown_setting, "has a setting that its driver asyncpg does not know"),
        (password_in_the_query, "has a setting that its driver asyncpg does not know"),
    ],
)
async def test_what_stands_in_the_way_is_said_without_the_password(
    new_postgresql: str, spoilt: Callable[[str], str], said: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    password = make_url(new_postgresql).password or ""

    sentence = await refusal(spoilt(new_postgresql))

    assert said in sentence
    assert password not in sentence + caplog.text
    assert "s3cret" not in sentence + caplog.text


@pytest.mark.parametrize("scheme", ["postgresql+asyncpg", "postgresql", "postgres"])
async def test_it_is_named_by_the_usual_urls(database: str, scheme: str) -> None:
    url = make_url(database).set(drivername=scheme).update_query_dict({"sslmode": "disable"})

    async with open_backend(url.render_as_string(hide_password=False), require_keys=False) as app:
        assert app is not None


def test_text_is_compared_by_its_bytes_whatever_the_servers_language(database: str, postgresql: Server) -> None:
    other = postgresql.run(
        database,
        "SELECT c.relname, a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid "
        "WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND c.relname <> 'schema_version' "
        "AND a.atttypid = 'text'::regtype AND a.attcollation <> '\"C\"'::regcollation",
    )

    assert other == []


async def test_a_reader_sees_one_state_however_much_is_written_meanwhile(database: str) -> None:
    names = select(users.c.name).order_by(users.c.seq)
    async with open_database(database) as opened, opened.reading() as db:
        before = (await db.execute(names)).scalars()
        await create_key(database, [Scope("trips:read")], "ann")
        after = (await db.execute(names)).scalars()

    assert before == after


class Gateway:
    """A proxy to the server that can be closed and opened again."""

    def __init__(self, url: str) -> None:
        self._to = make_url(url)
        self._port = 0
        self._open = anyio.CancelScope()

    @property
    def url(self) -> str:
        way = self._to.set(host="127.0.0.1", port=self._port, query={"ssl": "disable"})
        return way.render_as_string(hide_password=False)

    async def serve(self, *, task_status: anyio.abc.TaskStatus[None]) -> None:
        listener = await anyio.create_tcp_listener(local_host="127.0.0.1", local_port=self._port)
        self._port = listener.extra(anyio.abc.SocketAttribute.local_port)  # noqa: S610  (no database)
        with anyio.CancelScope() as self._open:
            async with listener:
                task_status.started()
                await listener.serve(self._connect)

    def close(self) -> None:
        self._open.cancel()

    async def _connect(self, near: SocketStream) -> None:
        async with near, await self._far_end() as far, anyio.create_task_group() as both:
            both.start_soon(_pass_on, near, far, both.cancel_scope)
            both.start_soon(_pass_on, far, near, both.cancel_scope)

    async def _far_end(self) -> SocketStream:
        socket = self._to.query.get("host")
        if isinstance(socket, str):
            return await anyio.connect_unix(f"{socket}/.s.PGSQL.5432")
        return await anyio.connect_tcp(self._to.host or "127.0.0.1", self._to.port or 5432)


async def _pass_on(one: SocketStream, other: SocketStream, both: anyio.CancelScope) -> None:
    try:
        async for part in one:
            await other.send(part)
    except (anyio.BrokenResourceError, anyio.ClosedResourceError):
        pass
    both.cancel()


@pytest.fixture
async def gateway(database: str) -> AsyncGenerator[tuple[Gateway, Callable[[], Any]]]:
    """The proxy to the database, and a function that opens it again."""
    way = Gateway(database)
    async with anyio.create_task_group() as tasks:
        again = partial(tasks.start, way.serve)
        await again()
        yield way, again
        way.close()


@asynccontextmanager
async def speaking(database: str) -> AsyncGenerator[tuple[httpx.AsyncClient, str]]:
    """Both APIs over this database, and the path of a trip in it."""
    async with (
        open_backend(database, require_keys=False) as app,
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://backend") as api,
    ):
        group = (await api.get("/api/v1/me")).json()["defaultGroupId"]
        new = {"groupId": group, "title": "T", "startDate": "2027-01-01", "endDate": "2027-01-02"}
        made = await api.post("/api/v1/trips", json=new)
        yield api, f"/api/v1/trips/{made.json()['_id']}"


async def test_a_lost_database_is_one_sentence_until_it_is_back(
    gateway: tuple[Gateway, Callable[[], Any]], pin: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    way, open_again = gateway
    async with speaking(way.url) as (api, trip):
        made = await api.post(f"{trip}/map-pins", json=pin, headers=RETRY)
        way.close()
        await anyio.wait_all_tasks_blocked()

        lost = [await api.get(trip), await api.post(f"{trip}/map-pins", json=pin, headers=RETRY)]
        event = await api.get("/v1/events/1")
        await open_again()
        again = await api.post(f"{trip}/map-pins", json=pin, headers=RETRY)

    assert [answer.status_code for answer in (*lost, event)] == [500] * 3
    sentence = "The database cannot be reached just now; try again in a moment."
    assert [(answer.json()["error"]["code"], answer.json()["error"]["message"]) for answer in lost] == [
        ("INTERNAL_ERROR", sentence)
    ] * 2
    assert event.json() == {"error": sentence}
    assert [record.name for record in caplog.records] == ["trips_mcp.backend"] * 3
    assert not any(record.exc_info for record in caplog.records)
    assert (make_url(way.url).password or "") not in caplog.text
    assert again.content == made.content
    assert again.headers["idempotent-replayed"] == "true"


async def test_what_was_lost_in_the_middle_is_done_once_when_it_is_repeated(
    gateway: tuple[Gateway, Callable[[], Any]], database: str, pin: dict[str, Any], waiting: Callable[[int], Any]
) -> None:
    way, open_again = gateway
    answers: list[httpx.Response] = []
    async with speaking(way.url) as (api, trip):

        async def send() -> None:
            answers.append(await api.post(f"{trip}/map-pins", json=pin, headers=RETRY))

        async with locked_trips(database), anyio.create_task_group() as tasks:
            tasks.start_soon(send)
            await waiting(1)
            way.close()
        await open_again()
        await send()
        pins = (await api.get(f"{trip}/map-pins")).json()["items"]

    assert [answer.status_code for answer in answers] == [500, 201]
    assert pins == [answers[1].json()]


async def test_connections_that_the_server_closed_are_replaced_unnoticed(database: str, postgresql: Server) -> None:
    others = "FROM pg_stat_activity WHERE application_name = 'trips-mcp' AND datname = current_database()"
    async with speaking(database) as (api, trip):
        async with anyio.create_task_group() as tasks:
            for _ in range(CONNECTIONS):
                tasks.start_soon(api.get, trip)
        ended = postgresql.run(database, f"SELECT pg_terminate_backend(pid, 5000) {others}")
        for _ in range(20):  # rounds of the event loop, which has to read that they ended
            await anyio.lowlevel.checkpoint()

        answers = [await api.get(trip) for _ in range(CONNECTIONS)]

    assert len(ended) > 1
    assert {answer.status_code for answer in answers} == {200}


async def test_who_finds_every_connection_in_use_hears_so_in_time(database: str) -> None:
    async with open_database(database, patience=0.05) as opened, AsyncExitStack() as held:
        for _ in range(CONNECTIONS):
            await held.enter_async_context(opened.reading())

        with pytest.raises(DatabaseLostError):
            async with opened.reading():
                pass


@asynccontextmanager
async def locked_trips(database: str) -> AsyncGenerator[None]:
    """Locks all trips against writes until the block ends."""
    engine = create_async_engine(database)
    try:
        async with engine.begin() as db:
            await db.execute(text("SELECT id FROM trips FOR UPDATE"))
            yield
    finally:
        await engine.dispose()


@pytest.fixture
def waiting(database: str, postgresql: Server) -> Callable[[int], Any]:
    """Returns when this many connections wait for a lock."""
    query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"

    async def wait(number: int) -> None:
        with anyio.fail_after(30):
            while postgresql.run(database, query) != [(number,)]:
                await anyio.lowlevel.checkpoint()

    return wait


async def test_a_repeated_request_waits_for_the_first_wherever_that_runs(
    database: str, pin: dict[str, Any], waiting: Callable[[int], Any]
) -> None:
    answers: list[httpx.Response] = []
    async with speaking(database) as (one, trip), speaking(database) as (other, _):

        async def send(api: httpx.AsyncClient) -> None:
            answers.append(await api.post(f"{trip}/map-pins", json=pin, headers=RETRY))

        async with anyio.create_task_group() as tasks, locked_trips(database):
            tasks.start_soon(send, one)
            await waiting(1)
            tasks.start_soon(send, other)
            await waiting(2)
        pins = (await one.get(f"{trip}/map-pins")).json()["items"]

    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].content == answers[1].content
    assert sorted(answer.headers.get("idempotent-replayed", "no") for answer in answers) == ["no", "true"]
    assert len(pins) == 1


async def test_events_changed_at_once_count_every_revision(database: str) -> None:
    revisions: list[int] = []
    async with speaking(database) as (one, _), speaking(database) as (other, _):
        new = {"type": "meal", "title": "x", "date": "2027-01-01", "attach": {"trip_ids": [1, 2]}}
        event = (await one.post("/v1/events", json=new)).json()["event_id"]

        async def change(api: httpx.AsyncClient, title: str) -> None:
            revisions.append((await api.patch(f"/v1/events/{event}", json={"title": title})).json()["revision"])

        with anyio.fail_after(60):
            async with anyio.create_task_group() as tasks:
                for number in range(20):
                    tasks.start_soon(change, (one, other)[number % 2], f"title {number}")
        told = (await one.get("/v1/trips/1/itinerary")).json()

    assert sorted(revisions) == list(range(1, 21))
    assert told["revision"] == 21
