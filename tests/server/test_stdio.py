"""The standard streams of a real process: no message is lost or torn, and nothing else is written there."""

import json
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import pytest

if TYPE_CHECKING:
    from .conftest import Start

BOTH_WAYS = pytest.mark.parametrize(
    "words", [pytest.param([], id="front"), pytest.param(["plain"], id="plain", marks=pytest.mark.soak)]
)
"""With early responses, and with the SDK from the first line, which only `make soak` runs."""
HANDSHAKE = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
SIGNALS = pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.soak)])


@BOTH_WAYS
async def test_calls_in_flight_are_answered_at_the_end_of_input(start: "Start", words: list[str]) -> None:
    child = await start(*words)
    await child.open()

    await child.call(1, "wait_at_gate")
    await child.call(2, "open_gate")
    await child.call(3, "echo", text="last")
    await child.end_input()

    assert {message["id"] for message in await child.rest()} == {1, 2, 3}
    assert await child.exit_code() == 0
    assert "closed" in child.log


async def test_a_byte_order_mark_before_the_first_message_is_ignored(start: "Start") -> None:
    child = await start()

    await child.write(b"\xef\xbb\xbf")
    await child.open()
    await child.call(1, "echo", text="heard")

    assert await child.text(1) == "heard"


@pytest.mark.parametrize("request_id", ["trips-mcp/replayed", "", 0])
async def test_any_request_id_of_a_client_is_answered(start: "Start", request_id: object) -> None:
    child = await start()
    await child.open()

    await child.call(request_id, "echo", text="heard")
    answered = await child.text(request_id)
    await child.end_input()

    assert answered == "heard"
    assert await child.exit_code() == 0


@BOTH_WAYS
async def test_a_batch_is_answered_with_an_array_after_the_revision_that_has_them(
    start: "Start", words: list[str]
) -> None:
    child = await start(*words)
    await child.send(0, "initialize", **{**HANDSHAKE, "protocolVersion": "2025-03-26"})
    agreed = (await child.answer(0))["result"]["protocolVersion"]

    def call(request_id: int, tool: str) -> dict[str, Any]:
        params = {"name": tool, "arguments": {"text": "heard"}}
        return {"jsonrpc": "2.0", "id": request_id, "method": "tools/call", "params": params}

    noted = {"jsonrpc": "2.0", "method": "notifications/initialized"}
    cancelled = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 3}}
    batch = [noted, call(1, "echo"), {"jsonrpc": "2.0", "id": 2, "method": "ping"}, call(3, "hang"), {"id": 4}]
    await child.write(json.dumps(batch).encode() + b"\n")
    await child.logged("hanging")
    await child.write(json.dumps([cancelled]).encode() + b"\n")
    answers: Any = await child.receive()
    await child.call(5, "echo", text="on")
    afterwards = await child.text(5)
    await child.end_input()

    assert agreed == "2025-03-26"
    assert sorted(str(answer["id"]) for answer in answers) == ["1", "2", "4"]
    assert [answer["error"]["code"] for answer in answers if answer["id"] == 4] == [-32600]
    assert afterwards == "on"
    assert await child.exit_code() == 0


async def test_concurrent_calls_run_concurrently_and_one_that_is_cancelled_stops_unanswered(start: "Start") -> None:
    child = await start()
    await child.open()

    await child.call(1, "wait_at_gate")
    await child.call(2, "hang")
    await child.logged("hanging")
    await child.notify("notifications/cancelled", requestId=2)
    await child.logged("let go")
    await child.call(3, "open_gate")
    through, opened = await child.text(1), await child.text(3)
    await child.call(4, "echo", text="on")
    await child.end_input()

    assert (through, opened) == ("through", "open")
    assert [message["id"] for message in await child.rest()] == [4]
    assert await child.exit_code() == 0


@SIGNALS
@pytest.mark.parametrize("tool", ["hang", "hold_on"])
async def test_a_signal_ends_it_while_a_call_hangs(start: "Start", number: signal.Signals, tool: str) -> None:
    child = await start()
    await child.open()
    await child.call(1, tool)
    await child.logged({"hang": "hanging", "hold_on": "holding on"}[tool])

    child.process.send_signal(number)

    assert await child.exit_code() == 0
    assert ("closed" in child.log) == (tool == "hang")
    assert "Traceback" not in child.log


