"""Which API a client is given."""

import sqlite3
from collections.abc import AsyncGenerator, Callable
from pathlib import Path

import anyio
import pytest
from anyio.abc import SocketAttribute, SocketStream

from trips_mcp.client import CannotConnectError, NotConfiguredError, NotFoundError
from trips_mcp.connect import connect
from trips_mcp.contract.trips import CreateTrip
from trips_mcp.settings import Settings


@pytest.fixture
async def service() -> AsyncGenerator[str]:
    """The address of a service that has nothing of what it is asked for."""

    async def answer(stream: SocketStream) -> None:
        async with stream:
            await stream.receive()
            await stream.send(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, answer)
        yield f"http://127.0.0.1:{listener.extra(SocketAttribute.local_port)}"  # noqa: S610 - no Django's
        tasks.cancel_scope.cancel()


async def test_with_no_key_trips_are_kept_in_the_database_file(tmp_path: Path) -> None:
    settings = Settings.from_env(
        {
            "TRIPS_MCP_DATABASE": str(tmp_path / "new" / "trips.db"),
            "TRIPS_MCP_JOURNAL": str(tmp_path / "new" / "journal.db"),
        }
    )

    async with connect(settings) as client:
        group = (await client.me()).default_group_id
        assert group is not None
        made = await client.trips.create(
            CreateTrip(group_id=group, title="Kyoto", start_date="2026-11-01", end_date="2026-11-09")
        )
    async with connect(settings) as client:
        found = await client.trips.get(made.id)
        events = await client.events.list(made.number or 0)

    assert found.title == "Kyoto"
    assert events.events == []


async def test_with_a_key_its_api_is_called_and_no_other(tmp_path: Path, service: str) -> None:
    settings = Settings.from_env(
        {
            "OSOTO_API_KEY": "osk_1",
            "OSOTO_BASE_URL": service,
            "TRIPS_MCP_DATABASE": str(tmp_path / "trips.db"),
            "TRIPS_MCP_JOURNAL": str(tmp_path / "journal.db"),
        }
    )

    async with connect(settings) as client:
        with pytest.raises(NotFoundError, match=r"^The Trips API"):
            await client.trips.list()
        with pytest.raises(NotConfiguredError):
            await client.events.get(1)

    assert not (tmp_path / "trips.db").exists()


async def test_a_token_opens_the_events_api_alone(service: str) -> None:
    settings = Settings.from_env({"TRAVELMODE_TOKEN": "t", "TRAVELMODE_BASE_URL": service})

    async with connect(settings) as client:
        with pytest.raises(NotFoundError, match=r"^The Events API"):
            await client.events.get(1)
        with pytest.raises(NotConfiguredError):
            await client.trips.list()


async def test_a_key_that_was_not_expanded_opens_nothing(tmp_path: Path) -> None:
    settings = Settings.from_env(
        {"OSOTO_API_KEY": "${OSOTO_API_KEY}", "TRIPS_MCP_DATABASE": str(tmp_path / "trips.db")}
    )

    async with connect(settings) as client:
        with pytest.raises(NotConfiguredError):
            await client.trips.list()

    assert not (tmp_path / "trips.db").exists()


@pytest.mark.parametrize("url", ["http://trips.test", "https://kim:hunter2@trips.test", "file:///etc/passwd"])
async def test_a_hostile_base_url_names_its_setting(url: str) -> None:
    settings = Settings.from_env({"OSOTO_API_KEY": "osk_1", "OSOTO_BASE_URL": url})

    with pytest.raises(CannotConnectError, match=r"^OSOTO_BASE_URL: The base URL [^\n]*\.$") as caught:
        async with connect(settings):
            pass

    assert "hunter2" not in str(caught.value)


async def test_the_journal_of_the_settings_is_opened_with_the_first_write(tmp_path: Path) -> None:
    journal = tmp_path / "notes" / "journal.db"
    settings = Settings.from_env({"TRIPS_MCP_DATABASE": str(tmp_path / "trips.db"), "TRIPS_MCP_JOURNAL": str(journal)})

    async with connect(settings) as client:
        group = (await client.me()).default_group_id
        after_reading = journal.exists()
        await client.trips.create(
            CreateTrip(group_id=group or "", title="Kyoto", start_date="2026-11-01", end_date="2026-11-09")
        )

    assert not after_reading
    assert journal.exists()


def a_folder(path: Path) -> None:
    (path / "trips.db").mkdir(parents=True)


def not_a_database(path: Path) -> None:
    path.write_bytes(b"These are no trips. " * 1000)


def someone_elses(path: Path) -> None:
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE recipes (name TEXT)")
    database.close()


@pytest.mark.parametrize("put", [a_folder, not_a_database, someone_elses])
async def test_a_database_that_cannot_be_used_is_one_sentence(tmp_path: Path, put: Callable[[Path], None]) -> None:
    path = tmp_path / "trips.db"
    put(path)

    with pytest.raises(CannotConnectError) as caught:
        async with connect(Settings.from_env({"TRIPS_MCP_DATABASE": str(path)})):
            pass

    assert str(caught.value).endswith(".")
    assert "\n" not in str(caught.value)
