"""Opening a database creates, recognises, migrates or refuses it, with one sentence for errors."""

# ruff: noqa: ASYNC240  (a test may wait for the disk)

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from sqlalchemy import text

from trips_mcp.backend import DatabaseError, create_key, open_backend
from trips_mcp.backend.store.database import open_database
from trips_mcp.backend.store.schema import SCHEMA, Schema
from trips_mcp.backend.store.sqlite_file import APPLICATION_ID, look
from trips_mcp.scopes import Scope


@pytest.fixture
def database(tmp_path: Path) -> str:
    """A path without a file."""
    return str(tmp_path / "trips.db")


async def opened(database: str) -> None:
    async with open_backend(database, require_keys=False):
        pass


async def refusal(database: str) -> str:
    """The message of the error."""
    with pytest.raises(DatabaseError) as refused:
        await opened(database)
    sentence = str(refused.value)
    assert "\n" not in sentence
    assert sentence.endswith(".")
    return sentence


async def test_a_new_database_is_its_owners_alone(tmp_path: Path) -> None:
    file = tmp_path / "not" / "yet" / "trips.db"

    await opened(str(file))

    assert file.is_file()
    if os.name == "posix":
        assert file.stat().st_mode & 0o777 == 0o600


async def test_trips_outlive_the_process(database: str) -> None:
    trips: list[Any] = []
    for _ in range(2):
        async with (
            open_backend(database, require_keys=False) as app,
            httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://b/api/v1") as api,
        ):
            group = (await api.get("/me")).json()["defaultGroupId"]
            new = {"groupId": group, "title": "T", "startDate": "2027-01-01", "endDate": "2027-01-02"}
            await api.post("/trips", json=new)
            trips = (await api.get("/trips")).json()["items"]

    assert [trip["number"] for trip in trips] == [1, 2]


@pytest.mark.parametrize("uri", ["file:trips.db", "sqlite:///file:trips.db?uri=true"])
async def test_a_uri_of_sqlites_own_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, uri: str) -> None:
    monkeypatch.chdir(tmp_path)

    assert "use the file's path" in await refusal(uri)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("form", ["sqlite:///{}", "sqlite+aiosqlite:///{}", "{}"])
async def test_a_database_is_named_by_path_or_url(tmp_path: Path, form: str) -> None:
    await opened(form.format(tmp_path / "trips.db"))

    assert (tmp_path / "trips.db").is_file()


@pytest.mark.parametrize("form", [":memory:", "sqlite://", "sqlite:///:memory:", "sqlite+aiosqlite://"])
async def test_a_database_in_memory_serves_like_any_other(form: str) -> None:
    async with (
        open_backend(form, require_keys=False) as app,
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://b/api/v1") as api,
    ):
        group = (await api.get("/me")).json()["defaultGroupId"]
        new = {"groupId": group, "title": "T", "startDate": "2027-01-01", "endDate": "2027-01-02"}
        assert (await api.post("/trips", json=new)).status_code == 201
        assert len((await api.get("/trips")).json()["items"]) == 1


