"""Plain requests, which h11 does not read: they mean what they mean to h11, and change nothing that a client sees."""

from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, suppress
from random import Random
from typing import Any

import anyio
import h11
import pytest

from trips_mcp.server.http.plain_requests import PlainRequest, StrictConnection
from trips_mcp.server.http.protocol import TimeoutProtocol

OnSocket = Callable[..., AbstractAsyncContextManager[str]]

PLAIN = (
    b"POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\n{} \n",
    b"POST /mcp HTTP/1.1\r\nhost: a:1\r\nConnection: Keep-Alive\r\nAccept: a, b;q=0.1\r\ncontent-length: 0\r\n\r\n",
    b"GET /readyz HTTP/1.1\r\nHost: [::1]:80\r\nX-A: 1\r\nX-A: 2\r\n\r\n",
    b"DELETE /a/b-c_d~.json HTTP/1.1\r\nHost: a\r\n\r\n",
)
PIECES = (
    *(
        b"\r\n",
        b"\n",
        b"\r",
        b" ",
        b"\t",
        b":",
        b": ",
        b",",
        b"0",
        b"4",
        b"+4",
        b"-1",
        b"\0",
        b"\x0b",
        b"\x85",
        b"\xff",
    ),
    *(b"Content-Length: 4\r\n", b"Content-Length: 5\r\n", b"Content-Length: 4, 4\r\n", b"content-length:4\r\n"),
    *(b"Transfer-Encoding: chunked\r\n", b"transfer-encoding : chunked\r\n", b"Transfer-Encoding:\tchunked\r\n"),
    *(b"Connection: close\r\n", b"Connection: keep-alive, close\r\n", b"Expect: 100-continue\r\n"),
    *(
        b"Host: b\r\n",
        b"X-B:\r\n",
        b"Upgrade: h2c\r\n",
        b" folded\r\n",
        b"\r\n\r\n",
        b"GET / HTTP/1.1\r\n",
        b"HTTP/1.0",
    ),
    *(b"?a=b", b"#", b"//", b"%2e", b"\xff", b"HTTP/1.0"),
)


def mutations(number: int) -> Iterator[bytes]:
    """Requests with pieces put in, cut out or doubled; the same ones in each run."""
    dice = Random(5)  # noqa: S311
    for _ in range(number):
        data = dice.choice(PLAIN)
        for _ in range(dice.randint(1, 2)):
            at = dice.choice([dice.randrange(len(data) + 1), data.find(b"\r\n") + 2])
            cut = dice.choice([0, 0, 1, 2, 8])
            data = data[:at] + dice.choice([b"", *PIECES, data[:at][-5:]]) + data[at + cut :]
        yield data


def read_by_h11(data: bytes) -> tuple[Any, ...]:
    """The method, the target, the headers and the body of the only request in `data`, and whether it keeps alive."""
    conn = StrictConnection(h11.SERVER)
    conn.receive_data(data)
    body, head = b"", conn.next_event()
    assert isinstance(head, h11.Request)
    while isinstance(event := conn.next_event(), h11.Data):
        body += event.data
    assert isinstance(event, h11.EndOfMessage)
    assert conn.trailing_data == (b"", False)
    assert not conn.they_are_waiting_for_100_continue
    assert head.http_version == b"1.1"
    return head.method.decode(), head.target, list(head.headers), body, conn.their_state is h11.DONE


@pytest.mark.parametrize("data", PLAIN)
def test_what_clients_send_is_plain(data: bytes) -> None:
    assert PlainRequest.read(data) is not None


def test_whatever_is_plain_means_the_same_to_h11() -> None:
    plain = [(data, request) for data in (*PLAIN, *mutations(20_000)) if (request := PlainRequest.read(data))]

    assert len(plain) > 500
    for data, request in plain:
        assert read_by_h11(data) == (*request, True), data


