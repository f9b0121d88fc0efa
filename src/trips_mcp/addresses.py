"""Network addresses: which of them mean this computer, and for whom a request from one is counted."""

from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Final

UNKNOWN: Final = "unknown"
"""Stands for an address that is not one, however long."""
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
