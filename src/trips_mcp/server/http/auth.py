"""Who is calling. The only place that reads credentials; what they may do is asked elsewhere (`accounts.py`)."""

import re
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

from mcp.server.auth.provider import AccessToken, TokenVerifier
from typing_extensions import override

from trips_mcp.addresses import UNKNOWN
from trips_mcp.server.http.auth_challenge import malformed, no_key
from trips_mcp.server.http.local_only import check_nearby
from trips_mcp.server.http.request import Visit

EVENTS_TOKEN_HEADER: Final = "x-travelmode-token"  # noqa: S105 - its name

_KEY: Final = re.compile(r"osk_[A-Za-z0-9._~+/-]{1,250}=*")
_EVENTS_TOKEN: Final = re.compile(r"[\x21-\x7e]{1,4096}")


@dataclass(frozen=True, slots=True)
class Caller:
    name: str
    """A hash of the keys, which tells nobody what they are."""
    trips_key: str = field(default="", repr=False)
    events_token: str | None = field(default=None, repr=False)
    address: str = field(default=UNKNOWN, compare=False, repr=False)
    """From which the request came."""


ANYBODY: Final = Caller("anybody")
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


class Callers:
    def __init__(self, verifier: TokenVerifier | None) -> None:
        """None: nobody has to say who they are."""
        self._verifier = verifier

    async def of(self, visit: Visit) -> Caller:
        """Raises: RefusalError, a 401; where nobody has to say who they are a 403 for who is not of this computer."""
        if self._verifier is None:
            check_nearby(visit)
            return ANYBODY
        given = await self._verifier.verify_token(_bearer(visit))
        if given is None:
            raise malformed("This is no Trips API key")
        token = _events_token(visit)
        return Caller(_hash(given.token, token or ""), given.token, token, visit.address)


def _bearer(visit: Visit) -> str:
    given = visit.values("authorization")
    if not given:
        raise no_key()
    scheme, _, token = given[0].partition(" ")
    if len(given) > 1 or scheme.lower() != "bearer":
        raise malformed("Authorization must be one Bearer")
    return token.strip()


def _events_token(visit: Visit) -> str | None:
    given = visit.values(EVENTS_TOKEN_HEADER)
    if not given:
        return None
    if len(given) > 1 or not _EVENTS_TOKEN.fullmatch(given[0]):
        raise malformed("X-Travelmode-Token must be one token of the Events API")
    return given[0]


def _hash(*keys: str) -> str:
    return sha256("\0".join(keys).encode()).hexdigest()
