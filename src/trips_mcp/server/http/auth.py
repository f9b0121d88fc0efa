"""Authentication, and the checks of the Host and Origin headers; the only module that reads credentials.

`accounts.py` checks what they allow. Refusals are 401 and 403 responses as in RFC 6750.

Without keys, only programs on this computer may call. A proxy or tunnel on this computer may forward requests of
others, so any request with a sign of a proxy is refused.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from http import HTTPStatus
from ipaddress import ip_address
from typing import Final

from mcp.server.auth.provider import AccessToken, TokenVerifier
from typing_extensions import override

from trips_mcp.addresses import UNKNOWN, is_loopback
from trips_mcp.server.http.request import INVALID_REQUEST, HttpRequest, RefusalError
from trips_mcp.server.jsonrpc import Message
from trips_mcp.settings import Settings
from trips_mcp.tools.listing import Entry, entries
from trips_mcp.tools.selection import lack

EVENTS_TOKEN_HEADER: Final = "x-travelmode-token"  # noqa: S105 - its name

_KEY: Final = re.compile(r"osk_[A-Za-z0-9._~+/-]{1,250}=*")
_EVENTS_TOKEN: Final = re.compile(r"[\x21-\x7e]{1,4096}")
_SCHEME = 'Bearer realm="trips-mcp"'
_WANTED = "send your Trips API key as Authorization: Bearer osk_..."
_BY_PROXIES: Final = frozenset(
    {"client-ip", "fly-client-ip", "forwarded", "true-client-ip", "via", "x-client-ip", "x-cluster-client-ip"}
    | {"x-forwarded", "x-original-forwarded-for", "x-original-host", "x-original-url", "x-real-ip"}
)
_PREFIXES_OF_PROXIES: Final = ("x-forwarded-", "cf-", "tailscale-")
_OF_PROXIES: Final = ("1.0", "0.9")
"""HTTP versions that no MCP client uses; 1.0 is nginx's default for upstream servers."""

_THIS_COMPUTER: Final = ("localhost", "127.0.0.1", "[::1]")
_CORS_METHODS: Final = b"GET, POST"
_CORS_REQUEST_HEADERS: Final = (
    b"accept, authorization, content-type, last-event-id, mcp-method, mcp-name, mcp-protocol-version, mcp-session-id, "
    b"x-request-id, x-travelmode-token"
)
_CORS_RESPONSE_HEADERS: Final = b"mcp-session-id, retry-after, www-authenticate, x-request-id"
_CORS_SECONDS: Final = b"3600"


@dataclass(frozen=True, slots=True)
class HttpCaller:
    name: str
    """A hash of the keys, safe to log."""
    trips_key: str = field(default="", repr=False)
    events_token: str | None = field(default=None, repr=False)
    address: str = field(default=UNKNOWN, compare=False, repr=False)
    """The client's address."""


ANYBODY: Final = HttpCaller("anybody")
"""Every caller on this computer, if no key is required."""


class KeyVerifier(TokenVerifier):
    """Accepts Trips API keys as bearer tokens; only the service can verify them.

    OAuth would be another verifier: it would map the bearer token to an account and return its key as `token`.
    """

    @override
    async def verify_token(self, token: str) -> AccessToken | None:
        """None if it cannot be a key, so that another service's token is not sent to this one."""
        return AccessToken(token=token, client_id=_hash(token), scopes=[]) if _KEY.fullmatch(token) else None


class Authenticator:
    def __init__(self, verifier: TokenVerifier | None) -> None:
        """`verifier`: None if no key is required."""
        self._verifier = verifier

    async def authenticate(self, request: HttpRequest) -> HttpCaller:
        """Raises: RefusalError: a 401, or without keys a 403 for other computers."""
        if self._verifier is None:
            check_local(request)
            return ANYBODY
        given = await self._verifier.verify_token(_bearer(request))
        if given is None:
            raise malformed("This is no Trips API key")
        token = _events_token(request)
        return HttpCaller(_hash(given.token, token or ""), given.token, token, request.address)


def _bearer(request: HttpRequest) -> str:
    given = request.values("authorization")
    if not given:
        raise no_key()
    scheme, _, token = given[0].partition(" ")
    if len(given) > 1 or scheme.lower() != "bearer":
        raise malformed("Authorization must be one Bearer")
    return token.strip()


def _events_token(request: HttpRequest) -> str | None:
    given = request.values(EVENTS_TOKEN_HEADER)
    if not given:
        return None
    if len(given) > 1 or not _EVENTS_TOKEN.fullmatch(given[0]):
        raise malformed("X-Travelmode-Token must be one token of the Events API")
    return given[0]


def _hash(*keys: str) -> str:
    return sha256("\0".join(keys).encode()).hexdigest()


def no_key() -> RefusalError:
    return RefusalError(
        HTTPStatus.UNAUTHORIZED, f"A key is missing: {_WANTED}", headers=(("www-authenticate", _SCHEME),)
    )


def malformed(what: str) -> RefusalError:
    return _invalid_token(f"{what}: {_WANTED}")


def rejected() -> RefusalError:
    return _invalid_token(
        "The service rejects this key as wrong or revoked: make one in Osoto under Settings, API Keys"
    )


def rejected_by_us() -> RefusalError:
    return _invalid_token("This key is wrong or revoked: ask its operator for one")


def unverified(seconds: int) -> RefusalError:
    """A 503, because the caller did nothing wrong."""
    return RefusalError(
        HTTPStatus.SERVICE_UNAVAILABLE,
        f"The service cannot be asked about this key just now; try again in {seconds} seconds.",
        headers=(("retry-after", str(seconds)),),
    )


