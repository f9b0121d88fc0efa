"""The command as a parser: what it offers, what it refuses, and how little it needs to say so."""

import json
import os
import subprocess
import sys

import pytest

from trips_mcp.cli.commands import COMMANDS, run
from trips_mcp.contract import OPERATIONS


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OSOTO_API_KEY", "OSOTO_BASE_URL", "TRAVELMODE_TOKEN", "TRAVELMODE_BASE_URL", "TRIPS_MCP_LOG"):
        monkeypatch.delenv(name, raising=False)


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        run(["--help"])

    shown = capsys.readouterr().out
    assert ended.value.code == 0
    for command in COMMANDS:
        assert f"  {command.words} " in shown
        assert command.summary in shown


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.words)
def test_every_command_explains_itself(command: object, capsys: pytest.CaptureFixture[str]) -> None:
    words = next(known for known in COMMANDS if known is command).words.split()

    with pytest.raises(SystemExit) as ended:
        run([*words, "--help"])

    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith(f"usage: trips-mcp {' '.join(words)}")


@pytest.mark.parametrize(
    "words",
    [
        "dance",
        "--colour",
        "backend",
        "backend dance",
        "backend create-key",
        "backend create-key --user= trips:read",
        "serve --transport carrier-pigeon",
        "tools --jso",
        "backend serve --host=",
        "backend serve --port eighty",
        "backend serve --port 65536",
        "backend serve --port -1",
        "backend serve --rate-limit 0",
        "backend serve --rate-limit sometimes",
    ],
)
def test_what_is_not_a_command_is_a_usage_error(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        run(words.split())

    captured = capsys.readouterr()
    assert ended.value.code == 2
    assert captured.out == ""
    assert captured.err.startswith("usage: trips-mcp")
    assert "error: " in captured.err


def test_tools_lists_each_tool_with_its_operation_and_scope(capsys: pytest.CaptureFixture[str]) -> None:
    code = run(["tools"])

    lines = capsys.readouterr().out.splitlines()
    assert code == 0
    assert [line.split()[0] for line in lines[:-2]] == [operation.name for operation in OPERATIONS]
    for line, operation in zip(lines, OPERATIONS, strict=False):
        assert f" {operation.method} {operation.path} " in line
        assert f" {operation.scope} " in line
        assert line.endswith(".")
    assert lines[-1].startswith("40 tools: ")


def test_tools_as_json_are_the_wire_listings(capsys: pytest.CaptureFixture[str]) -> None:
    code = run(["tools", "--json"])

    listings = json.loads(capsys.readouterr().out)
    assert code == 0
    assert len(listings) == len(OPERATIONS)
    assert all(listing["inputSchema"]["type"] == "object" for listing in listings)


def test_tools_are_those_of_the_keys_that_are_set(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRAVELMODE_TOKEN", "a-token-of-the-events-api")

    run(["tools"])

    assert capsys.readouterr().out.splitlines()[-1].startswith("5 tools: ")


@pytest.mark.parametrize("words", ["tools", "doctor"])
def test_a_mistake_in_the_settings_is_one_sentence(
    words: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OSOTO_BASE_URL", "https://trips.example/api/v1")

    code = run([words])

    captured = capsys.readouterr()
    assert code == 2
    assert captured.err == "trips-mcp: OSOTO_BASE_URL is set without OSOTO_API_KEY; set both, or neither.\n"


def test_the_way_to_stdio_imports_next_to_nothing() -> None:
    heavy = {"argparse", "logging", "json", "asyncio", "anyio", "pydantic", "httpx", "mcp", "mcp_types", "sqlalchemy"}
    asked = "import sys, trips_mcp.cli.stdio; print(*sorted(name.partition('.')[0] for name in sys.modules))"

    env = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}  # it imports, too

    command = [sys.executable, "-c", asked]
    shown = subprocess.run(command, env=env, capture_output=True, check=True, text=True, timeout=60).stdout

    assert "trips_mcp" in shown.split()
    assert not heavy.intersection(shown.split())
