"""How a client reaches the server, by starting it or at an address, and which values are secret."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final, TypeVar
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
