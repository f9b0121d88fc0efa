"""Handlers of resources/list, resources/templates/list, resources/read and completion/complete.

Completions are for trip ids, and for dates of a trip.
"""

import json
import re
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from itertools import islice
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple
from urllib.parse import unquote
from weakref import WeakKeyDictionary

import mcp_types as types
from mcp import MCPError
from mcp.server import Server, ServerRequestContext

from trips_mcp.server.client_holder import ClientHolder
from trips_mcp.server.handlers import LazyTools, error_boundary, expect_no_cursor, host_draws
from trips_mcp.server.offer import Offer
from trips_mcp.server.prompt_catalog import TRIP
from trips_mcp.server.resource_catalog import (
    CALENDAR,
    DAY,
    EXPORT,
    ITINERARY,
    PAGE,
    PAGE_META,
    PAGE_MIME_TYPE,
    PAGE_RESOURCE,
    PLACES,
    SCHEME,
    TRIP_PAGE,
    ResourceKind,
    uri_of,
)

if TYPE_CHECKING:
    from trips_mcp.client import TripsClient
    from trips_mcp.client.errors import TripsError
    from trips_mcp.client.outcome import Report
    from trips_mcp.contract.trips import Trip
    from trips_mcp.tools import Tool
    from trips_mcp.tools.call_context import Conduct


FRESH_SECONDS: Final = 30
"""Clients request completions on every keystroke, and the service has a rate limit."""


class TripCache:
    """Caches the trips per client."""

    def __init__(self, only: str | None, clock: Callable[[], float] = monotonic) -> None:
        """`only`: the one trip to read, if the server is bound to it."""
        self._only = only
        self._clock = clock
        self._seen: WeakKeyDictionary[TripsClient, tuple[float, list[Trip]]] = WeakKeyDictionary()

    async def latest(self, client: "TripsClient") -> "list[Trip]":
        """Reads the trips, latest start first. Raises: TripsError."""
        trips = sorted(await self._read(client), key=lambda trip: (trip.start_date or "", trip.id), reverse=True)
        self._seen[client] = (self._clock(), trips)
        return trips

    async def cached(self, client: "TripsClient") -> "list[Trip]":
        """The trips, at most FRESH_SECONDS old. Raises: TripsError."""
        seen = self._seen.get(client)
        if seen is not None and self._clock() - seen[0] < FRESH_SECONDS:
            return seen[1]
        return await self.latest(client)

    async def _read(self, client: "TripsClient") -> "list[Trip]":
        if self._only is not None:
            return [await client.trips.get(self._only)]
        return [trip async for trip in client.iterate_trips() if trip.id]


TRIPS_A_PAGE: Final = 50

_LONGEST_TITLE: Final = 200
_UNKNOWN: Final = "There is no such resource; resources/list and resources/templates/list say which ones there are."

Context = ServerRequestContext[ClientHolder]
_FORMATS: Final[Mapping[ResourceKind, Literal["ics", "geojson", "html"]]] = {
    CALENDAR: "ics",
    PLACES: "geojson",
    PAGE: "html",
}
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class ResourceAddress(NamedTuple):
    uri: str
    kind: ResourceKind
    trip: str
    date: str | None = None


def add_resources(server: Server[ClientHolder], offer: Offer, tools: LazyTools, trips: TripCache) -> None:
    kinds = offer.resources
    conduct = offer.conduct

    async def list_templates(_: Context, params: types.PaginatedRequestParams) -> dict[str, Any]:
        expect_no_cursor(params)
        return {"resourceTemplates": offer.templates, "resultType": "complete"}

    async def list_resources(context: Context, params: types.PaginatedRequestParams) -> dict[str, Any]:
        pages = [PAGE_RESOURCE] if offer.has_page and params.cursor is None and host_draws(context) else []
        with error_boundary("resources/list"), _as_mcp_errors("resources/list", conduct):
            found = await trips.latest(await context.lifespan_context.client()) if kinds else []
            listed = _page(found, params.cursor, kinds)
        return {**listed, "resources": pages + listed["resources"], "resultType": "complete"}

    async def read_resource(context: Context, params: types.ReadResourceRequestParams) -> dict[str, Any]:
        if params.uri == TRIP_PAGE and offer.has_page:
            return {"contents": [_trip_page()], "resultType": "complete"}
        address = parse_uri(params.uri)
        if address is None or address.kind not in kinds or conduct.trip not in (None, address.trip):
            raise _not_found(params.uri)
        with error_boundary("resources/read"), _as_mcp_errors("resources/read", conduct, uri=params.uri):
            client = await context.lifespan_context.client()
            if address.kind is EXPORT:
                text = await _export(address, client, conduct)
            elif address.kind in _FORMATS:
                text = await _file(address, client, conduct)
            else:
                text = await _answer(
                    address, tools[address.kind.tool], client, context.session.report_progress, conduct
                )
        content = {"uri": params.uri, "mimeType": address.kind.mime_type, "text": text}
        return {"contents": [content], "resultType": "complete"}

    server.add_request_handler("resources/templates/list", types.PaginatedRequestParams, list_templates)
    server.add_request_handler("resources/list", types.PaginatedRequestParams, list_resources)
    server.add_request_handler("resources/read", types.ReadResourceRequestParams, read_resource)


