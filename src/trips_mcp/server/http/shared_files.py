"""The files behind a share link: GET /shared/{token}/calendar.ics and /shared/{token}/places.geojson.

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

from trips_mcp.server.http.limits import CallLimit
from trips_mcp.server.http.request import HttpRequest

if TYPE_CHECKING:
    from trips_mcp.client import TripsClient
    from trips_mcp.formats.outline import Outline

OpenVisitor = Callable[[str], AbstractAsyncContextManager["TripsClient"]]
"""Opens a client without a key, whose requests count for an address."""

_PATH: Final = re.compile(r"/shared/(?P<token>[A-Za-z0-9_-]{1,200})/(?P<file>calendar\.ics|places\.geojson)")
_LOGGED: Final = "/shared/…/"
_MEDIA_TYPES: Final = {"calendar.ics": "text/calendar", "places.geojson": "application/geo+json"}
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
    (b"content-security-policy", b"default-src 'none'; sandbox"),
)
_GONE: Final = "Nothing is shared at this address. The link may have been revoked."
_BUSY: Final = "This address is read too often; read it again later."
_DOWN: Final = "The trip cannot be read now; try again later."


class _Wanted(NamedTuple):
    token: str
    file: str


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
        request.path = f"{_LOGGED}{found['file']}"
        return _Wanted(found["token"], found["file"])

    async def answer(self, request: HttpRequest, wanted: _Wanted) -> None:
        """Raises: RefusalError if too many are read at once."""
        from trips_mcp.client.errors import NotFoundError, RateLimitedError, TripsError

        try:
            with self._reads.slot(request.address):
                outline = await self._outline(wanted.token, request.address)
        except NotFoundError:
            await _say(request, HTTPStatus.NOT_FOUND, _GONE)
        except RateLimitedError:
            await _say(request, HTTPStatus.TOO_MANY_REQUESTS, _BUSY, (b"retry-after", b"60"))
        except TripsError:
            await _say(request, HTTPStatus.SERVICE_UNAVAILABLE, _DOWN, (b"retry-after", b"60"))
        else:
            await self._send(request, wanted, outline)

    async def _outline(self, token: str, address: str) -> "Outline":
        """Raises: TripsError."""
        from trips_mcp.contract.exports import TripExport
        from trips_mcp.contract.shares import EXPORT_SHARED_TRIP, ExportSharedTrip
        from trips_mcp.formats.outline import outline_of
        from trips_mcp.tools.offload import offload

        async with self._visitor(address) as client:
            shared = await client.call(EXPORT_SHARED_TRIP, ExportSharedTrip(token=token))
        export = TripExport.model_validate(shared.model_dump(mode="json", by_alias=True, exclude_unset=True))
        return await offload(len(export.legs) + len(export.map_pins) + len(export.commitments), outline_of, export)

    async def _send(self, request: HttpRequest, wanted: _Wanted, outline: "Outline") -> None:
        from trips_mcp.formats import FORMAT
        from trips_mcp.formats.icalendar import render_feed

        version = self._version(wanted, outline)
        headers = (*_SAFE, (b"etag", version.etag.encode()))
        if version.etag in request.headers.get("if-none-match", ""):
            await request.answer(HTTPStatus.NOT_MODIFIED, b"", headers)
            return
        is_calendar = wanted.file == "calendar.ics"
        text = render_feed(outline, version.since) if is_calendar else FORMAT["geojson"].render(outline)
        body = b"" if request.method == "HEAD" else text.encode("utf-8", "replace")
        kind = f"{_MEDIA_TYPES[wanted.file]}; charset=utf-8".encode()
        await request.answer(HTTPStatus.OK, body, [(b"content-type", kind), *headers])

    def _version(self, wanted: _Wanted, outline: "Outline") -> _Version:
        etag = f'"{sha256(repr((wanted.file, outline)).encode("utf-8", "replace")).hexdigest()[:32]}"'
        key = sha256("/".join(wanted).encode()).hexdigest()
        known = self._versions.pop(key, None)
        if known is None or known.etag != etag:
            known = _Version(etag, datetime.now(UTC))
        self._versions[key] = known
        while len(self._versions) > _ETAGS_KEPT:
            self._versions.popitem(last=False)
        return known


async def _say(request: HttpRequest, status: HTTPStatus, sentence: str, *headers: tuple[bytes, bytes]) -> None:
    await request.answer(status, f"{sentence}\n".encode(), [_PLAIN, *_SAFE, *headers])
