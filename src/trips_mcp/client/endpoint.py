"""The base URL and key of an API, checked before use."""

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from trips_mcp.addresses import is_loopback
from trips_mcp.client.errors import CannotConnectError

if TYPE_CHECKING:
    import ssl

    import httpx

_LONGEST = 2048
_UNFIT = re.compile(r"[\x00-\x20\x7f-\xa0\\]")
_KEY = re.compile(r"[\x21-\x7e]+")


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