async def _answer(
    address: ResourceAddress, tool: "Tool[Any, Any]", client: "TripsClient", report: "Report", conduct: "Conduct"
) -> str:
    """The full text of the tool's result, with its quoting. Raises: MCPError."""
    arguments = {"tripId": address.trip} if address.date is None else {"tripId": address.trip, "date": address.date}
    answer = await tool.call(client, arguments, report, conduct)
    if answer.is_error:
        raise _error(answer.text, answer.failure, address.uri)
    return answer.text


async def _export(address: ResourceAddress, client: "TripsClient", conduct: "Conduct") -> str:
    """The whole export, at any size: unlike a tool's result, a model gets it only on request."""
    from pydantic import ValidationError

    from trips_mcp.contract.trips import ExportTrip
    from trips_mcp.tools.resources.exports import export_of
    from trips_mcp.tools.secrets import masked
    from trips_mcp.tools.trip_reading import others_may_have_written
    from trips_mcp.tools.untrusted_text import UNMARKED

    try:
        params = ExportTrip(trip_id=address.trip)
    except ValidationError:
        raise _not_found(address.uri) from None
    outcome = await export_of(client, params, conduct)
    shown = masked(outcome.result) if conduct.mask_secrets else outcome.result
    beside: dict[str, Any] = {"remarks": list(outcome.notes)} if outcome.notes else {}
    if await others_may_have_written(client, address.trip, outcome.result):
        beside["quoting"] = UNMARKED
    told = {**shown.model_dump(mode="json", exclude_unset=True), **beside}
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"))


async def _file(address: ResourceAddress, client: "TripsClient", conduct: "Conduct") -> str:
    """The file at any size."""
    from trips_mcp.tools.resources.exports import file_of

    return (await file_of(client, address.trip, _FORMATS[address.kind], conduct)).text


def _trip_page() -> dict[str, Any]:
    from trips_mcp.formats.page import for_chat

    return {
        "uri": TRIP_PAGE,
        "mimeType": PAGE_MIME_TYPE,
        "text": for_chat(),
        "_meta": PAGE_META,
    }


@contextmanager
def _as_mcp_errors(method: str, conduct: "Conduct", uri: str | None = None) -> Generator[None]:
    """Reports failures with the same text as a tool result."""
    from trips_mcp.client.errors import TripsError
    from trips_mcp.tools.error_text import advice
    from trips_mcp.tools.tool_mentions import failure_without

    try:
        yield
    except TripsError as error:
        said = failure_without(advice(error, method, "", reads=True), error, method, conduct.absent)
        raise _error(said, error, uri) from None


def _error(said: str, failure: "TripsError | None", uri: str | None) -> MCPError:
    """No failure means that the tool refused the arguments, so the URI is invalid."""
    from trips_mcp.client.errors import ForbiddenError, NotFoundError

    of_the_address = failure is None or isinstance(failure, NotFoundError | ForbiddenError)
    code = types.INVALID_PARAMS if of_the_address else types.INTERNAL_ERROR
    return MCPError(code, said, None if uri is None else {"uri": uri})


def _not_found(uri: str) -> MCPError:
    return MCPError(types.INVALID_PARAMS, _UNKNOWN, {"uri": uri})


def _page(trips: "Sequence[Trip]", cursor: str | None, kinds: Sequence[ResourceKind]) -> dict[str, Any]:
    """The page that starts with the trip that the cursor names."""
    ids = [trip.id for trip in trips]
    if cursor is not None and cursor not in ids:
        raise MCPError(types.INVALID_PARAMS, "This cursor is not, or no longer, one of this list; list it anew.")
    start = 0 if cursor is None else ids.index(cursor)
    end = start + TRIPS_A_PAGE
    resources = [_resource(trip, kind) for trip in trips[start:end] for kind in kinds if kind.is_whole]
    return {"resources": resources, **({"nextCursor": ids[end]} if end < len(ids) else {})}


