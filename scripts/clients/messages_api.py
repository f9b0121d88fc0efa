"""A fake of the model's API behind a client: it responds as a script says, and records what
it was sent, so that what a model would see can be looked at. No model is there, and no account.
"""

import json
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from threading import Lock, Thread
from typing import Any, Final

from typing_extensions import override

Block = dict[str, Any]
Body = dict[str, Any]

_SAID_AT_THE_END: Final = "Done."


def use(tool: str, **arguments: Any) -> Block:
    """What the model says when it calls a tool."""
    return {"type": "tool_use", "name": tool, "input": arguments}


@dataclass
class MessagesApi:
    script: Sequence[Block]
    """What the model does, request by request; when it is through, it ends its turn."""
    url: str = ""
    requests: list[Body] = field(default_factory=list[Body])
    """What the model was sent, in the turns that are about the user's question."""
    _lock: Lock = field(default_factory=Lock)

    def answer(self, body: Body) -> Block:
        """Clients ask for more than the user does, such as a title for the conversation: those have no tools."""
        with self._lock:
            if not body.get("tools"):
                return {"type": "text", "text": _SAID_AT_THE_END}
            self.requests.append(body)
            turn = len(self.requests) - 1
        if turn < len(self.script):
            return {"id": f"toolu_{turn:02}", **self.script[turn]}
        return {"type": "text", "text": _SAID_AT_THE_END}

    def result(self, turn: int) -> str:
        """What the model was given for its call in this turn, as text."""
        return said(self.result_block(turn).get("content", ""))

    def result_block(self, turn: int) -> Block:
        wanted = f"toolu_{turn:02}"
        for message in self.requests[turn + 1]["messages"]:
            for block in _blocks(message["content"]):
                if block.get("tool_use_id") == wanted:
                    return block
        raise LookupError(f"the call of turn {turn} was given no result")


def said(content: Any) -> str:
    """All text in what the API calls content: a string, or blocks of many kinds."""
    return "\n".join(_texts(content))


def _texts(content: Any) -> Iterator[str]:
    for block in _blocks(content):
        if block["type"] == "text":
            yield block["text"]
        elif block["type"] == "tool_result":
            yield from _texts(block.get("content", ""))
        elif block["type"] == "tool_reference":
            yield block["tool_name"]


def _blocks(content: Any) -> list[Block]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


@contextmanager
def standing_in(script: Sequence[Block]) -> Generator[MessagesApi]:
    api = MessagesApi(script)

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, api))
    server.daemon_threads = True
    api.url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield api
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    _numbers = count(1)

    def __init__(self, api: MessagesApi, *request: Any) -> None:
        self._api = api
        super().__init__(*request)

    @override
    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: what matters is kept."""

    def do_HEAD(self) -> None:
        self._send(200, "application/json", b"")

    def do_GET(self) -> None:
        self._send(404, "application/json", b"{}")

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"{}")
        if self.path.partition("?")[0] != "/v1/messages":
            self._send(404, "application/json", b"{}")
            return
        block = self._api.answer(body)
        message = {
            "id": f"msg_{next(self._numbers):04}",
            "type": "message",
            "role": "assistant",
            "model": body["model"],
            "content": [block],
            "stop_reason": "tool_use" if block["type"] == "tool_use" else "end_turn",
            "stop_sequence": None,
            "usage": {"input_tokens": 1, "output_tokens": 1},
        }
        if body.get("stream"):
            events = "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in _events(message))
            self._send(200, "text/event-stream", events.encode())
        else:
            self._send(200, "application/json", json.dumps(message).encode())

    def _send(self, status: int, kind: str, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def _events(message: Body) -> Iterator[Body]:
    """The same message as a stream of server-sent events."""
    (block,) = message["content"]
    yield {"type": "message_start", "message": {**message, "content": [], "stop_reason": None}}
    if block["type"] == "tool_use":
        yield {"type": "content_block_start", "index": 0, "content_block": {**block, "input": {}}}
        delta = {"type": "input_json_delta", "partial_json": json.dumps(block["input"])}
    else:
        yield {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
        delta = {"type": "text_delta", "text": block["text"]}
    yield {"type": "content_block_delta", "index": 0, "delta": delta}
    yield {"type": "content_block_stop", "index": 0}
    yield {
        "type": "message_delta",
        "delta": {"stop_reason": message["stop_reason"], "stop_sequence": None},
        "usage": {"output_tokens": 1},
    }
    yield {"type": "message_stop"}