@SIGNALS
async def test_a_signal_ends_it_in_the_middle_of_importing_the_sdk(start: "Start", number: signal.Signals) -> None:
    child = await start(cold=True)
    await child.open()
    await child.send(1, "tools/list")
    await child.answer(1)

    child.process.send_signal(number)

    assert await child.exit_code() == 0
    assert child.log == ""


@BOTH_WAYS
async def test_invalid_lines_are_answered_with_an_error_and_skipped(start: "Start", words: list[str]) -> None:
    child = await start(*words)
    malformed = {
        b"{not json": (-32700, None),
        b'{"jsonrpc":"2.0","id":1,"method":"\xff"}': (-32700, None),
        b"[" * 100_000: (-32700, None),
        b'{"jsonrpc":"2.0","id":1' + b"1" * 5000 + b',"method":"ping"}': (-32700, None),
        b"17": (-32600, None),
        b'[{"jsonrpc":"2.0","id":1,"method":"ping"}]': (-32600, None),
        b'{"id":2,"method":"ping"}': (-32600, 2),
        b'{"jsonrpc":"2.0","id":"3"}': (-32600, "3"),
        b'{"jsonrpc":"2.0","id":4,"method":5}': (-32600, 4),
        b'{"jsonrpc":"2.0","id":true,"method":"ping"}': (-32600, None),
        b'{"jsonrpc":"2.0","id":null,"method":"ping"}': (-32600, None),
        b'{"jsonrpc":"2.0","id":"\\ud800","method":"ping"}': (-32600, None),
        b'{"jsonrpc":"2.0","id":6,"method":"ping","params":[1]}': (-32600, 6),
    }

    await child.write(*(line + b"\n" for line in malformed))
    answers = [await child.receive() for _ in malformed]
    await child.open()
    await child.write(*(line + b"\n" for line in malformed))
    await child.call("after", "echo", text="still here")

    assert [(answer["error"]["code"], answer["id"]) for answer in answers] == list(malformed.values())
    assert await child.text("after") == "still here"
    assert all(answer["jsonrpc"] == "2.0" and len(answer["error"]["message"]) > 20 for answer in answers)


