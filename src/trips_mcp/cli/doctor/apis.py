"""The doctor's check of the two APIs, by one read-only request to each."""

import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from pydantic_core import from_json

from trips_mcp.cli.doctor.clock import clock
from trips_mcp.cli.doctor.finding import Diagnosis
from trips_mcp.cli.doctor.http_probe import Came, Obstacle, ask
from trips_mcp.cli.doctor.key import key_findings, rate_limit
from trips_mcp.client.endpoint import Endpoint
from trips_mcp.client.errors import (
    ApiError,
    BadAnswerError,
    CannotConnectError,
    ForbiddenError,
    GoneError,
    NotFoundError,
    RateLimitedError,
    ServerFaultError,
    TripsError,
    UnauthorizedError,
)
from trips_mcp.client.responses import read
from trips_mcp.client.session import ApiResponse
from trips_mcp.contract.events import GET_EVENT, GetEvent
from trips_mcp.contract.me import GET_ME, GetMe
from trips_mcp.contract.models import Params
from trips_mcp.contract.operation import Api, Operation
from trips_mcp.json_values import is_object
from trips_mcp.redaction import bare_url
from trips_mcp.settings import EVENTS_URL, TRIPS_URL, Settings


@dataclass(frozen=True, slots=True)
class Probe:
    api: Api
    name: str
    key_variable: str
    url_variable: str
    usual: str
    path: str
    """The expected end of a base URL."""
    operation: Operation[Any, Any]
    params: Params


# The Events API has no operation without arguments, so the probe reads an event that need not exist.
PROBES: Final[dict[Api, Probe]] = {
    "trips": Probe("trips", "Trips API", "OSOTO_API_KEY", "OSOTO_BASE_URL", TRIPS_URL, "/api/v1", GET_ME, GetMe()),
    "events": Probe(
        "events",
        "Events API",
        "TRAVELMODE_TOKEN",
        "TRAVELMODE_BASE_URL",
        EVENTS_URL,
        "the host, without /v1",
        GET_EVENT,
        GetEvent(event_id=1),
    ),
}


async def examine_api(api: Api, settings: Settings, *, of_callers: bool) -> list[Diagnosis]:
    """`of_callers`: callers bring their keys, so there is no key to check."""
    probe = PROBES[api]
    url = settings.trips_url if api == "trips" else settings.events_url
    key = None if of_callers else settings.trips_key if api == "trips" else settings.events_token
    facts: dict[str, object] = {"url": bare_url(url), "usual": url == probe.usual}
    try:
        came = await ask(_endpoint(url, key), probe.operation, probe.params, probe.url_variable)
    except CannotConnectError as error:
        found = f"{probe.url_variable}: {str(error).rstrip('.')}"
        return [Diagnosis(f"{api}-api", "fail", found, f"Fix {probe.url_variable}.", facts)]
    if isinstance(came, Obstacle):
        found = f"{_which(probe, url)} cannot be reached: {came.found}"
        return [Diagnosis(f"{api}-api", "fail", found, came.to_do, {**facts, "problem": came.kind})]
    facts |= {"status": came.answer.status, "milliseconds": round(came.took * 1000)}
    return list(_answered(probe, settings, key, came, _which(probe, url), facts))


def _endpoint(url: str, key: str | None) -> Endpoint:
    """Loads no trusted certificates for plain HTTP. Raises: CannotConnectError."""
    plain = url.lower().startswith("http:")
    return Endpoint(url, key, tls=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if plain else None)


def trips_endpoint(url: str, key: str) -> Endpoint | None:
    try:
        return _endpoint(url, key)
    except CannotConnectError:  # the check of the API reports it
        return None


def not_set_up(api: Api, settings: Settings) -> Diagnosis:
    """For an API without a key, if the other one has a key."""
    probe = PROBES[api]
    if api in settings.switched_off:
        found = f"off, as {probe.key_variable} holds no key but a variable that was not expanded"
        return Diagnosis(f"{api}-api", "fail", found, f"Write the key itself there, or unset {probe.key_variable}.")
    found = "not set up, so its tools are not offered"
    return Diagnosis(f"{api}-api", "warn", found, f"Set {probe.key_variable}, if you have a key for it.")


def _which(probe: Probe, url: str) -> str:
    return f"{'the service' if url == probe.usual else 'another service'} at {bare_url(url)}"


def _answered(
    probe: Probe, settings: Settings, key: str | None, came: Came, which: str, facts: dict[str, object]
) -> Iterator[Diagnosis]:
    result, error = _understood(probe, came.answer, key)
    trouble = _stranger(probe, came.answer, error)
    if trouble is not None:
        found, to_do = trouble
        yield Diagnosis(f"{probe.api}-api", "fail", f"{which} {found}", to_do, facts)
    else:
        yield Diagnosis(f"{probe.api}-api", "ok", f"{which} answers in {came.took * 1000:.0f} ms", facts=facts)
        yield from key_findings(probe.api, probe.key_variable, settings, result, error, has_key=key is not None)
        if (limit := rate_limit(f"{probe.api}-rate-limit", came.answer, error)) is not None:
            yield limit
    if (time := clock(f"{probe.api}-clock", came)) is not None:
        yield time


def _understood(probe: Probe, answer: ApiResponse, key: str | None) -> tuple[object, TripsError | None]:
    try:
        return read(probe.operation, probe.params, answer, key), None
    except TripsError as error:
        return None, error


def _stranger(probe: Probe, answer: ApiResponse, error: TripsError | None) -> tuple[str, str] | None:
    """What is wrong with the service, and what to do. None if it is the API and works."""
    there = f"Check {probe.url_variable}; it ends with {probe.path}."
    if _is_page(answer) and not isinstance(error, ServerFaultError):
        return (
            f"answers with a web page (HTTP {answer.status}), and not as the {probe.name}",
            f"{there} A network with a login page answers like this too.",
        )
    match error:
        case ServerFaultError():
            return f"is there, but fails (HTTP {answer.status})", "Try again later; if it continues, ask its operator."
        case BadAnswerError() if 300 <= answer.status < 400:
            return f"redirects (HTTP {answer.status}), and a key is never sent elsewhere", there
        case BadAnswerError():
            return f"answers, but not as the {probe.name} (HTTP {answer.status})", there
        case NotFoundError() if probe.api == "trips" or not _says_why(answer):
            return f"has no {probe.name} at this address (HTTP 404)", there
        case NotFoundError() | GoneError() | ForbiddenError() | UnauthorizedError() | RateLimitedError() | None:
            return None
        case ApiError():
            return f"refuses the check's request to the {probe.name} (HTTP {answer.status})", there
        case _:
            return str(error), there


def _is_page(answer: ApiResponse) -> bool:
    return "html" in answer.headers.get("Content-Type", "").lower()


def _says_why(answer: ApiResponse) -> bool:
    try:
        body = from_json(answer.body)
    except ValueError:
        return False
    return is_object(body) and any(name in body for name in ("error", "detail", "message"))
