"""What the APIs answer to one harmless call each, and what to do where they refuse it."""

from math import ceil

from trips_mcp.cli.doctor.finding import Finding
from trips_mcp.client import TripsClient
from trips_mcp.client.errors import (
    BadAnswerError,
    ForbiddenError,
    GoneError,
    NotFoundError,
    RateLimitedError,
    TripsError,
    UnauthorizedError,
    UnavailableError,
)
from trips_mcp.client.outcome import RateLimit
from trips_mcp.contract.events import GET_EVENT, GetEvent
from trips_mcp.contract.me import GET_ME, GetMe, Me
from trips_mcp.contract.operation import Api
from trips_mcp.contract.scopes import BASE_SCOPES

_ABOUT: dict[Api, str] = {"trips": "trips API", "events": "events API"}
_KEY: dict[Api, str] = {"trips": "OSOTO_API_KEY", "events": "TRAVELMODE_TOKEN"}
_URL: dict[Api, str] = {"trips": "OSOTO_BASE_URL", "events": "TRAVELMODE_BASE_URL"}


async def ask_trips_api(client: TripsClient) -> Finding:
    try:
        me = await client.call(GET_ME, GetMe())
    except TripsError as error:
        return _trouble("trips", error)
    return _who(me)


async def ask_events_api(client: TripsClient) -> Finding:
    """It knows no call that asks for nothing; an event that need not exist does as well."""
    try:
        await client.call(GET_EVENT, GetEvent(event_id=1))
    except (NotFoundError, GoneError, ForbiddenError):
        pass  # it let us in and looked
    except TripsError as error:
        return _trouble("events", error)
    return Finding("ok", _ABOUT["events"], "answers, and accepts the token")


def budget(left: RateLimit) -> Finding:
    """How much of its rate limit the key has left."""
    said = f"{left.remaining} of {left.limit} requests are left, for {ceil(left.resets_in)} seconds at most"
    if left.remaining:
        return Finding("ok", "rate limit", said)
    return Finding("warn", "rate limit", f"{said}. Calls wait that long; see what else uses this key.")


def _who(me: Me) -> Finding:
    name = (me.user.name or me.user.id) if me.user else "someone it does not name"
    groups = ", ".join(group.name or group.id for group in me.groups) or "no group"
    if me.scopes is None:
        return Finding("ok", _ABOUT["trips"], f"you are {name}, in {groups}; it does not say what the key may do")
    said = f"you are {name}, in {groups}; the key may {', '.join(me.scopes) or 'do nothing'}"
    lacking = [scope for scope in BASE_SCOPES if scope not in me.scopes]
    if lacking:
        return Finding("warn", _ABOUT["trips"], f"{said}. Tools that need {', '.join(lacking)} may be refused.")
    return Finding("ok", _ABOUT["trips"], said)


def _trouble(api: Api, error: TripsError) -> Finding:
    match error:
        case UnauthorizedError():
            advice = f"Set {_KEY[api]} to a valid key; this one is wrong or revoked."
        case UnavailableError():
            advice = f"Check {_URL[api]} and your network."
        case BadAnswerError():
            advice = f"Check {_URL[api]}: what answers there does not speak this API."
        case RateLimitedError():
            return Finding("warn", _ABOUT[api], f"{error} Try again in a minute.")
        case _:
            advice = "Try again later; if it stays, ask whoever runs the service."
    return Finding("fail", _ABOUT[api], f"{error} {advice}")