def out_of_scope(tool: str, scope: str, request_id: str | int | None) -> RefusalError:
    said = f"{tool} needs the scope {scope}, which this key does not have"
    header = f'{_SCHEME}, error="insufficient_scope", scope="{scope}", error_description="{said}"'
    return RefusalError(
        HTTPStatus.FORBIDDEN,
        f"{said}; nothing was done.",
        headers=(("www-authenticate", header),),
        request_id=request_id,
    )


def _invalid_token(said: str) -> RefusalError:
    header = f'{_SCHEME}, error="invalid_token", error_description="{said}"'
    return RefusalError(HTTPStatus.UNAUTHORIZED, f"{said}.", headers=(("www-authenticate", header),))


class ScopeCheck:
    """A 403 for a call of a tool that the key may not call.

    The client and the service check every call too. The 403 tells a host, in HTTP terms, which scope to request.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def check(self, message: Message, scopes: Iterable[str] | None) -> None:
        """Raises: RefusalError, a 403, for a call of a tool that these scopes forbid."""
        tool = called_tool(message)
        entry = self._entries.get(tool or "")
        if tool is None or entry is None:
            return
        found = lack(entry, scopes, events_too=self._settings.team, trip=self._settings.trip)
        if found is not None:
            raise out_of_scope(tool, found.scope, message.get("id"))

    def known(self, tool: str | None) -> str | None:
        """The name if it is a tool; other text from a client must not reach the log."""
        return tool if tool in self._entries else None

    @cached_property
    def _entries(self) -> dict[str, Entry]:
        return {entry["listing"]["name"]: entry for entry in entries()}


def called_tool(message: Message) -> str | None:
    if message.get("method") != "tools/call":
        return None
    params: Mapping[str, object] = message.get("params") or {}
    name = params.get("name")
    return name if isinstance(name, str) else None


def check_local(request: HttpRequest) -> None:
    """Raises: RefusalError, a 403."""
    if any(map(_is_by_proxy, request.headers)) or request.scope["http_version"] in _OF_PROXIES:
        raise _refused("This request came through a proxy")
    if not is_loopback(request.address):
        raise _refused("This request came from another computer")
    if not all(is_loopback(host) for host in request.values("host")):
        raise _refused("This request is to a name that is not this computer's own")


def _is_by_proxy(header: str) -> bool:
    return header in _BY_PROXIES or header.startswith(_PREFIXES_OF_PROXIES)


def _refused(why: str) -> RefusalError:
    return RefusalError(
        HTTPStatus.FORBIDDEN,
        f"{why}, and without keys this server answers programs on its own computer alone: "
        "start it with --auth key for others.",
    )


class Origins:
    """The Host and Origin headers that are allowed.

    Any web page can make its own name resolve to 127.0.0.1 (DNS rebinding) and call local servers from the user's
    browser. So both headers are checked on every path. Pages of allowed origins get the CORS headers that browsers
    need.

    Not the SDK's `TransportSecurityMiddleware`: it compares hosts case-sensitively, takes `localhost:anything` for a
    port, sees the first of two `Host` headers alone, and covers the paths of its own transports only. Not Starlette's
    `CORSMiddleware`: it lets requests of other origins through, without the headers, and refuses their preflights in
    plain text. Here both are refused as JSON-RPC errors before anything else reads the request.
    """

    def __init__(self, address: str, hosts: Collection[str], origins: Collection[str]) -> None:
        """`address`: the one the server listens on. A host without a port is allowed on every port."""
        self._hosts = {*_THIS_COMPUTER, *_as_host(address), *hosts}
        self._origins = frozenset(origins)

    def check(self, request: HttpRequest) -> bool:
        """Whether the request is a CORS preflight.

        Raises: RefusalError.
        """
        if not any(_is_one_of(host.lower(), self._hosts) for host in request.values("host")):
            raise RefusalError(
                HTTPStatus.MISDIRECTED_REQUEST, "This server goes by another name (Host).", INVALID_REQUEST
            )
        origins = request.values("origin")
        if not origins:
            return False
        if len(origins) > 1 or not self._is_allowed(origins[0].lower()):
            raise RefusalError(
                HTTPStatus.FORBIDDEN, "Pages of this origin may not call here (Origin).", INVALID_REQUEST
            )
        request.more_headers += [
            (b"access-control-allow-origin", origins[0].encode("latin-1")),
            (b"access-control-expose-headers", _CORS_RESPONSE_HEADERS),
            (b"vary", b"Origin"),
        ]
        return request.method == "OPTIONS"

    def _is_allowed(self, origin: str) -> bool:
        scheme, _, host = origin.partition("://")
        return origin in self._origins or (scheme in ("http", "https") and _is_one_of(host, _THIS_COMPUTER))


async def answer_preflight(request: HttpRequest) -> None:
    await request.answer(
        HTTPStatus.NO_CONTENT,
        b"",
        [
            (b"access-control-allow-methods", _CORS_METHODS),
            (b"access-control-allow-headers", _CORS_REQUEST_HEADERS),
            (b"access-control-max-age", _CORS_SECONDS),
        ],
    )


def _as_host(address: str) -> tuple[str, ...]:
    """The address as a Host header has it; none for the unspecified address."""
    found = ip_address(address)
    if found.is_unspecified:
        return ()
    return (f"[{found}]" if found.version == 6 else str(found),)


def _is_one_of(host: str, names: Collection[str]) -> bool:
    name, colon, port = host.rpartition(":")
    is_port = colon != "" and port.isascii() and port.isdigit()
    return host in names or (is_port and name in names)
