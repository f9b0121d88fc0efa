"""Network addresses: loopback checks, per-client networks and trusted proxies."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

UNKNOWN: Final = "unknown"
"""Replaces anything that is not an IP address."""
MOST_PER_ADDRESS: Final = 500
"""Default limit of concurrent connections per client; half of what a server accepts."""
_LONGEST: Final = 64
_IPV6_PREFIX: Final = 64


@lru_cache(256)
def is_loopback(host: str) -> bool:
    """Whether a host name or address, with or without a port, always means the local computer."""
    name = _without_port(host).strip("[]").lower().removesuffix(".")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    found = parse_address(name)
    return found is not None and found.is_loopback


def is_address(host: str) -> bool:
    """Whether a host, with or without a port, is an IP address rather than a name."""
    return parse_address(_without_port(host).strip("[]")) is not None


@lru_cache(1024)
def client_network(address: str) -> str:
    """The key that limits count a client by: an IPv4 address, or the first 64 bits of an IPv6 address.

    A host can choose the remaining bits of its IPv6 address freely.
    """
    found = parse_address(address)
    if found is None:
        return UNKNOWN
    return str(found) if found.version == 4 else str(IPv6Network((int(found), _IPV6_PREFIX), strict=False))


def parse_address(text: str) -> IPv4Address | IPv6Address | None:
    """An IPv4-mapped IPv6 address (`::ffff:127.0.0.1`) becomes IPv4. None if the text is not an address."""
    if len(text) > _LONGEST:
        return None
    try:
        found = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found


def _without_port(host: str) -> str:
    """Strips the port of `[::1]:80` and `localhost:80`; an IPv6 address without brackets has none."""
    name, colon, port = host.rpartition(":")
    has_port = colon and port.isascii() and port.isdigit() and (":" not in name or name.endswith("]"))
    return name if has_port else host


class TrustedProxies:
    """The proxies whose `X-Forwarded-For` entries are trusted."""

    def __init__(self, networks: Iterable[str] = ()) -> None:
        """`networks`: addresses, or networks such as `10.0.0.0/24`. Raises: ValueError."""
        self._networks = tuple(ip_network(text) for text in networks)

    def __bool__(self) -> bool:
        return bool(self._networks)

    def __contains__(self, address: str) -> bool:
        found = parse_address(address) if self._networks else None
        return found is not None and any(found in network for network in self._networks)

    def client(self, peer: str, forwarded: Sequence[str]) -> str:
        """The client's address. `peer`: the connection's address; `forwarded`: the `X-Forwarded-For` values.

        Each proxy appends the address it received the request from. So read from the end, up to the first address
        that is not a trusted proxy. The client can forge everything before that.
        """
        client = peer
        hops = [hop.strip() for value in forwarded for hop in value.split(",")]
        while client in self and hops:
            found = parse_address(_without_port(hops.pop()).strip("[]"))
            if found is None:
                break
            client = str(found)
        return client
