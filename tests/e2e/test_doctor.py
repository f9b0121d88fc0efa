"""`doctor`: every line says what was found, and what to do where it is not well."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import NamedTuple

import anyio
import pytest

from trips_mcp.cli.commands import run


class Ended(NamedTuple):
    returncode: int
    stdout: str
    stderr: str


Doctor = Callable[..., Ended]
Serve = Callable[..., AbstractContextManager[str]]


@pytest.fixture
def doctor(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Doctor:
    """`trips-mcp doctor` with these settings, in this process."""
    for name in ("OSOTO_API_KEY", "OSOTO_BASE_URL", "TRAVELMODE_TOKEN", "TRAVELMODE_BASE_URL", "TRIPS_MCP_LOG"):
        monkeypatch.delenv(name, raising=False)

    def doctor(**settings: str) -> Ended:
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        code = run(["doctor"])
        said = capsys.readouterr()
        return Ended(code, said.out, said.err)

    return doctor


def line_about(report: str, about: str) -> str:
    return next(line for line in report.splitlines() if line[6:].startswith(about))


def test_with_nothing_set_all_is_well_and_local(doctor: Doctor, tmp_path: Path) -> None:
    file = tmp_path / "trips.db"

    ended = doctor(TRIPS_MCP_DATABASE=str(file))

    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert str(file) in line_about(ended.stdout, "database")
    assert line_about(ended.stdout, "trips API").startswith("ok    trips API: you are ")
    assert line_about(ended.stdout, "events API").startswith("ok ")
    assert "rate limit" not in ended.stdout
    assert ended.stdout.endswith("\nAll is well.\n")
    assert ended.stderr == ""


def test_a_key_is_examined_and_never_shown_whole(
    doctor: Doctor, base: str, key_for: Callable[..., Awaitable[str]]
) -> None:
    key = anyio.run(key_for, "a patient", "trips:read", "messages:read")

    ended = doctor(
        OSOTO_API_KEY=key,
        OSOTO_BASE_URL=f"{base}/api/v1",
        TRAVELMODE_TOKEN=key,
        TRAVELMODE_BASE_URL=base,
    )

    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert f"osk_…{key[-4:]}" in ended.stdout
    assert key[4:-4] not in ended.stdout + ended.stderr
    trips = line_about(ended.stdout, "trips API")
    assert trips.startswith("warn")
    assert "may trips:read, messages:read" in trips
    assert "trips:write, messages:write" in trips
    assert line_about(ended.stdout, "events API").startswith("ok ")


def test_what_is_left_of_the_rate_limit_is_told(
    doctor: Doctor, serve: Serve, key_for: Callable[..., Awaitable[str]], database: Path
) -> None:
    key = anyio.run(key_for, "a sparing patient", "trips:read")

    with serve(database, "30") as base:
        ended = doctor(OSOTO_API_KEY=key, OSOTO_BASE_URL=f"{base}/api/v1")

    assert line_about(ended.stdout, "rate limit").startswith("ok    rate limit: 29 of 30 requests are left, for ")


def test_a_wrong_key_is_something_to_mend(doctor: Doctor, base: str) -> None:
    wrong = "osk_0123456789_0123456789"

    ended = doctor(OSOTO_API_KEY=wrong, OSOTO_BASE_URL=f"{base}/api/v1")

    assert ended.returncode == 1
    assert line_about(ended.stdout, "trips API").startswith("fail")
    assert "Set OSOTO_API_KEY to a valid key" in ended.stdout
    assert wrong not in ended.stdout + ended.stderr


def test_an_api_that_is_not_there_is_something_to_mend(doctor: Doctor) -> None:
    nowhere = "http://127.0.0.1:9"  # discard: nothing listens, nothing may be bound there by chance
    settings = {"TRAVELMODE_TOKEN": "a-token-long-enough", "TRAVELMODE_BASE_URL": nowhere}

    ended = doctor(**settings)

    assert ended.returncode == 1
    assert "Check TRAVELMODE_BASE_URL and your network." in line_about(ended.stdout, "events API")


def test_what_answers_may_be_something_else(doctor: Doctor, base: str) -> None:
    ended = doctor(OSOTO_API_KEY="osk_0123456789_0123456789", OSOTO_BASE_URL=f"{base}/nothing-here")

    assert ended.returncode == 1
    assert line_about(ended.stdout, "trips API").startswith("fail")


def test_a_key_that_was_not_expanded_is_something_to_mend(doctor: Doctor, tmp_path: Path) -> None:
    ended = doctor(OSOTO_API_KEY="${OSOTO_API_KEY}", TRIPS_MCP_DATABASE=str(tmp_path / "trips.db"))

    assert ended.returncode == 1
    assert "fail  settings: trips API is off" in ended.stdout
    assert "did not expand" in ended.stdout
    assert not (tmp_path / "trips.db").exists()


@pytest.mark.parametrize("kind", ["folder", "corrupt"])
def test_a_broken_database_is_one_sentence_and_exit_code_2(doctor: Doctor, tmp_path: Path, kind: str) -> None:
    file = tmp_path / "trips.db"
    if kind == "folder":
        file.mkdir()
    else:
        file.write_bytes(b"these bytes are no database, however often they are read. " * 100)

    ended = doctor(TRIPS_MCP_DATABASE=str(tmp_path))

    assert ended.returncode == 2
    assert ended.stderr.startswith("trips-mcp: ")
    assert ended.stderr.count("\n") == 1
    assert "Traceback" not in ended.stdout


def test_a_base_url_that_cannot_be_used_is_one_sentence_without_its_password(doctor: Doctor) -> None:
    ended = doctor(OSOTO_API_KEY="osk_0123456789_0123456789", OSOTO_BASE_URL="https://me:hunter2@trips.example/v1")

    assert ended.returncode == 2
    assert ended.stderr.startswith("trips-mcp: OSOTO_BASE_URL: ")
    assert "hunter2" not in ended.stdout + ended.stderr