@pytest.mark.parametrize(
    "unusual",
    [piece for piece in PIECES if piece.endswith(b"\r\n") and piece != b"Content-Length: 4\r\n"],
)
def test_what_parsers_read_differently_is_left_to_h11(unusual: bytes) -> None:
    line, headers = PLAIN[0].split(b"\r\n", 1)

    assert PlainRequest.read(line + b"\r\n" + unusual + headers) is None


class Echo:
    """Answers with the path and the body, once it may; `/chunked` without a length, `/last` closes."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.may = anyio.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.asked.append(scope["path"])
        said = scope["path"].encode() + b" "
        is_whole = False
        while not is_whole:
            event = await receive()
            said, is_whole = said + event["body"], not event["more_body"]
        await self.may.wait()
        headers = [] if scope["path"] == "/chunked" else [(b"content-length", b"%d" % len(said))]
        headers += [(b"connection", b"close")] if scope["path"] == "/last" else []
        headers += [(b"x-broken", b"a\r\nb: c")] if scope["path"] == "/broken" else []
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": said})


def post(path: bytes, body: bytes, *more: bytes) -> bytes:
    return b"\r\n".join([b"POST /%b HTTP/1.1" % path, b"Host: a", *more, b"Content-Length: %d" % len(body), b"", body])


async def all_of(stream: Any) -> bytes:
    """What is sent until the connection ends."""
    found = b""
    with anyio.fail_after(30), suppress(anyio.EndOfStream, anyio.BrokenResourceError):
        while True:
            found += await stream.receive()
    return found


async def until(stream: Any, end: bytes) -> bytes:
    found = b""
    with anyio.fail_after(30):
        while end not in found:
            found += await stream.receive()
    return found


@pytest.mark.parametrize("first", [b"whole", b"chunked"])
@pytest.mark.parametrize("apart", [False, True], ids=["at once", "while the first is answered"])
@pytest.mark.parametrize("more", [b"", b"TE: a"], ids=["plain", "unusual"])
async def test_requests_that_arrive_together_are_answered_in_order(
    more: bytes, apart: bool, first: bytes, on_socket: OnSocket
) -> None:
    echo = Echo()
    requests = [post(first, b"1"), post(b"second", b"2", *filter(None, [more])), post(b"last", b"3")]
    async with on_socket(echo, TimeoutProtocol) as address:
        host, _, port = address.rpartition(":")
        async with await anyio.connect_tcp(host, int(port)) as stream:
            await stream.send(requests[0] if apart else b"".join(requests))
            with anyio.fail_after(30):
                while not echo.asked:
                    await anyio.lowlevel.checkpoint()
            if apart:
                await stream.send(b"".join(requests[1:]))
            echo.may.set()
            answers = await until(stream, b"/last 3")

    assert echo.asked == [f"/{first.decode()}", "/second", "/last"]
    assert answers.count(b"HTTP/1.1 200 ") == 3
    assert answers.index(b"/%b 1" % first) < answers.index(b"/second 2") < answers.index(b"/last 3")


@pytest.mark.parametrize("size", [1, 7, 60])
async def test_a_request_in_pieces_is_answered(size: int, on_socket: OnSocket) -> None:
    echo = Echo()
    echo.may.set()
    request = post(b"pieces", b"all of it")
    async with on_socket(echo, TimeoutProtocol) as address:
        host, _, port = address.rpartition(":")
        async with await anyio.connect_tcp(host, int(port)) as stream:
            for at in range(0, len(request), size):
                await stream.send(request[at : at + size])
                await anyio.lowlevel.checkpoint()
            answer = await until(stream, b"all of it")

    assert answer.startswith(b"HTTP/1.1 200 ")
    assert echo.asked == ["/pieces"]


async def test_a_line_break_in_a_header_reaches_nobody(on_socket: OnSocket) -> None:
    echo = Echo()
    echo.may.set()
    async with on_socket(echo, TimeoutProtocol) as address:
        host, _, port = address.rpartition(":")
        async with await anyio.connect_tcp(host, int(port)) as stream:
            await stream.send(post(b"broken", b""))
            answer = await all_of(stream)

    assert b"b: c" not in answer