EIGHT = """
import asyncio, os, sys
from trips_mcp.backend import open_backend

async def opened(database):
    async with open_backend(database, require_keys=False) as app:
        return app is not None

asyncio.run(opened(":memory:"))  # all is imported before there are eight of it
waiting, go = os.pipe()
children = 0
while children < 8 and os.fork():
    children += 1
os.close(go)
if children < 8:
    os.read(waiting, 1)
    sys.stdout.write(f"{asyncio.run(opened(sys.argv[1]))}\\n")
else:
    print(*(os.wait()[1] for _ in range(8)))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="to import everything eight times would take too long")
def test_eight_processes_may_open_a_fresh_file_at_once(database: str) -> None:
    command = [sys.executable, "-c", EIGHT, database]

    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    assert (ended.stdout, ended.stderr) == ("True\n" * 8 + "0 0 0 0 0 0 0 0\n", "")
    with closing(sqlite3.connect(database)) as db:
        assert db.execute("SELECT count(*) FROM users").fetchone() == (1,)
        assert db.execute("SELECT count(*) FROM groups").fetchone() == (1,)


async def test_a_folder_is_no_database(tmp_path: Path) -> None:
    assert "is a folder" in await refusal(str(tmp_path))


async def test_a_file_in_the_place_of_its_folder_is_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")

    assert "cannot be made" in await refusal(str(tmp_path / "file" / "trips.db"))
    assert "cannot be made" in await refusal(str(tmp_path / "file" / "deeper" / "trips.db"))


@pytest.mark.parametrize("name", ["a\0b", "x" * 5000])
async def test_an_impossible_name_is_refused(tmp_path: Path, name: str) -> None:
    await refusal(str(tmp_path / name))


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write anywhere")
async def test_a_place_that_may_not_be_written_to_is_refused(tmp_path: Path) -> None:
    await opened(str(tmp_path / "trips.db"))
    (tmp_path / "trips.db").chmod(0o400)
    tmp_path.chmod(0o500)
    try:
        await refusal(str(tmp_path / "other.db"))
        assert "cannot be written" in await refusal(str(tmp_path / "trips.db"))
    finally:
        tmp_path.chmod(0o700)


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a file system that takes no files, even of root")
async def test_a_file_system_that_takes_no_files_is_refused() -> None:
    await refusal("/proc/trips.db")
    await refusal("/proc/trips/trips.db")


@pytest.mark.parametrize("content", [b"not a database at all, but long enough to look like one" * 20, b"Packing list"])
async def test_a_file_of_something_else_is_refused_and_left_alone(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "trips.db"
    file.write_bytes(content)

    assert "is not a database" in await refusal(str(file))
    assert file.read_bytes() == content
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("how", ["truncated", "without its tables"])
async def test_an_emptied_database_is_not_taken_for_a_new_one(database: str, how: str) -> None:
    await opened(database)
    if how == "truncated":
        os.truncate(database, 0)
    else:
        with closing(sqlite3.connect(database)) as db:
            db.execute("PRAGMA foreign_keys = OFF")
            for (name,) in db.execute("SELECT name FROM sqlite_master WHERE sql LIKE 'CREATE TABLE%'").fetchall():
                if name != "sqlite_sequence":
                    db.execute(f'DROP TABLE "{name}"')
            db.execute("PRAGMA writable_schema = ON")
            db.execute("DELETE FROM sqlite_master")
            db.commit()

    sentence = await refusal(database)

    assert "is empty, and the trips that it may have held are lost; restore a backup" in sentence


async def test_a_link_to_nothing_is_not_followed(tmp_path: Path) -> None:
    elsewhere, link = tmp_path / "elsewhere.db", tmp_path / "trips.db"
    link.symlink_to(elsewhere)

    assert f"is a link to {elsewhere}, which does not exist" in await refusal(str(link))
    assert list(tmp_path.iterdir()) == [link]


async def test_many_that_make_a_database_at_once_make_one(database: str) -> None:
    async with anyio.create_task_group() as tasks:
        for _ in range(8):
            tasks.start_soon(opened, database)

    assert [file.name for file in Path(database).parent.iterdir()] == ["trips.db"]


async def test_damage_inside_a_database_is_found_by_looking(database: str) -> None:
    await opened(database)
    content = bytearray(Path(database).read_bytes())
    content[3 * 4096 : 4 * 4096] = b"\xff" * 4096
    Path(database).write_bytes(content)

    with closing(sqlite3.connect(database)) as db, pytest.raises((DatabaseError, sqlite3.DatabaseError)) as found:
        look(db, Path(database))

    assert "damaged" in str(found.value)


async def test_a_damaged_database_is_refused(database: str) -> None:
    await opened(database)
    file = Path(database)
    whole = file.read_bytes()
    file.write_bytes(whole[:100] + b"\xff" * (len(whole) - 100))

    assert "damaged" in await refusal(database)


async def test_the_database_of_another_program_is_refused_and_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "photos.db"
    with closing(sqlite3.connect(file)) as db, db:
        db.execute("CREATE TABLE photos (id)")
    content = file.read_bytes()

    assert "another program" in await refusal(str(file))
    assert file.read_bytes() == content
    assert list(tmp_path.iterdir()) == [file]


async def test_a_locked_database_is_refused(database: str) -> None:
    await opened(database)
    with closing(sqlite3.connect(database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")

        with pytest.raises(DatabaseError, match="is locked by another program"):
            async with open_database(database, patience=0.05) as mine, mine.preparing() as db:
                await db.execute(text("SELECT 1"))


@pytest.mark.parametrize(
    "url", ["nosuch://host/db", "://", "postgresql+nosuch://u:s3cret@h/db", "sqlite://user:s3cret@host/x"]
)
async def test_an_impossible_url_is_refused_without_its_password(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    assert "s3cret" not in await refusal(url)
    assert list(tmp_path.iterdir()) == []


async def test_a_database_of_a_newer_version_is_refused(database: str, sql: Callable[..., list[Any]]) -> None:
    await opened(database)
    sql("UPDATE schema_version SET version_num = '7777'")

    sentence = await refusal(database)

    assert "7777" in sentence
    assert SCHEMA.newest in sentence
    assert sql("SELECT version_num FROM schema_version") == [("7777",)]
    assert list(Path(database).parent.glob("*.bak")) == []


async def test_a_database_that_does_not_know_its_version_is_refused(
    database: str, sql: Callable[..., list[Any]]
) -> None:
    await opened(database)
    sql("DELETE FROM schema_version")

    assert "does not say its version" in await refusal(database)


async def test_a_database_of_before_alembic_is_copied_and_goes_on(database: str, sql: Callable[..., list[Any]]) -> None:
    before_alembic(database)
    trip: dict[str, Any] = {}
    export: dict[str, Any] = {}

    for _ in range(2):
        async with (
            open_backend(database, require_keys=False) as app,
            httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://b/api/v1") as api,
        ):
            (trip,) = (await api.get("/trips")).json()["items"]
            export = (await api.get(f"/trips/{trip['_id']}/export")).json()

    assert trip["title"] == "Kyoto — 京都"
    assert export["legs"][0]["accommodation"] == {"name": "Ryokan", "doorCode": "#4711"}
    assert export["commitments"][0]["legId"] == export["legs"][0]["_id"]
    assert sql("SELECT * FROM schema_version") == [(SCHEMA.newest,)]
    (copy,) = Path(database).parent.glob("*.bak")
    assert copy.name.startswith("trips.db.v1-")
    with closing(sqlite3.connect(copy)) as db:
        assert db.execute("SELECT version FROM schema_version").fetchall() == [(1,)]
        assert db.execute("SELECT title FROM trips").fetchall() == [("Kyoto — 京都",)]


async def test_an_answer_that_was_kept_before_an_update_is_still_given(database: str, leg: dict[str, Any]) -> None:
    before_alembic(database)
    leg |= {"accommodation": {"name": "Ryokan", "doorCode": "#4711"}, "clientRef": "leg-1"}

    async with (
        open_backend(database, require_keys=False, clock=lambda: 1_800_000_000.0) as app,
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://b/api/v1") as api,
    ):
        (trip,) = (await api.get("/trips")).json()["items"]
        again = await api.post(f"/trips/{trip['_id']}/legs", json=leg, headers={"Idempotency-Key": "first"})

    assert again.status_code == 201
    assert again.headers["idempotent-replayed"] == "true"
    assert again.json() == leg | {"_id": "leg_1eqxzc0nbn", "tripId": trip["_id"]}


async def test_a_version_of_before_alembic_that_never_was_is_refused(
    database: str, sql: Callable[..., list[Any]]
) -> None:
    before_alembic(database)
    sql("UPDATE schema_version SET version = 2")

    assert "was written by a newer trips-mcp" in await refusal(database)
    assert sql("SELECT * FROM schema_version") == [(2,)]


async def test_an_older_database_is_copied_and_then_migrated(
    database: str, next_schema: Callable[[str], Schema], sql: Callable[..., list[Any]]
) -> None:
    await create_key(database, [Scope("trips:read")], "ann")
    schema = next_schema("op.add_column('users', sa.Column('nickname', sa.Text()))")

    for _ in range(2):
        async with open_database(database, schema):
            pass

    assert sql("SELECT version_num FROM schema_version") == [(schema.newest,)]
    assert sql("SELECT name, nickname FROM users") == [("ann", None)]
    (copy,) = Path(database).parent.glob("trips.db.v*.bak")
    assert copy.name.startswith(f"trips.db.v{SCHEMA.newest}-")
    with closing(sqlite3.connect(copy)) as db:
        assert db.execute("SELECT version_num FROM schema_version").fetchall() == [(SCHEMA.newest,)]
        assert db.execute("SELECT name FROM users").fetchall() == [("ann",)]
    if os.name == "posix":
        assert copy.stat().st_mode & 0o777 == 0o600
    assert schema.newest in await refusal(database)


async def test_a_table_that_is_made_anew_takes_nothing_along(
    database: str, next_schema: Callable[[str], Schema], sql: Callable[..., list[Any]]
) -> None:
    before_alembic(database)
    schema = next_schema(
        "with op.batch_alter_table('trips') as trips: trips.alter_column('title', new_column_name='heading')"
    )

    async with open_database(database, schema):
        pass

    assert sql("SELECT heading FROM trips") == [("Kyoto — 京都",)]
    assert [sql(f"SELECT count(*) FROM {table}") for table in ("legs", "map_pins", "channels")] == [[(1,)]] * 3  # noqa: S608
    assert sql("PRAGMA foreign_key_check") == []


async def test_of_two_that_open_an_older_database_one_migrates_it(
    database: str, next_schema: Callable[[str], Schema]
) -> None:
    await opened(database)
    schema = next_schema("op.add_column('users', sa.Column('nickname', sa.Text()))")

    async def one() -> None:
        async with open_database(database, schema):
            pass

    with anyio.fail_after(30):
        async with anyio.create_task_group() as tasks:
            for _ in range(4):
                tasks.start_soon(one)

    assert len(list(Path(database).parent.glob("*.bak"))) == 1


async def test_a_database_that_cannot_be_copied_is_not_migrated(
    tmp_path: Path, next_schema: Callable[[str], Schema]
) -> None:
    database = str(tmp_path / f"{'x' * 240}.db")  # its copy's name would be longer than a file's may be
    await opened(database)

    with pytest.raises(DatabaseError, match="cannot be backed up"):
        async with open_database(database, next_schema("op.add_column('users', sa.Column('nickname', sa.Text()))")):
            pass

    await opened(database)


@pytest.mark.parametrize(
    "broken",
    [
        "op.add_column('nowhere', sa.Column('x', sa.Text()))",
        "op.execute('DELETE FROM users')",  # which others refer to
        "raise OSError('no reason at all')",
    ],
)
async def test_a_migration_that_fails_leaves_all_as_it_was(
    database: str,
    next_schema: Callable[[str], Schema],
    sql: Callable[..., list[Any]],
    caplog: pytest.LogCaptureFixture,
    broken: str,
) -> None:
    await create_key(database, [Scope("trips:read")], "ann")
    schema = next_schema(f"op.add_column('users', sa.Column('nickname', sa.Text()))\n    {broken}")

    with pytest.raises(DatabaseError, match=f"could not be migrated from version {SCHEMA.newest}") as refused:
        async with open_database(database, schema):
            pass

    assert "\n" not in str(refused.value)
    assert [record.name for record in caplog.records] == ["trips_mcp.backend"]
    assert sql("SELECT version_num FROM schema_version") == [(SCHEMA.newest,)]
    assert "nickname" not in [column[1] for column in sql("PRAGMA table_info(users)")]
    assert list(Path(database).parent.glob("*.bak")) == []
    await opened(database)


def test_a_file_needs_neither_alembic_nor_the_orm(database: str) -> None:
    code = (
        "import asyncio, sys; from trips_mcp.backend import open_backend\n"
        "async def main():\n"
        "    for _ in ('not there yet', 'there'):\n"
        "        async with open_backend(sys.argv[1], require_keys=False): pass\n"
        "        print({'alembic', 'sqlalchemy.orm'} & set(sys.modules))\n"
        "asyncio.run(main())"
    )
    command = [sys.executable, "-c", code, database]

    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    assert (ended.stdout, ended.stderr) == ("set()\nset()\n", "")


def before_alembic(database: str) -> None:
    with closing(sqlite3.connect(database)) as db:
        db.executescript(Path(__file__).with_name("before_alembic.sql").read_text("utf-8"))
        db.execute(f"PRAGMA application_id = {APPLICATION_ID}")


async def test_keys_of_one_user_are_made_in_any_order(database: str, sql: Callable[..., list[Any]]) -> None:
    for group in (None, "Family", "Family"):
        await create_key(database, [Scope("trips:read")], "ann", group=group)
    await create_key(database, [Scope("trips:read")], "bob", group="Family")

    assert sql("SELECT count(*) FROM api_keys") == [(4,)]
    assert sql(
        "SELECT g.name, u.name, m.role FROM group_members m JOIN groups g ON g.id = m.group_id "
        "JOIN users u ON u.id = m.user_id ORDER BY m.seq"
    ) == [
        ("ann's trips", "ann", "owner"),
        ("Family", "ann", "owner"),
        ("bob's trips", "bob", "owner"),
        ("Family", "bob", "member"),
    ]