@BOTH_WAYS
async def test_blank_lines_and_unexpected_messages_are_skipped_and_the_last_line_needs_no_newline(
    start: "Start", words: list[str]
) -> None:
    child = await start(*words)

    await child.write(b"\n  \r\n", b'{"jsonrpc":"2.0","id":9,"result":{}}\n', b'{"jsonrpc":"2.0","id":9,"error":{}}\n')
    await child.notify("notifications/cancelled", requestId=12)
    await child.notify("notifications/unheard_of")
    await child.open()
    await child.write(b'{"jsonrpc":"2.0","id":null,"method":"notifications/initialized"}\r\n')
    await child.write(b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":{}}}')
    await child.end_input()

    assert [message["id"] for message in await child.rest()] == [1]
    assert await child.exit_code() == 0


@BOTH_WAYS
async def test_a_line_of_five_megabytes_is_served_and_a_lone_surrogate_does_not_end_the_session(
    start: "Start", words: list[str]
) -> None:
    child = await start(*words)
    await child.open()
    text = "é" * 2_500_000

    await child.call(1, "echo", text=text)
    await child.call(2, "echo", text="\ud800")
    await child.call(3, "echo", text="after")

    assert await child.text(1) == text
    assert await child.text(2) == "\ud800"
    assert await child.text(3) == "after"


async def test_prints_do_not_reach_the_protocol_stream(start: "Start") -> None:
    child = await start()
    await child.open()

    await child.call(1, "chatter")
    said = await child.text(1)
    await child.end_input()

    assert said == "stdin holds 0 characters"
    assert await child.rest() == []
    for source in ("from python", "from the descriptor", "from C", "from a child"):
        assert source in child.log


@BOTH_WAYS
async def test_a_request_id_used_twice_does_not_hold_up_the_end(start: "Start", words: list[str]) -> None:
    child = await start(*words)
    await child.open()

    await child.call(1, "wait_at_gate")
    await child.call(1, "wait_at_gate")
    await child.notify("notifications/cancelled", requestId=1)
    await child.call(2, "open_gate")
    await child.end_input()

    assert sorted(message["id"] for message in await child.rest()) == [1, 2]
    assert await child.exit_code() == 0


@pytest.mark.parametrize("called", [False, True])
async def test_a_closed_stdout_ends_it_quietly(start: "Start", called: bool) -> None:
    reading, writing = os.pipe()
    child = await start(stdout=writing)
    os.close(writing)
    await child.knock()
    if called:
        await child.call(1, "echo", text="nobody listens")
        await child.logged("opened")

    os.close(reading)
    await child.send(2, "tools/list")

    assert await child.exit_code() == 0
    assert child.log == ("opened\nclosed\n" if called else "")


@pytest.mark.skipif(sys.platform == "win32", reason="a shell that closes descriptors is POSIX")
@pytest.mark.parametrize("closed", ["<&-", ">&-"])
async def test_it_reports_a_closed_standard_input_or_output(closed: str) -> None:
    with anyio.fail_after(30):
        ended = await anyio.run_process(
            ["sh", "-c", f'"$0" -m trips_mcp {closed}', sys.executable], check=False, input=b""
        )

    assert ended.returncode == 2
    assert ended.stderr.count(b"\n") == 1
    assert b"is closed" in ended.stderr


async def test_a_client_that_does_not_read_is_waited_for(start: "Start") -> None:
    """Its calls are not run on and on into memory, and nothing it asked for is lost."""
    child = await start(cold=True)
    await child.open()
    calls = range(400)

    async def write_them_all() -> None:
        for number in calls:
            await child.call(number, "fill", size=200_000)

    ran_unread = 0
    answers: list[dict[str, Any]] = []
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(write_them_all)
        await child.logged("filled 100.")
        ran_unread = child.log.count("filled")
        answers = [await child.receive() for _ in calls]

    assert ran_unread < 110
    assert child.most_memory < 200
    assert {answer["id"] for answer in answers} == set(calls)
    assert all(len(answer["result"]["content"][0]["text"]) == 200_000 for answer in answers)


@BOTH_WAYS
async def test_a_line_beyond_the_limit_is_refused_without_being_kept(start: "Start", words: list[str]) -> None:
    child = await start(*words, cold=True)
    megabyte = b"x" * 1024 * 1024

    for _ in range(150):
        await child.write(megabyte)
    await child.write(b"\n")
    refusal = await child.receive()
    await child.open()

    assert (refusal["id"], refusal["error"]["code"]) == (None, -32600)
    assert child.most_memory < 190


@BOTH_WAYS
async def test_input_and_output_may_be_files(start: "Start", words: list[str], tmp_path: Path) -> None:
    lines = [
        {"id": 1, "method": "initialize", "params": HANDSHAKE},
        {"id": 2, "method": "tools/call", "params": {"name": "echo", "arguments": {"text": "from a file"}}},
    ]
    conversation = tmp_path / "conversation"
    conversation.write_text("".join(json.dumps({"jsonrpc": "2.0", **line}) + "\n" for line in lines))

    spoken = tmp_path / "spoken"

    with conversation.open() as file, spoken.open("wb") as other:
        child = await start(*words, stdin=file.fileno(), stdout=other.fileno())

    assert await child.exit_code() == 0
    assert [json.loads(line)["id"] for line in spoken.read_bytes().splitlines()] == [1, 2]


@pytest.mark.skipif(sys.platform == "win32", reason="a pseudo-terminal is POSIX")
async def test_on_a_terminal_it_says_what_it_waits_for(start: "Start") -> None:
    ours, theirs = os.openpty()
    child = await start(stdin=theirs)
    os.close(theirs)

    await child.logged("\n")
    os.write(ours, b"\x04")  # Ctrl+D, the end of input

    assert await child.exit_code() == 0
    assert child.log.count("\n") == 1
    assert "waits for a client" in child.log
    assert "--help" in child.log
    os.close(ours)
