"""What is written down is what each client documents that it reads: no field beside, none missing, each of its type.

The shapes are those of the clients' own documents for users, as narrow as these are about what `install` uses.
"""

import json
import tomllib
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

from trips_mcp.cli.install.clients import CLIENTS

if TYPE_CHECKING:
    from .conftest import Desk

URL = "https://trips.example/mcp"

Schema = dict[str, Any]

TEXT: Schema = {"type": "string", "minLength": 1}
TEXTS: Schema = {"type": "array", "items": TEXT}
NAMED: Schema = {"type": "object", "additionalProperties": {"type": "string"}}


def only(required: Schema, **optional: Schema) -> Schema:
    return {
        "type": "object",
        "required": list(required),
        "properties": {**required, **optional},
        "additionalProperties": False,
    }


def called(name: str) -> Schema:
    return {"const": name}


def has(section: str, *servers: Schema, **beside: Schema) -> Schema:
    names = {"type": "object", "minProperties": 1, "additionalProperties": {"oneOf": list(servers)}}
    return only({section: names}, **beside)


STARTED = only({"command": TEXT}, args=TEXTS, env=NAMED)
REACHED = only({"url": TEXT}, headers=NAMED)
ASKED = only({"type": called("promptString"), "id": TEXT, "description": TEXT}, password={"type": "boolean"})
TYPED = (
    only({"type": called("stdio"), "command": TEXT}, args=TEXTS, env=NAMED),
    only({"type": {"enum": ["http", "sse"]}, "url": TEXT}, headers=NAMED),
)

SHAPES: dict[str, Schema] = {
    # https://modelcontextprotocol.io/docs/develop/connect-local-servers: it starts programs, and nothing else
    "claude-desktop": has("mcpServers", STARTED),
    # https://code.claude.com/docs/en/mcp: `type` says which of the two it is
    "claude-code": has("mcpServers", *TYPED),
    # https://cursor.com/docs/context/mcp
    "cursor": has("mcpServers", STARTED, REACHED),
    # https://docs.windsurf.com/windsurf/cascade/mcp: an address is a `serverUrl` there
    "windsurf": has("mcpServers", STARTED, only({"serverUrl": TEXT}, headers=NAMED)),
    # https://code.visualstudio.com/docs/copilot/reference/mcp-configuration: `servers`, and what is asked for
    "vscode": has("servers", *TYPED, inputs={"type": "array", "items": ASKED}),
    # https://github.com/google-gemini/gemini-cli/blob/main/docs/tools/mcp-server.md
    "gemini-cli": has("mcpServers", STARTED, only({"url": TEXT, "type": called("http")}, headers=NAMED)),
    # https://antigravity.google/docs/mcp
    "antigravity": has("mcpServers", STARTED, only({"serverUrl": TEXT}, headers=NAMED)),
    # https://developers.openai.com/codex/mcp: keys of an address by the names of their variables
    "codex": has(
        "mcp_servers",
        only({"command": TEXT}, args=TEXTS, env=NAMED, env_vars=TEXTS),
        only({"url": TEXT}, bearer_token_env_var=TEXT, env_http_headers=NAMED),
    ),
    # https://zed.dev/docs/ai/mcp
    "zed": has("context_servers", STARTED, REACHED),
    # https://opencode.ai/docs/mcp-servers: one list of words, and `environment`
    "opencode": has(
        "mcp",
        only({"type": called("local"), "command": TEXTS}, environment=NAMED, enabled={"type": "boolean"}),
        only({"type": called("remote"), "url": TEXT}, headers=NAMED, enabled={"type": "boolean"}),
    ),
}

every_client = pytest.mark.parametrize("client", CLIENTS)
both_ways = pytest.mark.parametrize("way", [[], ["--url", URL]], ids=["started", "reached"])
WRITTEN = [name for name, client in CLIENTS.items() if client.writable]


def faults(client: str, content: Any) -> list[str]:
    errors = Draft202012Validator(SHAPES[client]).iter_errors(content)  # pyright: ignore[reportUnknownMemberType]
    return [error.message for error in errors]


def test_every_client_has_its_shape() -> None:
    assert SHAPES.keys() == CLIENTS.keys()


@every_client
@both_ways
@pytest.mark.parametrize("keys", [{}, {"OSOTO_API_KEY": "osk_k"}, {"OSOTO_API_KEY": "osk_k", "TRAVELMODE_TOKEN": "t"}])
def test_what_is_printed_is_what_the_client_reads(
    desk: "Desk", client: str, way: list[str], keys: dict[str, str]
) -> None:
    printed = desk.install(client, "--print", *way, **keys).out

    assert faults(client, tomllib.loads(printed) if client == "codex" else json.loads(printed)) == []


@pytest.mark.parametrize("client", WRITTEN)
@both_ways
def test_what_is_written_is_what_the_client_reads(desk: "Desk", client: str, way: list[str]) -> None:
    desk.install(client, *way, OSOTO_API_KEY=desk.key, TRAVELMODE_TOKEN=desk.events_key)
    desk.install(client, "--name", "kyoto", "--trip", "jx7", TRIPS_MCP_LOG="info")

    content = desk.read(client)

    assert faults(client, content) == []
    assert list(content[CLIENTS[client].section]) == ["trips", "kyoto"]


@every_client
def test_shapes_of_different_clients_differ(desk: "Desk", client: str) -> None:
    """So that the shapes above are not merely whatever is written."""
    alike = {"claude-desktop", "cursor", "windsurf", "gemini-cli", "antigravity"}
    printed = desk.install(client, "--print", OSOTO_API_KEY=desk.key).out
    content = tomllib.loads(printed) if client == "codex" else json.loads(printed)

    fitting = {name for name in SHAPES if not faults(name, content)}

    assert fitting == (alike if client in alike else {client})
