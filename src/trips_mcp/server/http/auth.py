"""Who is calling. The only place that reads credentials; what they may do is asked elsewhere (`accounts.py`)."""

import re
from dataclasses import dataclass, field
from hashlib import sha256
from http import HTTPStatus
from typing import Final

from mcp.server.auth.provider import AccessToken, TokenVerifier
from typing_extensions import override

from trips_mcp.addresses import UNKNOWN, is_loopback
from trips_mcp.server.http.errors import RefusalError
from trips_mcp.server.http.request import HttpRequest

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
"""What nginx speaks to a server unless it is told otherwise, and no client of MCP does."""


@dataclass(frozen=True, slots=True)
class HttpCaller:
    name: str
    """A hash of the keys, which tells nobody what they are."""
    trips_key: str = field(default="", repr=False)
    events_token: str | None = field(default=None, repr=False)
    address: str = field(default=UNKNOWN, compare=False, repr=False)
    """From which the request came."""


ANYBODY: Final = HttpCaller("anybody")
"""Everyone on this computer, where no key is asked for."""


class KeyVerifier(TokenVerifier):
    """The bearer is the Trips API key itself, which that service alone can judge.

    An OAuth server's tokens would come through another of these: it finds out whose the bearer is, and gives the
    key to act with as `token`.
    """

    @override
    async def verify_token(self, token: str) -> AccessToken | None:
        """None for what can be no key, so that a token meant for others is not sent to the service."""
        return AccessToken(token=token, client_id=_hash(token), scopes=[]) if _KEY.fullmatch(token) else None


class Authenticator:
    def __init__(self, verifier: TokenVerifier | None) -> None:
        """None: nobody has to say who they are."""
        self._verifier = verifier

    async def authenticate(self, request: HttpRequest) -> HttpCaller:
        """Raises: RefusalError, a 401; where nobody has to say who they are a 403 for who is not of this computer."""
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
    return _invalid_token("This key is wrong or revoked: ask whoever runs this server for one")


def unverified(seconds: int) -> RefusalError:
    """A 503, as it is not the caller's fault."""
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
