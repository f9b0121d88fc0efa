"""Clients that are slow or take more than their share, and the server that keeps serving others."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, suppress
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from trips_mcp.addresses import TrustedProxies
from trips_mcp.server.http.protocol import TimeoutProtocol

Serve = Callable[..., AbstractAsyncContextManager[Any]]

HEAD = b"POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nAccept: */*\r\n"
PING = b'{"jsonrpc": "2.0", "id": 1, "method": "ping"}'
A_PING = HEAD + b"Content-Length: %d\r\n\r\n" % len(PING) + PING


class Hasty(TimeoutProtocol):
    head_seconds = 0.2
    reader_seconds = 0.2
    closing_seconds = 0.2


async def all_of(stream: Any) -> bytes:
    """What is sent until the connection ends."""
    found = bytearray()
    with anyio.fail_after(30):
        try:
            while True:
                found += await stream.receive()
        except (anyio.EndOfStream, anyio.BrokenResourceError):
            return bytes(found)


@pytest.mark.parametrize("begun", [b"", b"POST /m", HEAD, HEAD + b"X-A: "])
async def test_a_client_that_does_not_finish_its_headers_is_cut_off(begun: bytes, local: Serve) -> None:
    async with local(protocol=Hasty) as served, served.raw() as stream:
        if begun:
            await stream.send(begun)
        answer = await all_of(stream)

    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b'"code":-32600' in answer


class Small(TimeoutProtocol):
    most_connections = 1


async def test_a_connection_over_the_limit_gets_a_503(local: Serve) -> None:
    async with local(protocol=Small) as served:
        async with served.raw() as first, served.raw() as second:
            await first.send(A_PING)
            served_first = await first.receive()
            await second.send(A_PING)
            refused = await all_of(second)
        again = await served.ask("ping")

    assert served_first.startswith(b"HTTP/1.1 200 ")
    assert refused.startswith(b"HTTP/1.1 503 ")
    assert b"retry-after: 1" in refused.lower()
    assert b'"jsonrpc":"2.0"' in refused
    assert again.status_code == 200


class Few(TimeoutProtocol):
    most_connections = 6
    most_per_address = 4
    refused_seconds = 0.1


@pytest.mark.parametrize(
    "addresses", [["127.0.0.2"], ["127.0.0.2", "127.0.0.3"], [f"127.0.0.{n}" for n in range(2, 32)]]
)
async def test_idle_connections_of_others_block_nobody(addresses: list[str], local: Serve) -> None:
    """Ten times as many as there can be, from one address or from many."""
    async with local(protocol=Few) as served, AsyncExitStack() as stack:
        for number in range(60):
            await stack.enter_async_context(served.raw(addresses[number % len(addresses)]))
        others = [(await served.ask("ping")).status_code for _ in range(10)]

    assert others == [200] * 10


async def test_an_address_with_too_many_connections_gets_a_503(local: Serve) -> None:
    async with local(protocol=Few) as served, AsyncExitStack() as stack:
        busy = [await stack.enter_async_context(served.raw("127.0.0.2")) for _ in range(4)]
        for stream in busy:
            await stream.send(A_PING)
            await stream.receive()
        one_more = await stack.enter_async_context(served.raw("127.0.0.2"))
        await one_more.send(A_PING)
        refused = await all_of(one_more)
        from_elsewhere = await served.ask("ping")

    assert refused.startswith(b"HTTP/1.1 503 ")
    assert b"retry-after: 1" in refused.lower()
    assert from_elsewhere.status_code == 200


class BehindProxy(Few):
    trusted_proxies = TrustedProxies(["127.0.0.2"])


async def test_a_trusted_proxy_may_have_more_connections_than_other_addresses(local: Serve) -> None:
    async with local(protocol=BehindProxy) as served, AsyncExitStack() as stack:
        streams = [await stack.enter_async_context(served.raw("127.0.0.2")) for _ in range(6)]
        for stream in streams:
            await stream.send(A_PING)
        answers = [await stream.receive() for stream in streams]

    assert all(answer.startswith(b"HTTP/1.1 200 ") for answer in answers)


async def test_a_request_with_two_kinds_of_length_gets_a_400(local: Serve) -> None:
    body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(PING), PING)

    async with local() as served, served.raw() as stream:
        await stream.send(HEAD + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n" + body + A_PING)
        answer = await all_of(stream)

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"send one of them" in answer
    assert answer.count(b"HTTP/1.1") == 1


async def test_a_client_that_sends_headers_byte_by_byte_is_cut_off_too(local: Serve) -> None:
    async with local(protocol=Hasty) as served, served.raw() as stream, anyio.create_task_group() as tasks:

        async def trickle() -> None:
            with suppress(anyio.BrokenResourceError):
                for byte in HEAD * 1000:
                    await stream.send(bytes([byte]))
                    await anyio.sleep(0.01)

        tasks.start_soon(trickle)
        answer = await all_of(stream)
        tasks.cancel_scope.cancel()
        assert answer.startswith(b"HTTP/1.1 408 ")


async def test_the_next_headers_on_a_connection_have_a_timeout_too(local: Serve) -> None:
    async with local(protocol=Hasty) as served, served.raw() as stream:
        await stream.send(A_PING + HEAD)
        answer = await all_of(stream)

    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"HTTP/1.1 408 " in answer


async def test_a_client_that_does_not_finish_its_body_is_cut_off(local: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trips_mcp.server.http.request._DRAIN_SECONDS", 0.2)
    async with local(body_seconds=0.2) as served, served.raw() as stream:
        await stream.send(HEAD + b"Content-Length: 1000\r\n\r\n" + PING)
        answer = await all_of(stream)

    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b'"code":-32600' in answer
    assert served.lines[-1]["status"] == 408


async def test_a_client_that_disconnects_during_its_body_is_forgotten(local: Serve) -> None:
    async with local(max_calls="1") as served:
        async with served.raw() as stream:
            await stream.send(HEAD + b"Content-Length: 1000\r\n\r\n" + PING)
            await stream.send_eof()
            answer = await all_of(stream)
        after = await served.ask("ping")

    assert answer == b""
    assert after.status_code == 200


async def test_a_client_that_does_not_read_is_cut_off(local: Serve) -> None:
    listing = b'{"jsonrpc": "2.0", "id": 1, "method": "tools/list"}'
    asking = HEAD + b"Content-Length: %d\r\n\r\n" % len(listing) + listing

    async with local(protocol=Hasty) as served, served.raw() as stream:
        with anyio.fail_after(60), suppress(anyio.BrokenResourceError):
            while True:  # until so much is unread that it sends no more, and then ends the connection
                await stream.send(asking)
        after = await served.ask("ping")

    assert after.status_code == 200


async def test_a_slow_reader_gets_the_whole_response(local: Serve) -> None:
    listing = b'{"jsonrpc": "2.0", "id": 1, "method": "tools/list"}'
    asking = HEAD + b"Content-Length: %d\r\n\r\n" % len(listing) + listing
    last = asking.replace(b"Accept", b"Connection: close\r\nAccept")

    async with local() as served, served.raw() as stream, anyio.create_task_group() as tasks:
        tasks.start_soon(stream.send, asking * 300 + last)
        with anyio.fail_after(30):
            while len(served.lines) < 20:  # until so much waits to be read that no more is answered
                await anyio.lowlevel.checkpoint()
        assert (await all_of(stream)).count(b"HTTP/1.1 200 ") == 301


@pytest.mark.parametrize(
    "flood",
    [
        b"X-A: " + b"a" * 100_000 + b"\r\n\r\n",
        b"".join(b"X-%d: a\r\n" % number for number in range(10_000)) + b"\r\n",
        b"Content-Length: 3\r\nContent-Length: 4\r\n\r\n{}",
        b"Content-Length: x\r\n\r\n{}",
        b"Content-Length: -1\r\n\r\n{}",
        b"Transfer-Encoding: chunked\r\n\r\nnot a chunk\r\n",
        b"Transfer-Encoding: gzip\r\n\r\n{}",
        b"no colon\r\n\r\n",
        b"X-A: a\x00b\r\n\r\n",
        b"Host: other\r\n\r\n",
    ],
    ids=[
        "long header",
        "many headers",
        "two lengths",
        "odd length",
        "negative length",
        "bad chunk",
        "odd encoding",
        "no header",
        "nul",
        "two hosts",
    ],
)
async def test_invalid_http_gets_a_400_and_the_server_continues(flood: bytes, local: Serve) -> None:
    async with local() as served:
        async with served.raw() as stream:
            with suppress(anyio.BrokenResourceError):  # it has seen enough
                await stream.send(HEAD + flood)
            answer = await all_of(stream)
        after = await served.ask("ping")

    assert answer.startswith((b"HTTP/1.1 4", b"HTTP/1.1 501"))
    assert b'"jsonrpc":"2.0"' in answer
    assert after.status_code == 200


async def test_many_idle_connections_block_nobody(local: Serve) -> None:
    async with local(max_calls="2") as served, AsyncExitStack() as stack:
        for _ in range(200):
            await stack.enter_async_context(served.raw())
        answer = await served.ask("ping")

    assert answer.status_code == 200


async def test_pipelined_requests_are_answered_in_order(local: Serve) -> None:
    async with local() as served, served.raw() as stream:
        await stream.send(A_PING * 5 + HEAD.replace(b"Accept", b"Connection: close\r\nAccept") + b"\r\n")
        answer = await all_of(stream)

    assert answer.count(b"HTTP/1.1 200 ") == 5
    assert answer.count(b"HTTP/1.1 ") == 6
