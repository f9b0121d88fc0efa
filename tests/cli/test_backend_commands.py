"""`backend …` where it cannot do what it is asked: one sentence, exit code 2. Where it can: tests/e2e."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from trips_mcp.cli.commands import run
from trips_mcp.cli.environment import database_of


def only_sentence(code: int | None, out: str, err: str) -> str:
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert err.startswith("trips-mcp: ")
    return err.removeprefix("trips-mcp: ")


def refusal_to_serve(*flags: str) -> str:
    """In a process of its own: should it serve after all, it would go on for ever."""
    command = [sys.executable, "-m", "trips_mcp", "backend", "serve", *flags]
    ended = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=30, check=False)
    return only_sentence(ended.returncode, ended.stdout, ended.stderr)


def refusal_to_create_key(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    code = run(["backend", "create-key", *words])
    said = capsys.readouterr()
    return only_sentence(code, said.out, said.err)


def test_a_port_in_use_is_one_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        said = refusal_to_serve("--port", port, "--database", str(tmp_path / "trips.db"))

    assert said.startswith(f"cannot listen on 127.0.0.1 port {port} (")
    assert "--port 0" in said


@pytest.mark.parametrize("host", ["not a host", "256.1.1.1", "a" * 300, "::zz"])
def test_a_host_that_cannot_be_is_one_sentence(tmp_path: Path, host: str) -> None:
    said = refusal_to_serve("--host", host, "--port", "0", "--database", str(tmp_path / "trips.db"))

    assert said.startswith(f"cannot listen on {host} port 0 (")


@pytest.mark.parametrize("kind", ["folder", "corrupt", "no URL"])
def test_a_database_that_cannot_be_opened_is_one_sentence(
    tmp_path: Path, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "trips.db"
    file.write_bytes(b"not a database at all, but long enough to be looked at. " * 100)
    before = file.read_bytes()
    place = {"folder": str(tmp_path), "corrupt": str(file), "no URL": "oracle-of-delphi://x"}[kind]

    of_service = refusal_to_serve("--port", "0", "--database", place)
    of_key = refusal_to_create_key(capsys, "--database", place, "trips:read")

    assert of_service == of_key
    assert file.read_bytes() == before


def test_a_scope_that_does_not_exist_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    said = refusal_to_create_key(capsys, "trips:admin")

    assert said.startswith("'trips:admin' is not a scope; want trips:read")


def test_the_database_is_the_setting_unless_a_flag_names_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRIPS_MCP_DATABASE", "set.db")
    monkeypatch.setenv("OSOTO_BASE_URL", "https://trips.example/api/v1")  # a mistake that is not its business

    assert database_of(None) == "set.db"
    assert database_of("flagged.db") == "flagged.db"
