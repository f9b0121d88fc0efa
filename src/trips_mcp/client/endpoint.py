"""The endpoint of an API: base URL and key, checked before use, its account, and the proxy on the way to it."""

import hmac
import json
import os
import re
from dataclasses import dataclass, field
from hashlib import sha256
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, Final
from urllib.parse import SplitResult, urlsplit

from trips_mcp.addresses import is_loopback
from trips_mcp.client.errors import CannotConnectError

if TYPE_CHECKING:
    import ssl

    import httpx


_LONGEST = 2048
_UNFIT = re.compile(r"[\x00-\x20\x7f-\xa0\\]")
_KEY = re.compile(r"[\x21-\x7e]+")
_PROXY_SCHEMES: Final = ("http", "https")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An API's base URL, its key, and a transport if the API is not reached over the network.

    `account` identifies the account if URL and key do not: the path of an embedded backend's database.

    Raises: CannotConnectError for a URL or key that must not be used; its text repeats neither.
    """

    base_url: str
    key: str | None = field(default=None, repr=False)
    transport: "httpx.AsyncBaseTransport | None" = field(default=None, repr=False)
    account: str | None = field(default=None, repr=False)
    tls: "ssl.SSLContext | None" = field(default=None, repr=False)
    """Trusted certificates shared by many endpoints (`session.trusted`); loading them takes longer than a call."""

    def __post_init__(self) -> None:
        fault = _url_fault(self.base_url, plain_allowed=self.transport is not None)
        if fault is None and self.key is not None and not _KEY.fullmatch(self.key):
            fault = "The API key has characters that no key has; copy it again"
        if fault is not None:
            raise CannotConnectError(f"{fault}.")
        object.__setattr__(self, "base_url", self.base_url.rstrip("/"))


def account_secret(endpoint: Endpoint) -> bytes:
    """Equal for clients of the same account only. It contains the API key, so nobody else can compute it."""
    return sha256(json.dumps([endpoint.base_url, endpoint.key, endpoint.account]).encode()).digest()


def history_account(secret: bytes) -> str:
    """The account's name in the history, which reveals nothing of the key."""
    return hmac.new(secret, b"history", sha256).hexdigest()


def _url_fault(url: str, *, plain_allowed: bool) -> str | None:
    parts = _split(url)
    if parts is None or not parts.hostname:
        return "The base URL is not valid; use something like https://host/path"
    if parts.scheme not in ("http", "https"):
        return "The base URL must begin with https://"
    if "@" in parts.netloc:
        return "The base URL must not hold a user name or password; the key is set apart from it"
    if "?" in url or "#" in url:
        return "The base URL must end with its path, without ? or #"
    if parts.scheme == "http" and not plain_allowed and not is_loopback(parts.hostname):
        return "The base URL must begin with https://, or the key would travel unprotected"
    return None


def _split(url: str) -> SplitResult | None:
    """The URL's parts; None if any part cannot be used."""
    if len(url) > _LONGEST or _UNFIT.search(url):
        return None
    try:
        parts = urlsplit(url)
        if parts.port == 0:
            return None
        (parts.hostname or "").encode("idna")  # as the resolver will
    except ValueError:
        return None
    return parts


def proxy_to(base_url: str) -> "httpx.Proxy | None":
    """The proxy for a host, read from the environment by curl's rules.

    httpx reads a CIDR block in NO_PROXY as a URL, and one entry that it cannot read makes every call fail. None for a
    loopback host: a proxy cannot reach it, and would see the key in plain text.

    Raises: CannotConnectError with the name of the variable, not its value, which may contain a password.
    """
    import urllib.request

    import httpx

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
    if address.scheme not in _PROXY_SCHEMES:
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
