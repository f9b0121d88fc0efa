"""`backend …` where it cannot do what it is asked: one sentence, exit code 2. Where it can: tests/e2e."""

import socket
from pathlib import Path

import pytest

from trips_mcp.cli.commands import run
from trips_mcp.cli.environment import database_of


def refusal(words: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """What `trips-mcp` says in its one sentence."""
    code = run(words)

    captured = capsys.readouterr()
    assert code == 2
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert captured.err.startswith("trips-mcp: ")
    return captured.err.removeprefix("trips-mcp: ")


def test_a_port_in_use_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        said = refusal(["backend", "serve", "--port", port, "--database", str(tmp_path / "trips.db")], capsys)

    assert said.startswith(f"cannot listen on 127.0.0.1 port {port} (")
    assert "--port 0" in said


@pytest.mark.parametrize("host", ["not a host", "", "256.1.1.1", "a" * 300, "::zz"])
def test_a_host_that_cannot_be_is_one_sentence(tmp_path: Path, host: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["backend", "serve", "--host", host, "--port", "0", "--database", str(tmp_path / "trips.db")]

    assert refusal(words, capsys).startswith(f"cannot listen on {host} port 0 (")


@pytest.mark.parametrize("words", [["serve", "--port", "0"], ["create-key", "trips:read"]], ids=lambda words: words[0])
@pytest.mark.parametrize("kind", ["folder", "corrupt", "no URL"])
def test_a_database_that_cannot_be_opened_is_one_sentence(
    tmp_path: Path, kind: str, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "trips.db"
    file.write_bytes(b"not a database at all, but long enough to be looked at. " * 100)
    before = file.read_bytes()
    place = {"folder": str(tmp_path), "corrupt": str(file), "no URL": "oracle-of-delphi://x"}[kind]

    refusal(["backend", *words, "--database", place], capsys)

    assert file.read_bytes() == before


def test_a_scope_that_does_not_exist_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    said = refusal(["backend", "create-key", "trips:admin"], capsys)

    assert said.startswith("'trips:admin' is not a scope; want trips:read")


def test_the_database_is_the_setting_unless_a_flag_names_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRIPS_MCP_DATABASE", "set.db")
    monkeypatch.setenv("OSOTO_BASE_URL", "https://trips.example/api/v1")  # a mistake that is not its business

    assert database_of(None) == "set.db"
    assert database_of("flagged.db") == "flagged.db"
