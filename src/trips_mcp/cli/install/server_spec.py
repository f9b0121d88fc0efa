"""How a client is to reach the server: by starting it, or at an address; and which of it is secret."""

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
"""What stands for the value of this variable where the value itself is not to be seen."""


@dataclass(frozen=True, slots=True)
class LocalServer:
    command: str
    args: tuple[str, ...]
    env: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Remote:
    url: str
    env: Mapping[str, str]
    """The keys that are sent along, by the names of their variables."""
    bridge: str
    """What starts mcp-remote, for a client that can only start servers."""

    @property
    def is_open_to_readers(self) -> bool:
        """Whether what is sent there can be read on the way."""
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
    """By its name; and a URL may hold a password, or a key in its query."""
    return bool(_SECRET.search(name)) or ("://" in value and bool(set(value) & set("@?")))
