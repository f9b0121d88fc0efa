"""Reads a file of any supported form: recognises it by its content, then by its name and media type."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any, Final

from trips_mcp.bookings.boarding_pass import find_boarding_passes
from trips_mcp.bookings.calendar_file import read_calendar
from trips_mcp.bookings.containers import (
    Archive,
    ArchiveError,
    MailPart,
    PdfError,
    decoded,
    is_mail,
    read_mail,
    read_pdf_text,
    subject_of,
)
from trips_mcp.bookings.html_page import read_html, read_loose_json, visible_text
from trips_mcp.bookings.map_files import as_geojson, read_csv_places, read_geojson, read_xml_places
from trips_mcp.bookings.model import Booking, FileReading
from trips_mcp.bookings.schema_org import read_items
from trips_mcp.bookings.times_and_places import minutes_between
from trips_mcp.bookings.wallet import read_pass, read_passes
from trips_mcp.json_values import JsonObject, is_list, is_object

LARGEST: Final = 20_000_000
"""Bytes of one file."""
_LARGEST_TEXT: Final = 4_000_000
"""Characters of a text that are searched."""
_LONGEST_TEXT: Final = 20_000
"""Characters of a text that is handed on."""
_MOST_MESSAGES: Final = 200
_MOST_IN_ARCHIVE: Final = 50
_IN_ARCHIVES: Final = (".eml", ".ics", ".html", ".htm", ".pdf", ".txt")
_NEXT_MESSAGE: Final = re.compile(rb"(?:\r?\n){2}(?=From \S[^\n]{0,200}\r?\n[A-Za-z-]+:)")
_DEEPEST: Final = 6
"""Files in files: a pass in a message in a mail."""
_UNEXPECTED: Final = (
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    RecursionError,
    AssertionError,
)
DAMAGED: Final = "The file is damaged, or has a form that is not known; type the booking in."
_ADVICE_IMAGE: Final = (
    "Images are not read; use the mail, the calendar file or the Wallet pass, or type the booking in."
)
_IMAGES: Final = re.compile(
    rb"\xff\xd8\xff|\x89PNG|GIF8|II\*\x00|MM\x00\*|BM.{4}\x00\x00\x00\x00|RIFF.{4}WEBP|.{4}ftyp(?:heic|heix|mif1|avif|hevc)",
    re.DOTALL,
)
_JSON_LD: Final = re.compile(r"""["']@type["']\s*:""")
_HTML: Final = re.compile(
    r"<(?:!doctype html|html|head|body|script|div|table|article|p|span|meta|!--)\b", re.IGNORECASE
)
_JSON_BLOCK: Final = re.compile(r"[\[{]\s*[\[{]?\s*[\"'](?:@|\w)")


def read_file(data: bytes, name: str = "", media_type: str = "", *, today: date) -> FileReading:
    """Everything that a file has, without duplicates. Never raises for what is in the file."""
    if len(data) > LARGEST:
        return FileReading(unread=(f"The file is larger than {LARGEST // 1_000_000} MB.",))
    reading = _read(data, name, media_type, today, 0)
    bookings = tuple(_with_problems(one) for one in merged(reading.bookings))
    texts = () if bookings or reading.places else tuple(text for text in reading.texts if text.strip())
    return FileReading(bookings, reading.places, texts, tuple(dict.fromkeys(reading.unread)))


def merged(bookings: Sequence[Booking]) -> list[Booking]:
    """One record for the same ticket in a mail's markup, its pass and its calendar entry. Travellers stay apart."""
    found: list[Booking] = []
    for one in bookings:
        same = next((index for index, other in enumerate(found) if _is_same(other, one)), None)
        if same is None:
            found.append(one)
        else:
            found[same] = _merged(found[same], one)
    return found


def _read(data: bytes, name: str, media_type: str, today: date, depth: int) -> FileReading:
    """One file, or one part of a mail. What a reader did not expect costs that part alone."""
    try:
        return _recognised(data, name, media_type, today, depth)
    except _UNEXPECTED:
        return FileReading(unread=(DAMAGED,))


def _recognised(data: bytes, name: str, media_type: str, today: date, depth: int) -> FileReading:
    start = data[:1_000].lstrip(b"\xef\xbb\xbf \t\r\n")
    if depth > _DEEPEST:
        return FileReading(unread=("A file lies too deep in other files.",))
    if not start:
        return FileReading(unread=("The file is empty.",))
    binary = _binary(data, name, today, depth)
    if binary is not None:
        return binary
    if start[:15].upper() == b"BEGIN:VCALENDAR" or media_type == "text/calendar":
        return read_calendar(decoded(data))
    if start[:1] in b"{[" and (found := _json(data, today)) is not None:
        return found
    if re.search(rb"<(?:\w+:)?(?:gpx|kml)\b", data[:4_000]):
        return read_xml_places(data)
    if media_type != "text/html" and is_mail(data):
        mailbox = _mailbox(data, today, depth) if start[:5] == b"From " else None
        return mailbox or _mail(data, today, depth)
    text = decoded(data)[:_LARGEST_TEXT]
    if media_type == "text/html" or _HTML.search(text[:4_000]) or name.lower().endswith((".html", ".htm")):
        return _html(text, today)
    if name.lower().endswith((".csv", ".tsv")) or media_type == "text/csv" or "\n" in text[:4_000]:
        places = read_csv_places(text)
        if places is not None:
            return places
    return _text(text, today)


def _binary(data: bytes, name: str, today: date, depth: int) -> FileReading | None:
    if data[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
        return _zip(data, today, depth)
    if data[:1024].lstrip()[:5] == b"%PDF-":
        return _pdf(data, today)
    if _IMAGES.match(data):
        return FileReading(unread=(_ADVICE_IMAGE,))
    if data[:8] == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":
        return FileReading(unread=("Outlook's .msg and old Office files are not read; save the mail as .eml.",))
    if name.lower().endswith((".pkpass", ".pkpasses", ".kmz", ".pdf", ".zip")):
        return (
            FileReading(unread=("The file is damaged, or its name has the wrong extension.",))
            if b"\0" in data
            else None
        )
    if b"\0" in data[:2_000] and data[:2] not in (b"\xff\xfe", b"\xfe\xff"):
        return FileReading(unread=("The file is neither text nor a known kind of booking.",))
    return None


def _zip(data: bytes, today: date, depth: int) -> FileReading:
    try:
        archive = Archive(data)
        if any(name == "pass.json" or name.lower().endswith(".pkpass") for name in archive.names):
            return read_passes(archive, today)
        return _files_in(archive, today, depth)
    except ArchiveError as error:
        return FileReading(unread=(str(error),))


def _files_in(archive: Archive, today: date, depth: int) -> FileReading:
    """KMZ, Google Takeout with its saved places as JSON and CSV, and all attachments of a mail as one archive.

    An archive in another file is opened for places alone: bookings in archives in mails in archives have no bound.
    """
    found = FileReading()
    bookings = [name for name in archive.names if name.lower().endswith(_IN_ARCHIVES)] if depth == 0 else []
    for name in bookings[:_MOST_IN_ARCHIVE]:
        found += _read(archive.read(name), name, "", today, depth + 1)
    if len(bookings) > _MOST_IN_ARCHIVE:
        found += FileReading(
            unread=(f"Only the first {_MOST_IN_ARCHIVE} mails and calendars of the archive are read.",)
        )
    for name in archive.names:
        lower = name.lower()
        if lower.endswith((".kml", ".gpx")):
            found += read_xml_places(archive.read(name))
        elif lower.endswith((".json", ".geojson")):
            values = as_geojson(archive.read(name))
            found += read_geojson(values) if values else FileReading()
        elif lower.endswith(".csv"):
            found += read_csv_places(decoded(archive.read(name))) or FileReading()
    if found == FileReading():
        return FileReading(unread=("The archive has neither bookings nor places.",))
    return found


def _pdf(data: bytes, today: date) -> FileReading:
    try:
        text = read_pdf_text(data)
    except PdfError as error:
        return FileReading(unread=(str(error),))
    if not text.strip():
        return FileReading(unread=("The PDF has no text; it is a picture.",))
    return _text(text, today)


def _json(data: bytes, today: date) -> FileReading | None:
    places = as_geojson(data)
    if places is not None:
        return read_geojson(places)
    text = decoded(data)[:_LARGEST_TEXT]
    values = _flat(read_loose_json(text))
    if any("passTypeIdentifier" in one or "boardingPass" in one for one in values):
        found = FileReading()
        for one in values:
            found += read_pass(one, {}, today)
        return found
    bookings = read_items(values, "JSON-LD")
    return FileReading(bookings) if bookings else None


def _mailbox(data: bytes, today: date, depth: int) -> FileReading | None:
    """All messages of an mbox, as Google Takeout makes it. None if it has a single one."""
    messages = [one for one in _NEXT_MESSAGE.split(data, maxsplit=_MOST_MESSAGES + 1) if one.strip()]
    if len(messages) < 2:
        return None
    found = FileReading()
    for message in messages[:_MOST_MESSAGES]:
        found += _mail(message, today, depth + 1)
    if len(messages) > _MOST_MESSAGES:
        found += FileReading(unread=(f"Only the first {_MOST_MESSAGES} mails of the mailbox are read.",))
    return replace(found, texts=found.texts[:1])


def _mail(data: bytes, today: date, depth: int) -> FileReading:
    def read_part(part: MailPart, sent: date) -> FileReading:
        if part.media_type.startswith("image/") or _IMAGES.match(part.data):
            return FileReading(unread=(_ADVICE_IMAGE,)) if part.is_attachment else FileReading()
        if part.media_type.startswith(("audio/", "video/")):
            return FileReading()
        data = _transcoded(part)
        if part.media_type == "application/json" and not _JSON_LD.search(decoded(data)):
            return FileReading()
        return _read(data, part.name, part.media_type, sent, depth + 1)

    found = read_mail(data, today, read_part)
    subject = subject_of(data)
    texts = tuple(dict.fromkeys(found.texts))[:1]
    texts = tuple(f"Subject: {subject}\n{text}" if subject else text for text in texts)
    if not (found.bookings or found.places or texts or found.unread):
        return FileReading(unread=("The mail has no text and no attachment that can be read.",))
    return replace(found, texts=texts)


def _html(text: str, today: date) -> FileReading:
    bookings = read_items(read_html(text), "JSON-LD or microdata")
    if bookings:
        return FileReading(bookings)
    shown = visible_text(text)
    if not shown:
        return FileReading(unread=("The page is empty.",))
    return FileReading(find_boarding_passes(shown, today), texts=_handed_on(shown))


def _text(text: str, today: date) -> FileReading:
    """Boarding passes, JSON-LD and calendars in a text; else the text itself, for the model."""
    bookings = list(find_boarding_passes(text, today))
    if _JSON_LD.search(text) and (block := _JSON_BLOCK.search(text)):
        bookings += read_items(_flat(read_loose_json(text[block.start() :])), "JSON-LD")
    calendar = text.find("BEGIN:VCALENDAR")
    if calendar >= 0:
        bookings += read_calendar(text[calendar:]).bookings
    return FileReading(tuple(bookings), texts=_handed_on(text))


def _handed_on(text: str) -> tuple[str, ...]:
    text = text.strip()
    return (text[:_LONGEST_TEXT],) if text else ()


def _flat(values: Sequence[Any]) -> list[JsonObject]:
    return [one for value in values for one in (value if is_list(value) else [value]) if is_object(one)]


def _transcoded(part: MailPart) -> bytes:
    """Text parts as UTF-8, by the charset of their header."""
    if not part.charset or not part.media_type.startswith("text/") or part.charset in ("utf-8", "us-ascii", "ascii"):
        return part.data
    try:
        return part.data.decode(part.charset, "replace").encode()
    except (LookupError, UnicodeError):
        return part.data


def _is_same(one: Booking, other: Booking) -> bool:
    if one.kind != other.kind or (one.travellers and other.travellers and not _share_a_name(one, other)):
        return False
    if one.confirmation_number and other.confirmation_number and one.confirmation_number != other.confirmation_number:
        return False
    days = [each.starts.day if each.starts else None for each in (one, other)]
    if one.is_ride:
        ends = [(each.origin.label, each.destination.label) for each in (one, other)]
        return days[0] == days[1] and one.number == other.number and (bool(one.number) or ends[0] == ends[1])
    return one.name == other.name and days[0] == days[1]


def _share_a_name(one: Booking, other: Booking) -> bool:
    """`Doe, John`, `JOHN DOE` and `DOE/JOHN MR` are one person."""
    names = [
        {*re.findall(r"\w{2,}", name.casefold())} - _TITLES for each in (one, other) for name in each.travellers[:1]
    ]
    return names[0] <= names[1] or names[1] <= names[0]


_TITLES: Final = frozenset(["mr", "mrs", "ms", "miss", "dr", "herr", "frau", "mme", "prof", "sr", "sra"])


def _merged(one: Booking, other: Booking) -> Booking:
    """What either says, the more exact time first."""
    filled: dict[str, Any] = {
        name: getattr(one, name) or getattr(other, name)
        for name in (
            "provider",
            "number",
            "name",
            "confirmation_number",
            "travellers",
            "seat",
            "price",
            "source_id",
            "ends",
        )
    }
    if other.starts and (one.starts is None or (one.starts.clock is None and other.starts.clock is not None)):
        filled["starts"] = other.starts
    if other.status != "confirmed":
        filled["status"] = other.status
    return replace(one, **filled)


def _with_problems(one: Booking) -> Booking:
    """Contradictions, and what the kind needs and the file does not say."""
    problems = [*one.problems]
    if one.starts is None:
        problems.append("It does not say when it starts.")
    elif one.ends is not None:
        minutes = minutes_between(one.starts, one.ends)
        if (one.ends.day < one.starts.day and one.kind != "flight") or (minutes is not None and minutes < 0):
            problems.append(f"It ends ({one.ends.at}) before it starts ({one.starts.at}).")
    if one.is_ride and not (one.origin.label and one.destination.label):
        problems.append("It does not say from where to where.")
    return replace(one, problems=tuple(dict.fromkeys(problems)))
