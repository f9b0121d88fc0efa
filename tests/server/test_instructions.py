"""What every model reads before its first tool."""

import pytest

from trips_mcp.server.instructions import instructions
from trips_mcp.settings import Settings
from trips_mcp.tools.catalogue import catalogue

KEYS = {"OSOTO_API_KEY": "osk_secret", "TRAVELMODE_TOKEN": "tm_secret"}
ENVIRONMENTS = [
    {},
    KEYS,
    {"OSOTO_API_KEY": "osk_secret"},
    {"TRAVELMODE_TOKEN": "tm_secret"},
    {"OSOTO_API_KEY": "${KEY}", "TRAVELMODE_TOKEN": "${TOKEN}", "TRIPS_MCP_UNKNOWN": "x"},
]


@pytest.mark.parametrize("env", ENVIRONMENTS)
def test_they_are_short_and_name_only_tools_that_are_there(env: dict[str, str]) -> None:
    settings = Settings.from_env({"TRIPS_MCP_DATABASE": "/home/someone/trips.db", **env})

    said = instructions(settings)

    everything = {listing["name"] for listing in catalogue(["trips", "events"])}
    there = {listing["name"] for listing in catalogue(settings.apis)}
    assert len(said) < 2000
    assert not [name for name in everything - there if name in said]
    assert "secret" not in said


def test_local_trips_are_said_to_be_local_and_where() -> None:
    said = instructions(Settings.from_env({"TRIPS_MCP_DATABASE": "/home/someone/trips.db"}))

    assert "a file on this computer, /home/someone/trips.db" in said


@pytest.mark.parametrize(
    ("database", "place"),
    [
        ("sqlite+aiosqlite:////data/trips.db", "/data/trips.db"),
        ("sqlite:///trips.db?mode=rwc", "/trips.db,"),
        ("sqlite+aiosqlite://", "in memory"),
        ("postgresql+asyncpg://me:hunter2@db.example.com/trips", "in a database of the user's own"),
    ],
)
def test_where_is_told_without_a_password(database: str, place: str) -> None:
    said = instructions(Settings.from_env({"TRIPS_MCP_DATABASE": database}))

    assert place in said
    assert "hunter2" not in said


def test_with_an_account_nothing_is_said_of_local_files() -> None:
    assert "this computer" not in instructions(Settings.from_env(KEYS))


def test_what_the_settings_want_said_is_said() -> None:
    settings = Settings.from_env({"OSOTO_API_KEY": "${KEY}"})

    said = instructions(settings)

    assert settings.notices
    assert all(notice in said for notice in settings.notices)
