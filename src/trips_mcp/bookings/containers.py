"""Files that hold others or text: e-mails with their parts, zip archives, and PDF by `pypdf` (`trips-mcp[pdf]`)."""

import io
import logging
import re
import zipfile
import zlib
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
_MOST_FILES: Final = 2_000
_LARGEST_FILE: Final = 8_000_000
_LARGEST: Final = 32_000_000
"""Unpacked bytes of one file, and of all."""
_BROKEN: Final = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    OSError,
    NotImplementedError,
    RuntimeError,
    ValueError,
    KeyError,
)
_MOST_PAGES: Final = 30
_LONGEST: Final = 200_000
"""Characters of text."""
INSTALL: Final = "PDF files need the extra pdf: install trips-mcp[pdf]."


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


class ArchiveError(Exception):
    """The archive is damaged or too large. One sentence."""


class Archive:
    """A zip archive, read within bounds: a bomb is a few bytes that unpack to gigabytes. Raises: ArchiveError."""

    def __init__(self, data: bytes) -> None:
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(data))
        except _BROKEN:
            raise ArchiveError("The archive is damaged or incomplete.") from None
        if len(self._zip.infolist()) > _MOST_FILES:
            raise ArchiveError(f"The archive has more than {_MOST_FILES:,} files.")
        self.names = tuple(self._zip.namelist())
        self._left = _LARGEST

    def read(self, name: str) -> bytes:
        """The unpacked content. The size that the archive states is not trusted."""
        limit = min(_LARGEST_FILE, self._left)
        try:
            with self._zip.open(name) as file:
                data = file.read(limit + 1)
        except _BROKEN:
            raise ArchiveError("The archive is damaged or incomplete.") from None
        if len(data) > limit:
            raise ArchiveError(f"The archive unpacks to more than {limit // 1_000_000} MB.")
        self._left -= len(data)
        return data

    def inner(self, name: str) -> "Archive | None":
        """An archive in this one. None if it is damaged."""
        try:
            inner = Archive(self.read(name))
        except ArchiveError:
            return None
        inner._left = self._left
        return inner if "pass.json" in inner.names else None


class PdfError(Exception):
    """The file cannot be read. One sentence."""


def read_pdf_text(data: bytes) -> str:
    """Raises: PdfError."""
    try:
        from pypdf import PdfReader
        from pypdf.errors import PyPdfError
    except ImportError:
        raise PdfError(INSTALL) from None
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # its warnings cite the file
    try:
        reader = PdfReader(io.BytesIO(data))
        if reader.is_encrypted and not reader.decrypt(""):
            raise PdfError("The PDF is protected by a password.")
        parts: list[str] = []
        for page in reader.pages[:_MOST_PAGES]:
            parts.append(page.extract_text())
            if sum(map(len, parts)) > _LONGEST:
                break
    except PdfError:
        raise
    except (
        PyPdfError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        IndexError,
        RecursionError,
        OSError,
        ArithmeticError,
        NotImplementedError,
        ImportError,
        AssertionError,
        MemoryError,
    ):
        raise PdfError("The PDF is damaged and could not be read.") from None
    return "\n".join(parts)[:_LONGEST]


def decoded(data: bytes) -> str:
    """Text in UTF-8, in UTF-16 if it begins with its mark, else in Windows-1252."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")
