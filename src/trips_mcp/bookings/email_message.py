"""E-mails: their HTML, their text, their attachments and the messages in them."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from email import message_from_bytes
from email.header import decode_header, make_header
from email.utils import parsedate_to_datetime
from typing import Any, Final

from trips_mcp.bookings.model import FileReading

_DEEPEST: Final = 20
_MOST_PARTS: Final = 200
_FAULTS: Final = (LookupError, ValueError, TypeError, AttributeError, AssertionError, RecursionError)
"""What the standard library raises for garbage in a header or a body."""
_HEADER: Final = re.compile(
    rb"(?:From [^\n]{1,200}\n|\d{1,9}\s*\n)?(?:[A-Za-z][A-Za-z0-9-]{0,60}:[^\n]*\r?\n(?:[ \t][^\n]*\r?\n)*){2,}"
)
_KNOWN: Final = re.compile(
    rb"^(?:from|to|subject|date|mime-version|content-type|message-id|received|return-path|delivered-to):",
    re.IGNORECASE | re.MULTILINE,
)
_MBOX: Final = re.compile(rb"(?:From [^\n]{1,200}\r?\n|\d{1,9}\s*\r?\n)(?=[A-Za-z-]+:)")


@dataclass(frozen=True, slots=True)
class MailPart:
    data: bytes
    media_type: str
    name: str
    """Its file name, empty for the mail's own text."""
    is_attachment: bool
    charset: str = ""


PartReader = Callable[[MailPart, date], FileReading]


def is_mail(data: bytes) -> bool:
    """Whether it starts with the headers of a message, also as mbox or Apple Mail (`.emlx`) keep it."""
    start = data[:8_000].lstrip()
    found = _HEADER.match(start)
    return found is not None and len(_KNOWN.findall(found[0])) >= 2


def read_mail(data: bytes, today: date, read_part: PartReader) -> FileReading:
    """Everything that the message holds. Texts only if no part has a booking."""
    data = data.lstrip()
    start = _MBOX.match(data)
    try:
        message = message_from_bytes(data[start.end() :] if start else data)
        sent = _sent(message) or today
        parts = list(_parts(message, 0))
    except _FAULTS:
        return FileReading(unread=("The mail is damaged and could not be taken apart.",))
    found = FileReading()
    for part in parts[:_MOST_PARTS]:
        found += read_part(part, sent)
    if len(parts) > _MOST_PARTS:
        found += FileReading(unread=(f"The mail has more than {_MOST_PARTS} parts; the rest was not read.",))
    return found


def subject_of(data: bytes) -> str:
    """Decoded, in one line."""
    try:
        return _decoded(message_from_bytes(data.lstrip()[:50_000]).get("Subject"))
    except _FAULTS:
        return ""


def _parts(message: Any, depth: int) -> Iterator[MailPart]:
    if depth > _DEEPEST:
        return
    if message.is_multipart():
        inner: Any = message.get_payload()
        for one in inner:
            if hasattr(one, "walk"):
                yield from _parts(one, depth + 1)
        return
    part = _part(message)
    if part is not None:
        yield part


def _part(message: Any) -> MailPart | None:
    try:
        data = message.get_payload(decode=True)
        name = _decoded(message.get_filename())
        charset = message.get_content_charset() or ""
        disposition = message.get_content_disposition() or ""
        media_type = message.get_content_type()
    except _FAULTS:
        return None
    if not isinstance(data, bytes) or not data.strip():
        return None
    return MailPart(data, media_type, name, disposition == "attachment", charset)


def _sent(message: Any) -> date | None:
    """Boarding passes have no year; the mail has."""
    try:
        return parsedate_to_datetime(str(message["Date"])).date()
    except _FAULTS:
        return None


def _decoded(header: object) -> str:
    if not header:
        return ""
    try:
        return " ".join(str(make_header(decode_header(str(header)))).split())
    except _FAULTS:
        return " ".join(str(header).split())
