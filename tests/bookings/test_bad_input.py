"""Garbage, bombs and wrong names: one sentence each, quickly, and nothing raised."""

import random
import subprocess
import sys

import pytest

from trips_mcp.bookings import reader
from trips_mcp.bookings.reader import LARGEST

from .made_up import BOARDING, FLIGHT, ZIP_BOMB, archive, calendar, mail, page, read, wallet

BOMBS = {
    "empty": b"",
    "blank": b" \n" * 100,
    "nested tags": b"<html>" + b"<div>" * 100_000,
    "nested items": b"<html>" + b'<div itemscope itemtype="http://schema.org/Event">' * 20_000,
    "items that refer to themselves": b'<html><div id="a" itemprop="subReservation" itemscope itemref="a">' * 500,
    "open tags": b"<html>" + b"<a " * 100_000,
    "angle brackets": b"<html>" + b"<!<?<[</" * 50_000,
    "nested lists": b'<html><script type="application/ld+json">' + b"[" * 100_000 + b"</script>",
    "nested objects": b'<html><script type="application/ld+json">' + b'{"a":' * 50_000 + b"</script>",
    "comments": b'<html><script type="application/ld+json">{' + b"/* " * 100_000 + b"</script>",
    "nested parts": b"From: a\nTo: b\nContent-Type: multipart/mixed; boundary=x\n\n"
    + b"--x\nContent-Type: multipart/mixed; boundary=x\n\n" * 2_000,
    "nested messages": b"From: a\nTo: b\nContent-Type: message/rfc822\n\n" * 5_000,
    "a mail without end": b"From: a\nTo: b\nContent-Type: multipart/mixed; boundary=x\n\n"
    + b"--x\nContent-Type: image/png\n\n" + b"A" * 100_000,
    "zip bomb": ZIP_BOMB,
    "truncated zip": wallet("boardingPass", {}, barcode={"message": BOARDING})[:-30],
    "archive of nothing": archive({"readme.txt": "hello"}),
    "entities": b'<!DOCTYPE x [<!ENTITY a "b">]><gpx><wpt lat="1" lon="1"><name>&a;</name></wpt></gpx>',
    "nested xml": b"<gpx>" + b"<a>" * 50_000,
    "entries without end": b"BEGIN:VCALENDAR\n" + b"BEGIN:VEVENT\n" * 50_000,
    "spaces in an entry": calendar("UID:1\nDTSTART:20270101\nSUMMARY:" + "a " * 50_000).encode(),
    "nested features": b'{"type": "FeatureCollection", "features": [' * 20_000,
    "a broken PDF": b"%PDF-1.4\n" + b"1 0 obj << " * 5_000,
    "an image": b"\x89PNG\r\n\x1a\n" + b"\0" * 100,
    "a photograph": b"\xff\xd8\xff\xe0" + b"\0" * 100,
    "an Outlook file": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600,
    "bytes": bytes(range(256)) * 100,
    "too large": b"x" * (LARGEST + 1),
    "no pass": archive({"pass.json": "[1, 2"}),
    "a pass of nothing": archive({"pass.json": '{"formatVersion": 1}'}),
}  # fmt: skip


@pytest.fixture
def no_reader_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a reader raises that nobody expects of it ends the test: elsewhere it is told as a damaged file."""
    monkeypatch.setattr(reader, "_UNEXPECTED", ())


@pytest.mark.parametrize("data", BOMBS.values(), ids=BOMBS.keys())
@pytest.mark.timeout(20)
def test_garbage_gives_no_booking_and_one_sentence_or_its_text(data: bytes, no_reader_fails: None) -> None:
    reading = read(data, "file.pkpass")

    assert reading.bookings == ()
    assert len(reading.unread) + len(reading.texts) == 1
    assert all(len(why) < 160 and why.endswith(".") for why in reading.unread)


GOOD = [
    page(FLIGHT).encode(),
    mail(page(FLIGHT)),
    calendar("UID:1\nDTSTART:20270504T101500Z\nSUMMARY:LH715 MUC-HND").encode(),
    wallet("boardingPass", {}, barcode={"message": BOARDING}),
    BOARDING.encode(),
    b"Title,Lat,Lng\nA,1,2\n",
]


@pytest.mark.parametrize("good", GOOD, ids=["page", "mail", "calendar", "pass", "string", "csv"])
def test_damaged_files_raise_nothing(good: bytes, no_reader_fails: None) -> None:
    chance = random.Random(16)  # noqa: S311
    for _ in range(60):
        damaged = bytearray(good)
        for _ in range(chance.randint(1, 20)):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        read(bytes(damaged[: chance.randint(1, len(damaged))]))


def test_a_wrong_extension_does_not_matter() -> None:
    assert read(page(FLIGHT), "flight.pdf").bookings == read(page(FLIGHT), "flight.html").bookings != ()


def test_the_heavy_libraries_are_loaded_on_use() -> None:
    code = (
        "import sys, datetime; from trips_mcp.bookings.reader import read_file; "
        "read_file(b'<html></html>', today=datetime.date(2027, 1, 1)); "
        "print([name for name in ('icalendar', 'pypdf', 'pydantic') if name in sys.modules])"
    )

    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
