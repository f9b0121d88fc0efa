"""What a share link shows: the page GET /shared/{token}, and below it calendar.ics and places.geojson.

They need no key. What they show is the safe projection of the share link (docs/contract.md#share-links).
"""

import re
from collections import OrderedDict
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, NamedTuple

from trips_mcp import __version__
from trips_mcp.server.http.limits import CallLimit
from trips_mcp.server.http.request import HttpRequest

if TYPE_CHECKING:
    from trips_mcp.client import TripsClient
    from trips_mcp.contract.shares import SharedExport

OpenVisitor = Callable[[str], AbstractAsyncContextManager["TripsClient"]]
"""Opens a client without a key, whose requests count for an address."""

_PATH: Final = re.compile(r"/shared/(?P<token>[A-Za-z0-9_-]{1,200})(?:/(?P<file>calendar\.ics|places\.geojson))?")
_LOGGED: Final = "/shared/…/"
_MEDIA_TYPES: Final = {"": "text/html", "calendar.ics": "text/calendar", "places.geojson": "application/geo+json"}
_ETAGS_KEPT: Final = 1000
_AT_ONCE: Final = 32
"""Apart from the calls of callers, whom readers of links must not keep waiting."""
_AT_ONCE_PER_ADDRESS: Final = 4
_PLAIN: Final = (b"content-type", b"text/plain; charset=utf-8")
_SAFE: Final = (
    (b"cache-control", b"private, no-cache"),
    (b"x-robots-tag", b"noindex, nofollow"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
)
_POLICY: Final = b"default-src 'none'; sandbox"
_OF_THE_PAGE: Final = (
    "frame-ancestors 'none'; sandbox allow-scripts allow-modals allow-popups allow-popups-to-escape-sandbox "
    "allow-top-navigation-by-user-activation"
)
_GONE: Final = "Nothing is shared at this address. The link may have been revoked."
_BUSY: Final = "This address is read too often; read it again later."
_DOWN: Final = "The trip cannot be read now; try again later."


class _Wanted(NamedTuple):
    token: str
    file: str
    """Empty for the page."""


@dataclass(frozen=True, slots=True)
class _Version:
    etag: str
    since: datetime
    """When this server first saw this content: the DTSTAMP of calendar entries."""


class SharedFiles:
    def __init__(self, visitor: OpenVisitor) -> None:
        self._visitor = visitor
        self._reads = CallLimit(_AT_ONCE, _AT_ONCE_PER_ADDRESS)
        self._versions = OrderedDict[str, _Version]()
        """By the digest of the address, so that no token is kept."""

    @staticmethod
    def wanted(request: HttpRequest) -> _Wanted | None:
        """What the path names. Takes the token out of the log line."""
        found = _PATH.fullmatch(request.path)
        if found is None:
            return None
        file = found["file"] or ""
        request.path = f"{_LOGGED}{file}"
        return _Wanted(found["token"], file)

    async def answer(self, request: HttpRequest, wanted: _Wanted) -> None:
        """Raises: RefusalError if too many are read at once."""
        from trips_mcp.client.errors import NotFoundError, RateLimitedError, TripsError

        try:
            with self._reads.slot(request.address):
                shared = await self._export(wanted.token, request.address)
                version = self._version(wanted, shared)
                is_known = version.etag in request.headers.get("if-none-match", "")
                body = b"" if is_known or request.method == "HEAD" else await _body(wanted.file, shared, version.since)
        except NotFoundError:
            await _say(request, HTTPStatus.NOT_FOUND, _GONE)
        except RateLimitedError:
            await _say(request, HTTPStatus.TOO_MANY_REQUESTS, _BUSY, (b"retry-after", b"60"))
        except TripsError:
            await _say(request, HTTPStatus.SERVICE_UNAVAILABLE, _DOWN, (b"retry-after", b"60"))
        else:
            policy = _POLICY if wanted.file else _page_policy()
            headers = (*_SAFE, (b"content-security-policy", policy), (b"etag", version.etag.encode()))
            if is_known:
                await request.answer(HTTPStatus.NOT_MODIFIED, b"", headers)
            else:
                kind = f"{_MEDIA_TYPES[wanted.file]}; charset=utf-8".encode()
                await request.answer(HTTPStatus.OK, body, [(b"content-type", kind), *headers])

    async def _export(self, token: str, address: str) -> "SharedExport":
        """Raises: TripsError."""
        from trips_mcp.contract.shares import EXPORT_SHARED_TRIP, ExportSharedTrip

        async with self._visitor(address) as client:
            return await client.call(EXPORT_SHARED_TRIP, ExportSharedTrip(token=token))

    def _version(self, wanted: _Wanted, shared: "SharedExport") -> _Version:
        content = f"{__version__} {wanted.file} {shared!r}"
        etag = f'"{sha256(content.encode("utf-8", "replace")).hexdigest()[:32]}"'
        key = sha256("/".join(wanted).encode()).hexdigest()
        known = self._versions.pop(key, None)
        if known is None or known.etag != etag:
            known = _Version(etag, datetime.now(UTC))
        self._versions[key] = known
        while len(self._versions) > _ETAGS_KEPT:
            self._versions.popitem(last=False)
        return known


async def _body(file: str, shared: "SharedExport", since: datetime) -> bytes:
    from trips_mcp.tools.trip_reading import offload

    size = len(shared.legs) + len(shared.map_pins) + len(shared.commitments) + len(shared.action_items)
    return await offload(size, rendered, file, shared, since)


def _page_policy() -> bytes:
    """The page's own: its script and styles alone. Also it is in no frame, and of no origin."""
    from trips_mcp.formats.page import policy

    return f"{policy()}; {_OF_THE_PAGE}".encode()


def rendered(file: str, shared: "SharedExport", since: datetime) -> bytes:
    from trips_mcp.contract.trips import TripExport
    from trips_mcp.formats import FORMAT
    from trips_mcp.formats.icalendar import render_feed
    from trips_mcp.formats.outline import outline_of

    export = TripExport.model_validate(shared.model_dump(mode="json", by_alias=True, exclude_unset=True))
    outline = outline_of(export)
    is_calendar = file == "calendar.ics"
    text = render_feed(outline, since) if is_calendar else FORMAT["geojson" if file else "html"].render(outline)
    return text.encode("utf-8", "replace")


async def _say(request: HttpRequest, status: HTTPStatus, sentence: str, *headers: tuple[bytes, bytes]) -> None:
    policy = (b"content-security-policy", _POLICY)
    await request.answer(status, f"{sentence}\n".encode(), [_PLAIN, *_SAFE, policy, *headers])
