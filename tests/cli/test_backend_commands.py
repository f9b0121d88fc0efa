"""Failures of `backend …` commands: one sentence, exit code 2. Their successes: tests/e2e."""

import io
import re
import shutil
import socket
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest

from trips_mcp.backend.store.sqlite_file import APPLICATION_ID
from trips_mcp.cli.commands import run
from trips_mcp.cli.settings import database_of

KEY = "osk_abcdefghijklmnopqrstuvwxyz0123456789"
BEFORE_ALEMBIC = Path(__file__).parents[1] / "backend/before_alembic.sql"


def only_sentence(code: int | None, out: str, err: str) -> str:
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert err.startswith("trips-mcp: ")
    return err.removeprefix("trips-mcp: ")


def refusal(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """A service that serves after all is ended by the test's time limit."""
    code = run(["backend", *words])
    said = capsys.readouterr()
    return only_sentence(code, said.out, said.err)


def test_a_port_in_use_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        said = refusal(capsys, "serve", "--port", port, "--database", str(tmp_path / "trips.db"))

    assert said.startswith(f"cannot listen on 127.0.0.1 port {port} (")
    assert "--port 0" in said


@pytest.mark.parametrize("host", ["not a host", "256.1.1.1", "a" * 300, "::zz"])
def test_an_invalid_host_is_one_sentence(tmp_path: Path, host: str, capsys: pytest.CaptureFixture[str]) -> None:
    said = refusal(capsys, "serve", "--host", host, "--port", "0", "--database", str(tmp_path / "trips.db"))

    assert said.startswith(f"cannot listen on {host} port 0 (")


@pytest.mark.parametrize("kind", ["folder", "corrupt", "no URL"])
def test_a_database_that_cannot_be_opened_is_one_sentence(
    tmp_path: Path, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "trips.db"
    file.write_bytes(b"not a database at all, but long enough to be looked at. " * 100)
    before = file.read_bytes()
    place = {"folder": str(tmp_path), "corrupt": str(file), "no URL": "oracle-of-delphi://x"}[kind]

    of_service = refusal(capsys, "serve", "--port", "0", "--database", place)
    of_key = refusal(capsys, "create-key", "--database", place, "trips:read")
    of_keys = refusal(capsys, "keys", "--database", place)
    of_revoking = refusal(capsys, "revoke-key", "--database", place, "key_0")
    of_migration = refusal(capsys, "migrate", "--database", place)

    assert of_service == of_key == of_keys == of_revoking == of_migration
    assert file.read_bytes() == before


def test_without_its_driver_postgresql_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "asyncpg", None)  # as if it were not installed

    said = refusal(capsys, "migrate", "--database", "postgresql://trips:s3cret@localhost/trips")

    assert "install trips-mcp[postgresql] in place of trips-mcp" in said
    assert "s3cret" not in said


def test_a_migration_reports_what_it_did(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "trips.db"
    words = ["backend", "migrate", "--database", str(file)]
    codes = [run(words), run(words)]
    new, up_to_date = capsys.readouterr().out.splitlines()
    file.unlink()
    with closing(sqlite3.connect(file)) as db, db:
        db.executescript(BEFORE_ALEMBIC.read_text("utf-8"))
        db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    codes.append(run(words))
    (migrated,) = capsys.readouterr().out.splitlines()

    assert codes == [0, 0, 0]
    assert re.fullmatch(rf"{file} now has its tables \(database version \d+\)\.", new)
    assert re.fullmatch(rf"{file} is up to date \(database version \d+\)\.", up_to_date)
    (copy,) = tmp_path.glob("*.bak")
    assert re.fullmatch(
        rf"{file} was migrated from database version 1 to \d+; as it was before, it is kept in {copy}\.", migrated
    )


def test_a_scope_that_does_not_exist_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    said = refusal(capsys, "create-key", "trips:admin")

    assert said.startswith("'trips:admin' is not a scope; expected trips:read")


@pytest.mark.parametrize(
    ("named", "stdin", "sentence"),
    [
        ("key_0000000000", "", "the database has no such key; trips-mcp backend keys lists those it has."),
        ("-", f"{KEY}\n", "the database has no such key; trips-mcp backend keys lists those it has."),
        ("-", "\n", "stdin is empty; pass the key there."),
        (KEY, "", "expected the id of a key, as trips-mcp backend keys lists it, or - and the key itself on stdin."),
        (" ", "", "expected the id of a key, as trips-mcp backend keys lists it, or - and the key itself on stdin."),
    ],
    ids=["unknown id", "unknown key", "nothing on stdin", "a key that all would see", "nothing"],
)
def test_a_key_that_cannot_be_revoked_is_one_sentence(
    named: str,
    stdin: str,
    sentence: str,
    new_database: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = shutil.copy(new_database, tmp_path)
    monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))

    said = refusal(capsys, "revoke-key", "--database", str(file), named)

    assert said == f"{sentence}\n"


@pytest.mark.parametrize("words", [["keys"], ["revoke-key", "key_0"]], ids=" ".join)
def test_keys_of_a_database_that_is_not_there_are_one_sentence_and_make_none(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = refusal(capsys, *words, "--database", str(tmp_path / "mistyped.db"))

    assert said == f"There is no database {tmp_path / 'mistyped.db'}; name the one that the keys are of.\n"
    assert [*tmp_path.iterdir()] == []


def test_the_database_is_the_setting_unless_a_flag_names_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRIPS_MCP_DATABASE", "set.db")
    monkeypatch.setenv("OSOTO_BASE_URL", "https://trips.example/api/v1")  # a mistake that is not its business

    assert database_of(None) == "set.db"
    assert database_of("flagged.db") == "flagged.db"
