"""Servers on real sockets that close early, send invalid HTTP, or get many calls at once."""

from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from time import monotonic
from typing import TYPE_CHECKING, Protocol

import anyio
import pytest
from anyio.abc import SocketAttribute, SocketStream

from trips_mcp.client import Endpoint, TripsClient, UnavailableError

if TYPE_CHECKING:
    from .conftest import SkippedTime


class Speaking(Protocol):
    def __call__(self, words: bytes, time: "SkippedTime | None" = None) -> AbstractAsyncContextManager[TripsClient]: ...


WHOLE = b'HTTP/1.1 200 OK\r\nContent-Length: 12\r\nX-Request-Id: r1\r\n\r\n{"items":[]}'


@pytest.fixture
def speaking() -> Speaking:
    """A client of a server that answers each request with these bytes and closes the connection."""

    @asynccontextmanager
    async def speaking(words: bytes, time: "SkippedTime | None" = None) -> AsyncGenerator[TripsClient]:
        async def answer(stream: SocketStream) -> None:
            async with stream:
                await stream.receive()
                await stream.send(words)

        async with await anyio.create_tcp_listener(local_host="127.0.0.1", local_port=0) as listener:
            port = listener.extra(SocketAttribute.local_port)  # noqa: S610 - anyio's, not Django's
            async with anyio.create_task_group() as serving:
                serving.start_soon(listener.serve, answer)
                endpoint = Endpoint(f"http://127.0.0.1:{port}", "k")
                clock, sleep = (time.clock, time.sleep) if time else (monotonic, anyio.sleep)
                async with TripsClient(trips=endpoint, events=None, clock=clock, sleep=sleep) as client:
                    yield client
                serving.cancel_scope.cancel()

    return speaking


async def test_a_whole_answer_is_read(speaking: Speaking) -> None:
    with anyio.fail_after(30):
        async with speaking(WHOLE) as client:
            assert (await client.trips.list()).items == []


async def test_no_certificates_are_loaded_for_plain_http(speaking: Speaking, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/no/such/file.pem")

    async with speaking(WHOLE) as client:
        with anyio.fail_after(30):
            assert (await client.trips.list()).items == []


async def test_no_proxy_is_used_for_this_computer(speaking: Speaking, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")

    async with speaking(WHOLE) as client:
        with anyio.fail_after(30):
            assert (await client.trips.list()).items == []


async def test_many_calls_share_one_client(speaking: Speaking) -> None:
    async with speaking(WHOLE) as client:
        with anyio.fail_after(30):
            async with anyio.create_task_group() as calls:
                for _ in range(50):
                    calls.start_soon(client.trips.list)


@pytest.mark.parametrize("words", [WHOLE[:-3], WHOLE[:20], b"", b"220 mail.test ESMTP\r\n", b"\0\1\2\3"])
async def test_an_incomplete_answer_is_an_error(speaking: Speaking, time: "SkippedTime", words: bytes) -> None:
    async with speaking(words, time) as client:
        with anyio.fail_after(30):
            with pytest.raises(UnavailableError) as caught:
                await client.trips.list()

    assert caught.value.sent


async def test_a_cancelled_call_leaves_the_client_usable(speaking: Speaking) -> None:
    async with speaking(WHOLE) as client:
        with anyio.move_on_after(0):
            await client.trips.list()

        with anyio.fail_after(30):
            assert (await client.trips.list()).items == []
