"""Network addresses: which of them mean this computer, and for whom a request from one is counted."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

UNKNOWN: Final = "unknown"
"""Stands for an address that is not one, however long."""
MOST_PER_ADDRESS: Final = 500
"""Connections of one client at once, unless set otherwise: half of what a server takes."""
_LONGEST: Final = 64
_IPV6_PREFIX: Final = 64


@lru_cache(256)
def is_loopback(host: str) -> bool:
    """Whether a host name or an address, with a port or without, can only mean the computer that uses it."""
    name = _without_port(host).strip("[]").lower().removesuffix(".")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    found = parse_address(name)
    return found is not None and found.is_loopback


@lru_cache(1024)
def client_network(address: str) -> str:
    """The network that one client is taken to have: an IPv4 address, or the first 64 bits of an IPv6 address.

    A host chooses the rest of its IPv6 address as it likes.
    """
    found = parse_address(address)
    if found is None:
        return UNKNOWN
    return str(found) if found.version == 4 else str(IPv6Network((int(found), _IPV6_PREFIX), strict=False))


def parse_address(text: str) -> IPv4Address | IPv6Address | None:
    """An IPv4 address stays one where it is written as IPv6 (`::ffff:127.0.0.1`). None where the text is no address."""
    if len(text) > _LONGEST:
        return None
    try:
        found = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found


def _without_port(host: str) -> str:
    """Of `[::1]:80` and `localhost:80`; an IPv6 address without brackets has no port."""
    name, colon, port = host.rpartition(":")
    has_port = colon and port.isascii() and port.isdigit() and (":" not in name or name.endswith("]"))
    return name if has_port else host


class TrustedProxies:
    """The proxies whose word counts on whom a request is from: `X-Forwarded-For`, as far as they wrote it."""

    def __init__(self, networks: Iterable[str] = ()) -> None:
        """Addresses, and networks as `10.0.0.0/24`. Raises: ValueError."""
        self._networks = tuple(ip_network(text) for text in networks)

    def __bool__(self) -> bool:
        return bool(self._networks)

    def __contains__(self, address: str) -> bool:
        found = parse_address(address)
        return found is not None and any(found in network for network in self._networks)

    def client(self, peer: str, forwarded: Sequence[str]) -> str:
        """The address that a request came from. `peer`: the connection's own; `forwarded`: the header's values.

        Each proxy appends whom it had the request from. So it is read from its end, up to the first address that is
        no trusted proxy; what stands before that is anybody's text.
        """
        client = peer
        hops = [hop.strip() for value in forwarded for hop in value.split(",")]
        while client in self and hops:
            found = parse_address(_without_port(hops.pop()).strip("[]"))
            if found is None:
                break
            client = str(found)
        return client
