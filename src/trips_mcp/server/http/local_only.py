"""Whose calls are this computer's own, where nobody is asked for a key.

What a proxy or a tunnel passes on comes from this computer, too, but may be anybody's. So what shows that a request
was passed on, by any of the signs that proxies leave, is refused, and what did not come from here anyway.
"""

from http import HTTPStatus
from typing import Final

from trips_mcp.addresses import is_loopback
from trips_mcp.server.http.errors import RefusalError
from trips_mcp.server.http.request import Visit

_BY_PROXIES: Final = frozenset(
    {"client-ip", "fly-client-ip", "forwarded", "true-client-ip", "via", "x-client-ip", "x-cluster-client-ip"}
    | {"x-forwarded", "x-original-forwarded-for", "x-original-host", "x-original-url", "x-real-ip"}
)
_PREFIXES_OF_PROXIES: Final = ("x-forwarded-", "cf-", "tailscale-")
_OF_PROXIES: Final = ("1.0", "0.9")
"""What nginx speaks to a server unless it is told otherwise, and no client of MCP does."""


def check_nearby(visit: Visit) -> None:
    """Raises: RefusalError, a 403."""
    if any(map(_is_by_proxy, visit.headers)) or visit.scope["http_version"] in _OF_PROXIES:
        raise _refused("This request came through a proxy")
    if not is_loopback(visit.address):
        raise _refused("This request came from another computer")
    if not all(is_loopback(host) for host in visit.values("host")):
        raise _refused("This request is to a name that is not this computer's own")


def _is_by_proxy(header: str) -> bool:
    return header in _BY_PROXIES or header.startswith(_PREFIXES_OF_PROXIES)


def _refused(why: str) -> RefusalError:
    return RefusalError(
        HTTPStatus.FORBIDDEN,
        f"{why}, and without keys this server answers programs on its own computer alone: "
        "start it with --auth key for others.",
    )