def _resource(trip: "Trip", kind: ResourceKind) -> dict[str, Any]:
    """One entry of resources/list. The title is the only text of the traveller's."""
    from trips_mcp.tools.untrusted_text import visible

    title = visible(" ".join((trip.title or trip.id).split()))
    days = [day for day in (trip.start_date, trip.end_date) if day and _DATE.fullmatch(day)]
    return {
        "uri": uri_of(kind, trip.id),
        "name": f"{kind.name} {visible(trip.id)}",
        "title": f"{title[:_LONGEST_TITLE]} ({kind.title})",
        "description": " ".join((kind.description, *((f"{' to '.join(days)}.",) if days else ()))),
        "mimeType": kind.mime_type,
    }


def parse_uri(uri: str) -> ResourceAddress | None:
    """None if the URI is not a trip resource. Does not check that the trip exists."""
    if not uri.startswith(SCHEME):
        return None
    trip, *below = (unquote(part) for part in uri.removeprefix(SCHEME).removesuffix("/").split("/"))
    match below:
        case _ if not trip:
            return None
        case []:
            return ResourceAddress(uri, ITINERARY, trip)
        case ["export.json"]:
            return ResourceAddress(uri, EXPORT, trip)
        case ["calendar.ics"]:
            return ResourceAddress(uri, CALENDAR, trip)
        case ["places.geojson"]:
            return ResourceAddress(uri, PLACES, trip)
        case ["page.html"]:
            return ResourceAddress(uri, PAGE, trip)
        case ["day", date] if _DATE.fullmatch(date):
            return ResourceAddress(uri, DAY, trip, date)
        case _:
            return None


MOST: Final = 100
"""The maximum number of values that the protocol allows in a response."""

_DATES: Final = frozenset({"date", "day"})
_LONGEST_TRIP: Final = 1000
"""Maximum number of days to offer; the service may report a trip that ends in the year 9999."""


def add_completions(server: Server[ClientHolder], offer: Offer, trips: TripCache) -> None:
    prompts = {prompt.name for prompt in offer.prompts}
    templates = {template["uriTemplate"] for template in offer.templates}

    async def complete(context: Context, params: types.CompleteRequestParams) -> dict[str, Any]:
        ref = params.ref
        if isinstance(ref, types.PromptReference):
            known, said = ref.name in prompts, f"Unknown prompt: {ref.name[:100]}"
        else:
            known, said = ref.uri in templates, "Unknown resource template; resources/templates/list has them."
        if not known:
            raise MCPError(types.INVALID_PARAMS, said)
        with error_boundary("completion/complete"):
            beside = (params.context.arguments if params.context else None) or {}
            values = await _values(context, trips, params.argument, beside, offer.conduct.trip)
        return _wire(values)

    server.add_request_handler("completion/complete", types.CompleteRequestParams, complete)


async def _values(
    context: Context, known: TripCache, argument: types.CompletionArgument, beside: Mapping[str, str], only: str | None
) -> list[str]:
    """Empty if the service fails: completions are optional, and a later call reports the failure."""
    from trips_mcp.client.errors import TripsError

    if argument.name != TRIP and argument.name not in _DATES:
        return []
    try:
        trips = await known.cached(await context.lifespan_context.client())
    except TripsError:
        return []
    if argument.name == TRIP:
        return _trip_ids(trips, argument.value)
    meant = only or beside.get(TRIP)
    return _dates(next((trip for trip in trips if trip.id == meant), None), argument.value)


def _trip_ids(trips: "Sequence[Trip]", typed: str) -> list[str]:
    typed = typed.strip().casefold()
    return [trip.id for trip in trips if trip.id.casefold().startswith(typed) or typed in (trip.title or "").casefold()]


def _dates(trip: "Trip | None", typed: str) -> list[str]:
    """Dates that start with the typed text, or whose weekday does."""
    try:
        first = date.fromisoformat((trip and trip.start_date) or "")
        last = date.fromisoformat((trip and trip.end_date) or "")
    except ValueError:
        return []
    typed = typed.strip().casefold()
    days = (first + timedelta(days) for days in range((last - first).days + 1))
    return [
        day.isoformat()
        for day in islice(days, _LONGEST_TRIP)
        if day.isoformat().startswith(typed) or f"{day:%A}".casefold().startswith(typed)
    ]


def _wire(values: Sequence[str]) -> dict[str, Any]:
    completion = {"values": list(values[:MOST]), "total": len(values), "hasMore": len(values) > MOST}
    return {"completion": completion, "resultType": "complete"}
