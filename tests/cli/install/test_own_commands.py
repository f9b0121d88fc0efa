"""Clients with a command of their own are configured with it, and its output stays private."""

import json
from typing import TYPE_CHECKING, Any

import pytest

from trips_mcp.cli.install.clients import CLIENTS

if TYPE_CHECKING:
    from .conftest import Desk

URL = "http://127.0.0.1:8848/mcp"
PROGRAMS = {"claude-code": "claude", "gemini-cli": "gemini", "codex": "codex", "vscode": "code"}
OURS: dict[str, Any] = {"command": "uvx", "args": ["trips-mcp"], "env": {"OSOTO_API_KEY": "osk_an-earlier-key"}}

STARTED = " Started once: it offers 3 tools."

every_program = pytest.mark.parametrize(("client", "program"), PROGRAMS.items(), ids=list(PROGRAMS))


def put_ours(desk: "Desk", client: str) -> None:
    toml = (
        '[mcp_servers.trips]\ncommand = "uvx"\nargs = ["trips-mcp"]\nenv = { OSOTO_API_KEY = "osk_an-earlier-key" }\n'
    )
    desk.put(client, toml if client == "codex" else json.dumps({CLIENTS[client].section: {"trips": OURS}}))


@pytest.mark.parametrize(
    ("client", "told"),
    [
        ("claude-code", "mcp add trips --scope user -e OSOTO_API_KEY={key} -- uvx trips-mcp --trip=jx7 --read-only"),
        ("gemini-cli", "mcp add --scope user -e OSOTO_API_KEY={key} trips uvx -- trips-mcp --trip=jx7 --read-only"),
        ("codex", "mcp add trips --env OSOTO_API_KEY={key} -- uvx trips-mcp --trip=jx7 --read-only"),
    ],
)
def test_the_clients_command_gets_the_command_to_start(desk: "Desk", client: str, told: str) -> None:
    desk.program(PROGRAMS[client])

    ended = desk.install(client, "--read-only", "--trip", "jx7", OSOTO_API_KEY=desk.key)

    assert desk.told(PROGRAMS[client]) == [told.format(key=desk.key).split()]
    assert (ended.code, ended.out) == (0, f"Added trips in {CLIENTS[client].title} ({desk.file(client)}).{STARTED}\n")
    assert not desk.file(client).exists()


@pytest.mark.parametrize(
    ("client", "told"),
    [
        ("claude-code", f"mcp add --transport http trips {URL} --scope user --header|Authorization: Bearer {{key}}"),
        ("gemini-cli", f"mcp add --scope user --transport http trips {URL} --header|Authorization: Bearer {{key}}"),
        ("codex", f"mcp add trips --url {URL} --bearer-token-env-var OSOTO_API_KEY"),
    ],
)
def test_the_clients_command_gets_an_address(desk: "Desk", client: str, told: str) -> None:
    desk.program(PROGRAMS[client])

    desk.install(client, "--url", URL, OSOTO_API_KEY=desk.key)

    words, _, last = told.format(key=desk.key).partition("|")
    assert desk.told(PROGRAMS[client]) == [[*words.split(), *([last] if last else [])]]


def test_vs_code_gets_json(desk: "Desk") -> None:
    desk.program("code")

    desk.install("vscode", OSOTO_API_KEY=desk.key)
    desk.install("vscode", "--name", "team", "--url", URL)

    (flag, started), (_, reached) = desk.told("code")
    assert flag == "--add-mcp"
    assert json.loads(started) == {
        "name": "trips",
        "type": "stdio",
        "command": str(desk.programs / "uvx"),
        "args": ["trips-mcp"],
        "env": {"OSOTO_API_KEY": desk.key},
    }
    assert json.loads(reached) == {"name": "team", "type": "http", "url": URL}


@every_program
def test_output_of_the_clients_command_is_not_shown(desk: "Desk", client: str, program: str) -> None:
    """The stand-in repeats everything it is told, as some clients do."""
    desk.program(program, failing="trips-mcp")

    done = desk.install(client, OSOTO_API_KEY=desk.key, TRIPS_MCP_LOG="info")
    failed = desk.install(client, "--name", "trips-mcp", OSOTO_API_KEY=desk.key)

    assert len(desk.told(program)) == 2
    for ended in (done, failed):
        assert desk.key not in ended.out + ended.err
        assert "told" not in ended.out + ended.err


@pytest.mark.parametrize("client", ["claude-code", "gemini-cli", "codex"])
def test_where_it_fails_the_entry_is_there_to_paste_and_the_command_to_try(desk: "Desk", client: str) -> None:
    desk.program(PROGRAMS[client], failing="trips-mcp")

    ended = desk.install(client, OSOTO_API_KEY=desk.key)

    assert ended.code == 2
    assert ended.out == desk.install(client, "--print", OSOTO_API_KEY=desk.key).out
    assert ended.sentence.startswith(
        f"`{PROGRAMS[client]} mcp add` failed with exit code 1, so nothing was changed; "
        f"see why with: {PROGRAMS[client]} mcp add "
    )
    assert '"OSOTO_API_KEY=$OSOTO_API_KEY"' in ended.sentence


def test_where_vs_codes_fails_the_entry_is_there_to_paste(desk: "Desk") -> None:
    desk.place(desk.programs / "code", "#!/bin/sh\nexit 3\n")

    ended = desk.install("vscode")

    assert ended.code == 2
    assert json.loads(ended.out)["servers"]["trips"]["args"] == ["trips-mcp"]
    assert ended.sentence == (
        "`code --add-mcp` failed with exit code 3, so nothing was changed; "
        f"paste the entry above into {desk.file('vscode')}, under servers."
    )


