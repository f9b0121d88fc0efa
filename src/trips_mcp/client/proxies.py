"""The proxy for a host, read from the environment by curl's rules.

httpx reads a CIDR block in NO_PROXY as a URL, and one entry that it cannot read makes every call fail.
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
    """None for a loopback host: a proxy cannot reach it, and would see the key in plain text.

    Raises: CannotConnectError with the name of the variable, not its value, which may contain a password.
    """
    url = httpx.URL(base_url)
    if is_loopback(url.host):
        return None
    proxies = urllib.request.getproxies()  # includes the system's proxy settings
    if is_exempt(url.host, url.port, proxies.get("no", "")):
        return None
    name = next((name for name in (url.scheme, "all") if proxies.get(name)), None)
    if name is None:
        return None
    try:
        address = httpx.URL(proxies[name] if "://" in proxies[name] else f"http://{proxies[name]}")
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
    """Entries are separated by commas or spaces: domains with their subdomains, addresses, CIDR blocks, `*`.

    Any other entry exempts nothing.
    """
    return any(_matches(host.lower(), port, entry) for entry in no_proxy.lower().replace(",", " ").split())


def _matches(host: str, port: int | None, entry: str) -> bool:
    if entry == "*":
        return True
    entry, entry_port = _without_port(entry)
    if entry_port is not None and entry_port != str(port or ""):
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
    """Splits `host:port` and `[address]:port`; a bare IPv6 address has more colons and no port."""
    name, colon, port = entry.rpartition(":")
    if colon and port.isdecimal() and (name.endswith("]") or ":" not in name):
        return name, port
    return entry, None


def _variable(name: str) -> str:
    """The variable as it is spelled in the environment. Lower case wins, as in curl."""
    upper = f"{name.upper()}_PROXY"
    return next((spelling for spelling in (upper.lower(), upper) if os.environ.get(spelling)), upper)
