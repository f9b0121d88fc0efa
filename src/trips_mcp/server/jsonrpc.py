"""JSON-RPC parsing without I/O: turns bytes into one message at a time."""

import json
from codecs import BOM_UTF8
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from trips_mcp.json_values import is_list, is_object, is_text

Message = dict[str, Any]

PREFIX = "io.modelcontextprotocol/"
VERSION_KEY = PREFIX + "protocolVersion"
CAPABILITIES_KEY = PREFIX + "clientCapabilities"
CLIENT_KEY = PREFIX + "clientInfo"
"""Keys of a request's `_meta` in the era without a handshake."""

BATCHES_VERSION = "2025-03-26"
"""The only protocol revision with batches."""
LARGEST_BATCH = 100

LONGEST_LINE = 64 * 1024 * 1024
PARSE_ERROR = -32700
INVALID_REQUEST = -32600


class MalformedError(Exception):
    """A line that is not a valid message, with the JSON-RPC error to send."""

    def __init__(self, code: int, reason: str, answered: object = None) -> None:
        super().__init__(reason)
        self.code = code
        self.answered = answered if is_request_id(answered) else None

    def reply(self) -> bytes:
        error = {"code": self.code, "message": str(self)}
        return json.dumps({"jsonrpc": "2.0", "id": self.answered, "error": error}).encode() + b"\n"


class Batch(NamedTuple):
    """The messages of one array."""

    messages: list[Message]
    """Requests and notifications."""
    refused: list[MalformedError]


def array_of(answers: Sequence[bytes]) -> bytes:
    return b"[" + b",".join(answers) + b"]"


class Inbox:
    """Input that is read but not yet handled. A line over the limit is dropped while it arrives."""

    def __init__(self, longest: int = LONGEST_LINE) -> None:
        self._longest = longest
        self._lines: deque[bytes | None] = deque()
        self._put_back: deque[Message | Batch] = deque()
        self._rest = bytearray()
        self._dropping = False
        self._takes_batches = False
        self.ended = False

    def feed(self, chunk: bytes) -> None:
        """Adds input. Empty bytes mean the end of input, which also ends the last line."""
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
        """Makes `next` return these messages first, in this order."""
        self._put_back.extendleft(reversed(messages))

    def next(self) -> Message | Batch | None:
        """The next request or notification; None until more is fed.

        Batches are accepted only after an `initialize` with the revision that has them. Responses are skipped: this
        server sends its client no requests.

        Raises:
            MalformedError: the line is not a message. Call again for the next one.
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
    """`unit`: what errors call the text. Raises: MalformedError."""
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
    """Accepts [] for an empty object, as some languages write it."""
    if message.get("params") == []:
        message["params"] = {}
    params: object = message.get("params")
    if is_object(params) and params.get("arguments") == []:
        params["arguments"] = {}


def is_request_id(value: object) -> bool:
    return is_text(value) or (isinstance(value, int) and not isinstance(value, bool))


def has_envelope(params: Mapping[str, Any]) -> bool:
    """Whether a request is of the era without a handshake. The SDK checks the same key."""
    meta: object = params.get("_meta")
    return is_object(meta) and VERSION_KEY in meta
