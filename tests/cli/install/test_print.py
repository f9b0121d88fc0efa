"""`install CLIENT --print`: the entry and where it belongs. What it prints is what examples/clients/ holds.

UPDATE_EXAMPLES=1 rewrites them.
"""

import json
import os
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from trips_mcp.cli.install.clients import CLIENTS

if TYPE_CHECKING:
    from .conftest import Desk

EXAMPLES = Path(__file__).parents[3] / "examples/clients"
URL = "http://127.0.0.1:8848/mcp"
WAYS = {"": [], "-http": ["--url", URL]}

every_client = pytest.mark.parametrize("client", CLIENTS)
both_ways = pytest.mark.parametrize("way", WAYS, ids=["started", "reached"])


def example(client: str, way: str) -> Path:
    return EXAMPLES / f"{client}{way}.{'toml' if client == 'codex' else 'json'}"


def texts_in(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (dict, list)):
        inner: list[Any] = list(value.values() if isinstance(value, dict) else value)  # pyright: ignore[reportUnknownArgumentType]
        for one in inner:
            yield from texts_in(one)


@every_client
@both_ways
def test_the_example_is_what_is_printed(desk: "Desk", client: str, way: str) -> None:
    ended = desk.install(client, "--print", *WAYS[way], OSOTO_API_KEY=desk.key)

    printed = ended.out.replace(f"{desk.programs}/", "")  # where uvx is on this computer is not for an example
    if os.environ.get("UPDATE_EXAMPLES"):
        example(client, way).write_text(printed, "utf-8")
    assert printed == example(client, way).read_text("utf-8")


def test_every_example_belongs_to_a_client() -> None:
    assert {path.name for path in EXAMPLES.iterdir()} == {
        example(client, way).name for client in CLIENTS for way in WAYS
    }


@every_client
@both_ways
def test_an_example_starts_the_published_package_or_reaches_the_address(client: str, way: str) -> None:
    text = example(client, way).read_text("utf-8")
    words = list(texts_in(tomllib.loads(text) if client == "codex" else json.loads(text)))

    assert URL in words if way else {"uvx", "trips-mcp"} <= set(words)
    assert "OSOTO_API_KEY" in text


@every_client
@both_ways
def test_it_says_where_the_entry_belongs_and_changes_nothing(desk: "Desk", client: str, way: str) -> None:
    ended = desk.install(client, "--print", *WAYS[way])

    assert ended.code == 0
    assert f"It belongs in {desk.file(client)}, under {CLIENTS[client].section}.\n" in ended.err
    assert desk.files() == set()


@every_client
@both_ways
def test_no_secret_is_printed(desk: "Desk", client: str, way: str) -> None:
    secrets = {
        "OSOTO_API_KEY": desk.key,
        "OSOTO_BASE_URL": "https://ada:pass-of-ada@trips.example/api/v1",
        "TRAVELMODE_TOKEN": desk.events_key,
        "TRIPS_MCP_DATABASE": "postgresql+asyncpg://ada:word-of-ada@db.example/trips",
    }

    ended = desk.install(client, "--print", *WAYS[way], **secrets)

    assert ended.code == 0
    for secret in (desk.key, "pass-of-ada", desk.events_key, "word-of-ada"):
        assert secret not in ended.out + ended.err
    assert "OSOTO_API_KEY is not shown. " in ended.err


