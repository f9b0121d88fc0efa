"""The same bytes give the same messages, wherever they are cut."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trips_mcp.server.jsonrpc import Batch, Inbox, MalformedError, Message

PING: Message = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
LINE = b'{"jsonrpc": "2.0", "id": 1, "method": "ping"}'


def drained(inbox: Inbox) -> list[Message | int]:
    """Messages, and the codes of what was none."""
    found: list[Message | int] = []
    while True:
        try:
            message = inbox.next()
        except MalformedError as malformed:
            found.append(malformed.code)
            continue
        if message is None:
            return found
        assert not isinstance(message, Batch)
        found.append(message)


@given(st.lists(st.integers(1, 40), max_size=8))
def test_it_does_not_matter_where_chunks_end(cuts: list[int]) -> None:
    inbox = Inbox()
    stream = LINE + b"\n\n" + LINE + b"\r\n17\n" + LINE
    found: list[Message | int] = []

    for cut in cuts:
        chunk, stream = stream[:cut], stream[cut:]
        if chunk:
            inbox.feed(chunk)
            found += drained(inbox)
    if stream:
        inbox.feed(stream)
    inbox.feed(b"")

    assert found + drained(inbox) == [PING, PING, -32600, PING]
    assert inbox.ended


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_a_line_that_is_too_long_is_refused_alone(size: int) -> None:
    inbox = Inbox(longest=100)
    stream = LINE + b"\n" + b"x" * 101 + b"\n" + b" " * 100 + b"\n" + LINE + b"\n"

    for start in range(0, len(stream), size):
        inbox.feed(stream[start : start + size])

    assert drained(inbox) == [PING, -32600, PING]


def test_a_byte_order_mark_is_no_part_of_a_line() -> None:
    inbox = Inbox()
    inbox.feed(b"\xef\xbb\xbf" + LINE + b"\n\xef\xbb\xbf\r\n" + LINE + b"\n\xef\xbb")
    inbox.feed(b"\xbf" + LINE + b"\n")

    assert drained(inbox) == [PING] * 3


@pytest.mark.parametrize("method", ["tools/call", "prompts/get"])
def test_an_empty_list_is_an_empty_object(method: str) -> None:
    inbox = Inbox()
    head = b'{"jsonrpc": "2.0", "id": 1, "method": "%s", "params": ' % method.encode()
    inbox.feed(head + b"[]}\n" + head + b'{"name": "x", "arguments": []}}\n' + head + b'{"arguments": [1]}}\n')

    params = [message["params"] for message in drained(inbox) if isinstance(message, dict)]

    assert params == [{}, {"name": "x", "arguments": {}}, {"arguments": [1]}]


def test_messages_that_were_put_back_come_first_and_in_order() -> None:
    inbox = Inbox()
    inbox.feed(LINE + b"\n")

    inbox.put_back([{"method": "a"}, {"method": "b"}])

    assert drained(inbox) == [{"method": "a"}, {"method": "b"}, PING]


def initialize(version: str) -> bytes:
    params = {"protocolVersion": version, "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
    return json.dumps({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params}).encode() + b"\n"


def test_a_batch_is_taken_after_the_revision_that_has_them() -> None:
    inbox = Inbox()
    inbox.feed(initialize("2025-03-26") + b"[" + LINE + b', {"jsonrpc": "2.0", "id": 2, "result": {}}, 7]\n[]\n')
    inbox.next()

    batch = inbox.next()
    with pytest.raises(MalformedError, match="a batch has 1 to 100 messages"):
        inbox.next()
    inbox.feed(b"[" + b",".join([LINE] * 101) + b"]\n")
    with pytest.raises(MalformedError, match="a batch has 1 to 100 messages"):
        inbox.next()

    assert isinstance(batch, Batch)
    assert batch.messages == [PING]
    assert [str(refused) for refused in batch.refused] == ["Invalid Request: a message is a JSON object"]


@pytest.mark.parametrize("version", ["2024-11-05", "2025-06-18", "2025-11-25", "1"])
def test_no_other_revision_has_batches(version: str) -> None:
    inbox = Inbox()
    inbox.feed(initialize("2025-03-26") + initialize(version) + b"[" + LINE + b"]\n")

    assert drained(inbox)[2:] == [-32600]
