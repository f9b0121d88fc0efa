"""Servers on real sockets that close early, send invalid HTTP, or get many calls at once."""

import ssl
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Protocol

import anyio
import pytest
from anyio.abc import SocketAttribute, SocketStream
from anyio.streams.tls import TLSStream

from tests.certificates import self_signed
from trips_mcp.client import BadAnswerError, CannotConnectError, Endpoint, TripsClient, UnavailableError
from trips_mcp.client.session import trusted

if TYPE_CHECKING:
    from .conftest import SkippedTime


class Speaking(Protocol):
    def __call__(
        self,
        words: bytes,
        time: "SkippedTime | None" = None,
        certificate: Path | None = None,
        trusted: ssl.SSLContext | None = None,
    ) -> AbstractAsyncContextManager[TripsClient]: ...


WHOLE = b'HTTP/1.1 200 OK\r\nContent-Length: 12\r\nX-Request-Id: r1\r\n\r\n{"items":[]}'


@pytest.fixture
def speaking() -> Speaking:
    """A client of a server that answers each request with these bytes and closes the connection."""

    @asynccontextmanager
    async def speaking(
        words: bytes,
        time: "SkippedTime | None" = None,
        certificate: Path | None = None,
        trusted: ssl.SSLContext | None = None,
    ) -> AsyncGenerator[TripsClient]:
        async def answer(stream: SocketStream) -> None:
            async with stream:
                with suppress(anyio.BrokenResourceError, anyio.EndOfStream, ssl.SSLError):  # the client may leave early
                    encrypted = stream if tls is None else await TLSStream.wrap(stream, ssl_context=tls)
                    await encrypted.receive()
                    await encrypted.send(words)

        tls = None
        if certificate is not None:
            tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            tls.load_cert_chain(certificate)
        scheme = "http" if tls is None else "https"
        async with await anyio.create_tcp_listener(local_host="127.0.0.1", local_port=0) as listener:
            port = listener.extra(SocketAttribute.local_port)  # noqa: S610 - anyio's, not Django's
            async with anyio.create_task_group() as serving:
                serving.start_soon(listener.serve, answer)
                endpoint = Endpoint(f"{scheme}://127.0.0.1:{port}", "k", tls=trusted)
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


def test_certificates_are_loaded_once_and_again_when_their_setting_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    first = trusted("https://trips.example")
    assert trusted("https://events.example", "http://127.0.0.1") is first
    monkeypatch.setenv("SSL_CERT_FILE", "/no/such/file.pem")

    with pytest.raises(CannotConnectError, match="SSL_CERT_FILE"):
        trusted("https://trips.example")


async def test_no_proxy_is_used_for_this_computer(speaking: Speaking, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")

    async with speaking(WHOLE) as client:
        with anyio.fail_after(30):
            assert (await client.trips.list()).items == []


@pytest.mark.parametrize("shared", [True, False], ids=["of the endpoint", "of the environment"])
async def test_the_certificates_that_are_named_are_trusted(
    speaking: Speaking, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, shared: bool
) -> None:
    own = self_signed(tmp_path / "own.pem")
    trusted = ssl.create_default_context(cafile=own) if shared else None
    if not shared:
        monkeypatch.setenv("SSL_CERT_FILE", str(own))

    async with speaking(WHOLE, certificate=own, trusted=trusted) as client:
        with anyio.fail_after(30):
            assert (await client.trips.list()).items == []


async def test_a_certificate_that_nobody_vouches_for_is_not_trusted(speaking: Speaking, tmp_path: Path) -> None:
    async with speaking(WHOLE, certificate=self_signed(tmp_path / "own.pem")) as client:
        with anyio.fail_after(30), pytest.raises(UnavailableError, match="its certificate is not trusted") as caught:
            await client.trips.list()

    assert not caught.value.sent


async def test_an_answer_over_16_mib_is_refused_before_it_is_whole(speaking: Speaking) -> None:
    begun = b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n" + b" " * (17 * 1024 * 1024)

    async with speaking(begun) as client:
        with anyio.fail_after(30), pytest.raises(BadAnswerError, match="with more than 16 MiB"):
            await client.trips.list()


async def test_a_redirect_is_not_followed(speaking: Speaking) -> None:
    async with speaking(b"HTTP/1.1 302 Found\r\nLocation: /trips\r\nContent-Length: 0\r\n\r\n") as client:
        with anyio.fail_after(30), pytest.raises(BadAnswerError) as caught:
            await client.trips.list()

    assert caught.value.status == 302


async def test_many_calls_share_one_client(speaking: Speaking) -> None:
    async with speaking(WHOLE) as client:
        with anyio.fail_after(30):
            async with anyio.create_task_group() as calls:
                for _ in range(50):
                    calls.start_soon(client.trips.list)


async def test_no_more_than_32_connections_are_open() -> None:
    async def answer(stream: SocketStream) -> None:
        nonlocal held
        async with stream:
            await stream.receive()
            held += 1
            most_held.append(held)
            if len(most_held) > 1:  # the first answer shows that there is no rate limit
                if held == 32:
                    await anyio.wait_all_tasks_blocked()
                    enough.set()
                await enough.wait()
            held -= 1
            await stream.send(WHOLE.replace(b"X-Request-Id", b"Connection: close\r\nX-Request-Id"))

    held = 0
    most_held: list[int] = []
    enough = anyio.Event()
    async with await anyio.create_tcp_listener(local_host="127.0.0.1", local_port=0, backlog=100) as listener:
        port = listener.extra(SocketAttribute.local_port)  # noqa: S610 - anyio's, not Django's
        with anyio.fail_after(30):
            async with anyio.create_task_group() as serving:
                serving.start_soon(listener.serve, answer)
                async with TripsClient(trips=Endpoint(f"http://127.0.0.1:{port}", "k"), events=None) as client:
                    await client.trips.list()
                    async with anyio.create_task_group() as calls:
                        for _ in range(48):
                            calls.start_soon(client.trips.list)
                serving.cancel_scope.cancel()

    assert max(most_held) == 32


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