@pytest.mark.parametrize(
    ("client", "command"),
    [
        (
            "claude-code",
            'claude mcp add trips --scope user -e "OSOTO_API_KEY=$OSOTO_API_KEY" -e TRIPS_MCP_LOG=info'
            " -- uvx trips-mcp --trip=jx7 --read-only",
        ),
        (
            "gemini-cli",
            'gemini mcp add --scope user -e "OSOTO_API_KEY=$OSOTO_API_KEY" -e TRIPS_MCP_LOG=info trips uvx'
            " -- trips-mcp --trip=jx7 --read-only",
        ),
        (
            "codex",
            'codex mcp add trips --env "OSOTO_API_KEY=$OSOTO_API_KEY" --env TRIPS_MCP_LOG=info'
            " -- uvx trips-mcp --trip=jx7 --read-only",
        ),
    ],
)
def test_a_clients_own_command_is_shown_for_a_shell_to_fill_in(desk: "Desk", client: str, command: str) -> None:
    ended = desk.install(
        client, "--print", "--read-only", "--trip", "jx7", OSOTO_API_KEY=desk.key, TRIPS_MCP_LOG="info"
    )

    assert f": {command}\n" in ended.err


def test_words_that_a_shell_would_change_are_quoted(desk: "Desk") -> None:
    odd = 'postgresql://ada:`$HOME"\\@db/trips'

    ended = desk.install(
        "codex", "--print", "--tools", "get_me list_trips", TRIPS_MCP_DATABASE=odd, TRIPS_MCP_JOURNAL="/a b/$c"
    )

    assert '--env "TRIPS_MCP_DATABASE=$TRIPS_MCP_DATABASE"' in ended.err
    assert "--env 'TRIPS_MCP_JOURNAL=/a b/$c' -- uvx trips-mcp '--tools=get_me list_trips'" in ended.err


def test_without_a_key_there_is_none_in_the_entry_and_it_says_where_trips_are_kept(desk: "Desk") -> None:
    ended = desk.install("cursor", "--print")

    assert "env" not in json.loads(ended.out)["mcpServers"]["trips"]
    assert "No key is set, so trips are kept on this computer." in ended.err


def test_a_client_that_is_not_installed_is_mentioned(desk: "Desk") -> None:
    (desk.programs / "uvx").unlink()
    (desk.programs / "npx").unlink()

    started = desk.install("claude-desktop", "--print")
    reached = desk.install("claude-desktop", "--print", "--url", URL)

    assert json.loads(started.out)["mcpServers"]["trips"]["command"] == "uvx"
    assert "Note that uvx was not found: install uv" in started.err
    assert json.loads(reached.out)["mcpServers"]["trips"]["command"] == "npx"
    assert "Note that npx was not found: install Node.js" in reached.err


def test_keys_over_unencrypted_http_cause_a_warning(desk: "Desk") -> None:
    away = desk.install("claude-desktop", "--print", "--url", "http://trips.example/mcp", OSOTO_API_KEY=desk.key)
    safe = desk.install("claude-desktop", "--print", "--url", "https://trips.example/mcp", OSOTO_API_KEY=desk.key)

    assert "Warning: OSOTO_API_KEY will travel unencrypted" in away.err
    assert "--allow-http" in away.out
    assert "Warning" not in safe.err
    assert "--allow-http" not in safe.out


def test_both_keys_go_to_an_address_as_headers(desk: "Desk") -> None:
    keys = {"OSOTO_API_KEY": desk.key, "TRAVELMODE_TOKEN": desk.events_key}

    by_header = json.loads(desk.install("cursor", "--print", "--url", URL, **keys).out)
    by_bridge = json.loads(desk.install("claude-desktop", "--print", "--url", URL, **keys).out)
    by_name = tomllib.loads(desk.install("codex", "--print", "--url", URL, **keys).out)

    assert by_header["mcpServers"]["trips"]["headers"] == {
        "Authorization": "Bearer ${env:OSOTO_API_KEY}",
        "X-Travelmode-Token": "${env:TRAVELMODE_TOKEN}",
    }
    assert by_bridge["mcpServers"]["trips"]["args"][3:] == [
        *("--header", "Authorization:${AUTHORIZATION}"),
        *("--header", "X-Travelmode-Token:${X_TRAVELMODE_TOKEN}"),
    ]
    assert by_name["mcp_servers"]["trips"]["env_http_headers"] == {"X-Travelmode-Token": "TRAVELMODE_TOKEN"}