def test_a_command_that_cannot_run_is_one_sentence(desk: "Desk") -> None:
    desk.place(desk.programs / "claude", "no program at all")

    ended = desk.install("claude-code")

    assert ended.code == 2
    assert ended.sentence.startswith("`claude mcp add` cannot be run, so nothing was changed; ")


@every_program
def test_an_existing_entry_is_not_written_again(desk: "Desk", client: str, program: str) -> None:
    desk.program(program)
    put_ours(desk, client)
    if client == "vscode":
        entry = {"type": "stdio", "command": str(desk.programs / "uvx"), "args": ["trips-mcp"], "env": OURS["env"]}
        desk.put(client, json.dumps({"servers": {"trips": entry}}))
    if client == "claude-code":
        desk.put(client, json.dumps({"mcpServers": {"trips": {"type": "stdio", **OURS, "headers": {}}}}))

    ended = desk.install(client)

    assert ended.out == f"{CLIENTS[client].title} already has trips with this entry ({desk.file(client)}).\n"
    assert desk.told(program) == []


@every_program
def test_a_changed_entry_keeps_its_keys(desk: "Desk", client: str, program: str) -> None:
    desk.program(program)
    put_ours(desk, client)

    ended = desk.install(client, "--read-only")

    assert ended.out.startswith(f"Updated trips in {CLIENTS[client].title}")
    assert "Kept from before: OSOTO_API_KEY.\n" in ended.err
    assert "osk_an-earlier-key" in " ".join(desk.told(program)[-1])
    assert "--read-only" in " ".join(desk.told(program)[-1])


def test_claude_code_adds_only_a_missing_entry(desk: "Desk") -> None:
    desk.program("claude")
    put_ours(desk, "claude-code")

    desk.install("claude-code", "--read-only")

    first, second = desk.told("claude")
    assert first == ["mcp", "remove", "--scope", "user", "trips"]
    assert second[:3] == ["mcp", "add", "trips"]


def test_a_lost_entry_is_reported(desk: "Desk") -> None:
    desk.program("claude", failing="--read-only")
    put_ours(desk, "claude-code")

    ended = desk.install("claude-code", "--read-only")

    assert ended.code == 2
    assert ended.sentence.startswith(
        "`claude mcp add` failed with exit code 1, so the earlier entry is gone and the new one not there; "
        "see why with: claude mcp add "
    )


@pytest.mark.parametrize(
    ("client", "told"),
    [
        ("claude-code", "mcp remove --scope user trips"),
        ("gemini-cli", "mcp remove --scope user trips"),
        ("codex", "mcp remove trips"),
    ],
)
def test_the_clients_command_removes_the_entry(desk: "Desk", client: str, told: str) -> None:
    desk.program(PROGRAMS[client])
    put_ours(desk, client)

    ended = desk.install(client, "--remove")

    assert (ended.code, ended.err) == (0, "")
    assert ended.out == f"Removed trips from {CLIENTS[client].title} ({desk.file(client)}).\n"
    assert desk.told(PROGRAMS[client]) == [told.split()]


def test_a_removal_that_fails_is_one_sentence(desk: "Desk") -> None:
    desk.program("codex", failing="remove")
    put_ours(desk, "codex")

    ended = desk.install("codex", "--remove")

    assert (ended.code, ended.out) == (2, "")
    assert ended.sentence == (
        "`codex mcp remove` failed with exit code 1, so nothing was changed; "
        "take trips out of mcp_servers there yourself."
    )


def test_vs_code_has_no_command_to_remove_so_its_file_is_written(desk: "Desk") -> None:
    desk.program("code")
    put_ours(desk, "vscode")

    ended = desk.install("vscode", "--remove")

    assert ended.code == 0
    assert desk.read("vscode") == {"servers": {}}
    assert desk.told("code") == []


def test_settings_beyond_the_command_of_codex_are_shown_to_the_user(desk: "Desk") -> None:
    desk.program("codex")

    ended = desk.install("codex", "--url", URL, OSOTO_API_KEY=desk.key, TRAVELMODE_TOKEN=desk.events_key)
    keyless = desk.install("codex", "--name", "team", "--url", URL)

    assert "Codex reads OSOTO_API_KEY from its own environment at each start.\n" in ended.err
    assert 'add env_http_headers = { "X-Travelmode-Token" = "TRAVELMODE_TOKEN" } to its entry.\n' in ended.err
    assert keyless.err == "`codex mcp list` shows it.\n"


def test_configured_folders_of_clients_are_used(desk: "Desk") -> None:
    elsewhere = desk.home / "elsewhere"
    places = {
        "claude-code": ("CLAUDE_CONFIG_DIR", elsewhere / ".claude.json"),
        "codex": ("CODEX_HOME", elsewhere / "config.toml"),
        "gemini-cli": ("GEMINI_CLI_HOME", elsewhere / ".gemini/settings.json"),
        "opencode": ("XDG_CONFIG_HOME", elsewhere / "opencode/opencode.json"),
    }

    for client, (variable, file) in places.items():
        ended = desk.install(client, "--print", **{variable: str(elsewhere)})
        assert f"It belongs in {file}, " in ended.err
