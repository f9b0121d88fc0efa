"""Which proxy leads to a host, by the environment's rules as curl reads them.

httpx's own reading takes a CIDR block in NO_PROXY for a URL, and fails every call over one entry it cannot read.
"""

import os
import urllib.request
from ipaddress import ip_address, ip_network
from typing import Final

import httpx

from trips_mcp.addresses import is_loopback
from trips_mcp.client.errors import CannotConnectError

_SCHEMES: Final = ("http", "https")


def proxy_to(base_url: str) -> httpx.Proxy | None:
    """None for this computer: a proxy cannot reach it, and would be told the key in clear.

    Raises: CannotConnectError, naming the variable but not its value, which may hold a password.
    """
    url = httpx.URL(base_url)
    if is_loopback(url.host):
        return None
    found = urllib.request.getproxies()  # the system's settings too, where it has some
    if is_exempt(url.host, url.port, found.get("no", "")):
        return None
    name = next((name for name in (url.scheme, "all") if found.get(name)), None)
    if name is None:
        return None
    try:
        address = httpx.URL(found[name] if "://" in found[name] else f"http://{found[name]}")
    except httpx.InvalidURL:
        address = httpx.URL()
    if not address.host:
        raise CannotConnectError(f"{_variable(name)} is not the address of a proxy; use http://HOST:PORT or unset it.")
    if address.scheme not in _SCHEMES:
        raise CannotConnectError(
            f"{_variable(name)} names a {address.scheme} proxy, which is not supported; "
            "use an http:// or https:// proxy, or exempt the API's host in NO_PROXY."
        )
    return httpx.Proxy(address)


def is_exempt(host: str, port: int | None, no_proxy: str) -> bool:
    """Entries are apart by commas or spaces: names with all below them, addresses, CIDR blocks, `*`.

    An entry that is none of these exempts nothing.
    """
    return any(_matches(host.lower(), port, entry) for entry in no_proxy.lower().replace(",", " ").split())


def _matches(host: str, port: int | None, entry: str) -> bool:
    if entry == "*":
        return True
    entry, of_port = _without_port(entry)
    if of_port is not None and of_port != str(port or ""):
        return False
    try:
        address = ip_address(host)
    except ValueError:
        name = entry.removeprefix("*").strip(".")
        return bool(name) and (host.rstrip(".") == name or host.rstrip(".").endswith(f".{name}"))
    try:
        return address in ip_network(entry.replace("[", "").replace("]", ""), strict=False)
    except ValueError:
        return False


def _without_port(entry: str) -> tuple[str, str | None]:
    """`host:port` and `[address]:port` apart; a bare IPv6 address has more colons."""
    name, colon, port = entry.rpartition(":")
    if colon and port.isdecimal() and (name.endswith("]") or ":" not in name):
        return name, port
    return entry, None


def _variable(name: str) -> str:
    """The variable's own spelling; the lower case wins, as in curl."""
    upper = f"{name.upper()}_PROXY"
    return next((spelling for spelling in (upper.lower(), upper) if os.environ.get(spelling)), upper)
