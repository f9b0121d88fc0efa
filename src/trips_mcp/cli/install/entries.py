"""A server as clients configure it: started or at an address, with its secrets, in each client's format.

There is one function for each format. The clients are in `clients`.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

from trips_mcp.addresses import is_loopback

TRIPS_KEY: Final = "OSOTO_API_KEY"
EVENTS_KEY: Final = "TRAVELMODE_TOKEN"
KEYS: Final = (TRIPS_KEY, EVENTS_KEY)

_SECRET: Final = re.compile(r"KEY|TOKEN|SECRET|PASSWORD")

Refer = Callable[[str], str]
"""Gives the reference that is shown instead of a variable's value."""


@dataclass(frozen=True, slots=True)
class LocalServer:
    command: str
    args: tuple[str, ...]
    env: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Remote:
    url: str
    env: Mapping[str, str]
    """The keys that are sent, by variable name."""
    bridge: str
    """The program that starts mcp-remote, for a client that can only start servers."""

    @property
    def is_open_to_readers(self) -> bool:
        """Whether requests travel unencrypted to another computer."""
        return self.url.startswith("http://") and not is_loopback(urlsplit(self.url).hostname or "")

    @property
    def headers(self) -> dict[str, str]:
        found = {"Authorization": f"Bearer {self.env[TRIPS_KEY]}"} if TRIPS_KEY in self.env else {}
        return found | ({"X-Travelmode-Token": self.env[EVENTS_KEY]} if EVENTS_KEY in self.env else {})


Server = LocalServer | Remote
S = TypeVar("S", LocalServer, Remote, Server)


def secret_variables(server: Server) -> list[str]:
    return [name for name, value in server.env.items() if _is_secret(name, value)]


def without_secrets(server: S, refer: Refer) -> S:
    hidden = {name: refer(name) for name in secret_variables(server)}
    return replace(server, env={**server.env, **hidden})


def _is_secret(name: str, value: str) -> bool:
    """By its name. A URL with a password or a query also counts."""
    return bool(_SECRET.search(name)) or ("://" in value and bool(set(value) & set("@?")))


Entry = dict[str, Any]

FORM = frozenset(
    (
        *("type", "command", "args", "env", "environment", "url", "serverUrl", "headers"),
        *("bearer_token_env_var", "env_http_headers", "env_vars"),
    )
)
"""Fields that say how to reach a server. An update replaces all of these and keeps all others."""


def plain(server: Server) -> Entry:
    """Cursor, Zed."""
    return _started(server) if isinstance(server, LocalServer) else _reached(server)


def typed(server: Server) -> Entry:
    """Claude Code, VS Code."""
    return (
        {"type": "stdio", **_started(server)}
        if isinstance(server, LocalServer)
        else {"type": "http", **_reached(server)}
    )


def typed_if_remote(server: Server) -> Entry:
    """Gemini CLI."""
    return _started(server) if isinstance(server, LocalServer) else {**_reached(server), "type": "http"}


def server_url(server: Server) -> Entry:
    """Windsurf."""
    return _started(server) if isinstance(server, LocalServer) else _reached(server, "serverUrl")


def bridged(server: Server) -> Entry:
    """Claude Desktop, which can only start servers: mcp-remote forwards everything to an address."""
    if isinstance(server, LocalServer):
        return _started(server)
    args, env = ["-y", "mcp-remote", server.url], dict[str, str]()
    for header, value in server.headers.items():
        variable = header.upper().replace("-", "_")
        args += ["--header", f"{header}:${{{variable}}}"]  # on Windows a space in an argument is lost
        env[variable] = value
    if server.is_open_to_readers:
        args.append("--allow-http")  # mcp-remote refuses plain HTTP otherwise
    return _started(LocalServer(server.bridge, tuple(args), env))


def opencode(server: Server) -> Entry:
    if isinstance(server, Remote):
        return {"type": "remote", **_reached(server), "enabled": True}
    environment = {"environment": dict(server.env)} if server.env else {}
    return {"type": "local", "command": [server.command, *server.args], **environment, "enabled": True}


def codex(server: Server) -> Entry:
    """A key that is sent to an address is a reference, not a value."""
    if isinstance(server, LocalServer):
        return _started(server)
    bearer = {"bearer_token_env_var": TRIPS_KEY} if TRIPS_KEY in server.env else {}
    others = {"env_http_headers": {"X-Travelmode-Token": EVENTS_KEY}} if EVENTS_KEY in server.env else {}
    return {"url": server.url, **bearer, **others}


def _started(server: LocalServer) -> Entry:
    env = {"env": dict(server.env)} if server.env else {}
    return {"command": server.command, "args": list(server.args), **env}


def _reached(server: Remote, url: str = "url") -> Entry:
    headers = {"headers": server.headers} if server.headers else {}
    return {url: server.url, **headers}


def as_json(section: str, name: str, entry: Entry) -> str:
    """A complete file with only this entry."""
    return json.dumps({section: {name: entry}}, indent=2, ensure_ascii=False)


def as_json_with_inputs(section: str, name: str, entry: Entry) -> str:
    """VS Code asks once for `${input:…}` values and keeps them in the system's key store."""
    asked = sorted(set(re.findall(r"\$\{input:(\w+)\}", json.dumps(entry))))
    inputs = [{"type": "promptString", "id": one, "description": one, "password": True} for one in asked]
    whole = {**({"inputs": inputs} if inputs else {}), section: {name: entry}}
    return json.dumps(whole, indent=2, ensure_ascii=False)


def as_toml(section: str, name: str, entry: Entry) -> str:
    """A variable that refers to itself is one that Codex passes on from its own environment."""
    fields = {**entry, "env": dict[str, str](entry.get("env", {}))}
    passed = [variable for variable, value in fields["env"].items() if value == f"${{{variable}}}"]
    fields["env"] = {variable: value for variable, value in fields["env"].items() if variable not in passed}
    if passed:
        fields["env_vars"] = passed
    tables = {field: fields.pop(field) for field in ("env", "env_http_headers") if field in fields}
    header = f"{section}.{name}"
    parts = [_toml_table(header, fields)]
    parts += [_toml_table(f"{header}.{field}", table) for field, table in tables.items() if table]
    return "\n\n".join(parts)


def _toml_table(header: str, fields: Entry) -> str:
    """TOML writes text and lists of text like JSON."""
    lines = (f"{field} = {json.dumps(value, ensure_ascii=False)}" for field, value in fields.items())
    return "\n".join((f"[{header}]", *lines))
