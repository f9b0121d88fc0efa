"""The incoming side of the wire without its I/O: bytes go in, one JSON-RPC message at a time comes out."""

import json
from codecs import BOM_UTF8
from collections import deque
from collections.abc import Sequence
from typing import Any, NamedTuple

from trips_mcp.json_values import is_list, is_object, is_text

Message = dict[str, Any]

BATCHES_VERSION = "2025-03-26"
"""The one revision that has batches; those before and after it have none."""
LARGEST_BATCH = 100

LONGEST_LINE = 64 * 1024 * 1024
PARSE_ERROR = -32700
INVALID_REQUEST = -32600


class MalformedError(Exception):
    """A line that is no message this server takes, with the JSON-RPC error it is answered with."""

    def __init__(self, code: int, reason: str, answered: object = None) -> None:
        super().__init__(reason)
        self.code = code
        self.answered = answered if is_request_id(answered) else None

    def reply(self) -> bytes:
        error = {"code": self.code, "message": str(self)}
        return json.dumps({"jsonrpc": "2.0", "id": self.answered, "error": error}).encode() + b"\n"


class Batch(NamedTuple):
    """What came in one array."""

    messages: list[Message]
    """Requests and notifications."""
    refused: list[MalformedError]


class Inbox:
    """What has been read and not yet handled. A line over the limit is dropped while it arrives, never kept."""

    def __init__(self, longest: int = LONGEST_LINE) -> None:
        self._longest = longest
        self._lines: deque[bytes | None] = deque()
        self._put_back: deque[Message | Batch] = deque()
        self._rest = bytearray()
        self._dropping = False
        self._takes_batches = False
        self.ended = False

    def feed(self, chunk: bytes) -> None:
        """Takes what was read; no bytes at all are the end of input, which also ends the last line."""
        *ends, rest = chunk.split(b"\n") if chunk else (b"", b"")
        for end in ends:
            self._grow(end)
            self._lines.append(None if self._dropping else bytes(self._rest))
            self._rest = bytearray()
            self._dropping = False
        self._grow(rest)
        self.ended = not chunk

    def _grow(self, part: bytes) -> None:
        if not self._dropping:
            self._rest += part
            if len(self._rest) > self._longest:
                self._rest = bytearray()
                self._dropping = True

    def put_back(self, messages: Sequence[Message | Batch]) -> None:
        """These come out first, in this order."""
        self._put_back.extendleft(reversed(messages))

    def next(self) -> Message | Batch | None:
        """The next request or notification; None until more is fed.

        A batch comes only after an `initialize` with the revision that has them. Answers are left out: this server
        asks its client nothing.

        Raises:
            MalformedError: the line was none; ask again for the one after it.
        """
        if self._put_back:
            return self._put_back.popleft()
        while self._lines:
            line = self._lines.popleft()
            if line is None:
                raise MalformedError(INVALID_REQUEST, f"Invalid Request: a line is longer than {self._longest} bytes")
            if line.removeprefix(BOM_UTF8).strip():
                message = parsed(line, takes_batches=self._takes_batches)
                if isinstance(message, Batch):
                    return message
                if message.get("method") == "initialize":
                    params: Message = message.get("params") or {}
                    self._takes_batches = params.get("protocolVersion") == BATCHES_VERSION
                if "method" in message:
                    return message
        return None


def parsed(text: bytes, unit: str = "line", *, takes_batches: bool = False) -> Message | Batch:
    """Raises: MalformedError, which calls what was read by its `unit`."""
    try:
        found: object = json.loads(text.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise MalformedError(PARSE_ERROR, f"Parse error: the {unit} is not UTF-8") from None
    except (ValueError, RecursionError):
        raise MalformedError(PARSE_ERROR, f"Parse error: the {unit} is not JSON") from None
    if not is_list(found):
        return _checked(found)
    if not takes_batches:
        raise MalformedError(INVALID_REQUEST, f"Invalid Request: no batches here, send one message a {unit}")
    if not 0 < len(found) <= LARGEST_BATCH:
        raise MalformedError(INVALID_REQUEST, f"Invalid Request: a batch has 1 to {LARGEST_BATCH} messages")
    return _batch(found)


def _batch(found: list[object]) -> Batch:
    batch = Batch([], [])
    for each in found:
        try:
            message = _checked(each)
        except MalformedError as malformed:
            batch.refused.append(malformed)
        else:
            if "method" in message:
                batch.messages.append(message)
    return batch


def _checked(message: object) -> Message:
    if not is_object(message):
        raise MalformedError(INVALID_REQUEST, "Invalid Request: a message is a JSON object")
    request_id = message.get("id")
    if message.get("jsonrpc") != "2.0":
        raise MalformedError(INVALID_REQUEST, 'Invalid Request: "jsonrpc" must be "2.0"', request_id)
    if "method" not in message:
        if "result" in message or "error" in message:
            return message
        raise MalformedError(INVALID_REQUEST, 'Invalid Request: "method" is missing', request_id)
    method: object = message["method"]
    if not is_text(method):
        raise MalformedError(INVALID_REQUEST, 'Invalid Request: "method" must be a string', request_id)
    if "id" in message and not is_request_id(request_id):
        if request_id is not None or not method.startswith("notifications/"):
            raise MalformedError(INVALID_REQUEST, 'Invalid Request: "id" must be a string or an integer')
        del message["id"]  # some clients write out every field of a notification
    _fill_empty_lists(message)
    if not isinstance(message.get("params"), dict | None):
        raise MalformedError(INVALID_REQUEST, 'Invalid Request: "params" must be an object', request_id)
    return message


def _fill_empty_lists(message: Message) -> None:
    """Some languages write an empty object as []."""
    if message.get("params") == []:
        message["params"] = {}
    params: object = message.get("params")
    if is_object(params) and params.get("arguments") == []:
        params["arguments"] = {}


def is_request_id(value: object) -> bool:
    return is_text(value) or (isinstance(value, int) and not isinstance(value, bool))
