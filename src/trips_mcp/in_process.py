"""httpx's transport to the embedded backend in this process, without sockets or ASGI messages."""

import httpx
from typing_extensions import override

from trips_mcp.backend.app import Backend
from trips_mcp.backend.requests import BackendRequest


class InProcessTransport(httpx.AsyncBaseTransport):
    def __init__(self, backend: Backend, *, key: str | None = None, address: str = "127.0.0.1") -> None:
        """`key` is added to requests without one, such as reading a share, so that they count for the caller.

        `address`: the client address that the backend sees.
        """
        self._backend = backend
        self._authorization = None if key is None else (b"authorization", b"Bearer " + key.encode())
        self._address = address

    @override
    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        assert isinstance(request.stream, httpx.AsyncByteStream)  # noqa: S101  (of an async client)
        headers = [(name.lower(), value) for name, value in request.headers.raw]
        if self._authorization is not None:
            headers.append(self._authorization)  # the first one counts
        path, _, query = request.url.raw_path.partition(b"?")
        response = await self._backend.handle(
            BackendRequest(request.method, path.decode("ascii"), query, headers, request.stream, self._address)
        )
        return httpx.Response(
            response.status, headers=response.raw_headers, stream=httpx.ByteStream(response.encoded())
        )
