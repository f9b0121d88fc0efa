"""Opening a database: made, recognised, migrated, or refused in one sentence (DESIGN)."""

# ruff: noqa: ASYNC240  (a test may wait for the disk)

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Connection, text

from trips_mcp.backend import DatabaseError, create_key, open_backend
from trips_mcp.backend.database import open_database
from trips_mcp.backend.schema import SCHEMA, Schema
from trips_mcp.contract.scopes import Scope


@pytest.fixture
def database(tmp_path: Path) -> str:
    """Not there yet."""
    return str(tmp_path / "trips.db")


async def opened(database: str) -> None:
    async with open_backend(database, require_keys=False):
        pass


async def refusal(database: str) -> str:
    """The sentence that refuses it."""
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


def test_eight_processes_may_open_a_fresh_file_at_once(database: str) -> None:
    code = (
        "import asyncio, sys; from trips_mcp.backend import open_backend, opening\n"
        "async def main():\n"
        "    print('ready', flush=True); sys.stdin.readline()\n"
        "    async with open_backend(sys.argv[1], require_keys=False) as app: print(app is not None)\n"
        "asyncio.run(main())"
    )
    processes = [
        subprocess.Popen([sys.executable, "-c", code, database], stdin=-1, stdout=-1, stderr=-1, text=True)
        for _ in range(8)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"

    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    told = [process.communicate(timeout=60) for process in processes]

    assert told == [("True\n", "")] * 8
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


async def test_an_empty_file_is_taken_for_a_new_database(database: str) -> None:
    Path(database).touch()

    await opened(database)


async def test_a_locked_database_is_refused(database: str) -> None:
    await opened(database)
    with closing(sqlite3.connect(database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")

        with pytest.raises(DatabaseError, match="is locked by another program"):
            async with open_database(database, patience=0.05):
                pass


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
    sql("UPDATE schema_version SET version = 7")

    sentence = await refusal(database)

    assert "7" in sentence
    assert str(SCHEMA.version) in sentence
    assert sql("SELECT version FROM schema_version") == [(7,)]


async def test_a_database_that_does_not_know_its_version_is_refused(
    database: str, sql: Callable[..., list[Any]]
) -> None:
    await opened(database)
    sql("DELETE FROM schema_version")

    assert "does not say its version" in await refusal(database)


def add_nickname(db: Connection) -> None:
    db.execute(text("ALTER TABLE users ADD COLUMN nickname TEXT"))


def break_half_way(db: Connection) -> None:
    add_nickname(db)
    db.execute(text("ALTER TABLE nowhere ADD COLUMN x TEXT"))


async def test_an_older_database_is_copied_and_then_migrated(database: str, sql: Callable[..., list[Any]]) -> None:
    await create_key(database, [Scope("trips:read")], "ann")
    next_schema = Schema(SCHEMA.version + 1, SCHEMA.metadata, {SCHEMA.version: add_nickname})

    async with open_database(database, next_schema):
        pass
    async with open_database(database, next_schema):
        pass

    assert sql("SELECT version FROM schema_version") == [(SCHEMA.version + 1,)]
    assert sql("SELECT name, nickname FROM users") == [("ann", None)]
    (copy,) = Path(database).parent.glob("trips.db.v*.bak")
    assert copy.name.startswith(f"trips.db.v{SCHEMA.version}-")
    with closing(sqlite3.connect(copy)) as db:
        assert db.execute("SELECT version FROM schema_version").fetchall() == [(SCHEMA.version,)]
        assert db.execute("SELECT name FROM users").fetchall() == [("ann",)]
    if os.name == "posix":
        assert copy.stat().st_mode & 0o777 == 0o600
    assert str(SCHEMA.version + 1) in await refusal(database)


async def test_a_database_that_cannot_be_copied_is_not_migrated(tmp_path: Path) -> None:
    database = str(tmp_path / f"{'x' * 240}.db")  # its copy's name would be longer than a file's may be
    await opened(database)

    with pytest.raises(DatabaseError, match="cannot be backed up"):
        async with open_database(database, Schema(SCHEMA.version + 1, SCHEMA.metadata, {SCHEMA.version: add_nickname})):
            pass

    await opened(database)


async def test_a_migration_that_fails_leaves_all_as_it_was(database: str, sql: Callable[..., list[Any]]) -> None:
    await opened(database)

    with pytest.raises(DatabaseError):
        async with open_database(
            database, Schema(SCHEMA.version + 1, SCHEMA.metadata, {SCHEMA.version: break_half_way})
        ):
            pass

    assert sql("SELECT version FROM schema_version") == [(SCHEMA.version,)]
    assert "nickname" not in [column[1] for column in sql("PRAGMA table_info(users)")]
    assert list(Path(database).parent.glob("*.bak")) == []
    await opened(database)


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
