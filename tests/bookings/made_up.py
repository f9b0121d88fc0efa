"""Made-up confirmations, as bytes, for what the public samples lack."""

import io
import json
import zipfile
from datetime import date
from email.message import EmailMessage
from typing import Any

from trips_mcp.bookings.model import FileReading
from trips_mcp.bookings.reader import read_file

TODAY = date(2026, 11, 27)
BOARDING = "M1KRAUSE/VOLKER       EXXX007 TXLRIXBT 0212 309Y014E0063 100"


def read(data: bytes | str, name: str = "", *, today: date = TODAY) -> FileReading:
    return read_file(data.encode() if isinstance(data, str) else data, name, today=today)


def page(*values: object) -> str:
    """A mail's HTML with JSON-LD."""
    scripts = (f'<script type="application/ld+json">{json.dumps(value)}</script>' for value in values)
    return f"<html><head>{''.join(scripts)}</head><body><p>Thank you for your booking.</p></body></html>"


def mail(html: str = "", text: str = "", *attachments: tuple[str, str, bytes]) -> bytes:
    """Attachments as (name, media type, content)."""
    message = EmailMessage()
    message["From"], message["To"] = "Bookings <noreply@example.com>", "traveller@example.com"
    message["Subject"], message["Date"] = "Your booking", "Fri, 27 Nov 2026 09:00:00 +0000"
    message.set_content(text or "Please see the HTML part.")
    if html:
        message.add_alternative(html, subtype="html")
    for name, media_type, content in attachments:
        main, _, sub = media_type.partition("/")
        message.add_attachment(content, maintype=main, subtype=sub, filename=name)
    return message.as_bytes()


def archive(files: dict[str, bytes | str]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in files.items():
            file.writestr(name, content)
    return packed.getvalue()


ZIP_BOMB = archive({"pass.json": b" " * 9_000_000})
"""Unpacks to more than is read."""


def wallet(style: str, fields: dict[str, Any], strings: str = "", *, encoding: str = "utf-16", **values: Any) -> bytes:
    known = {
        "formatVersion": 1,
        "passTypeIdentifier": "pass.example",
        "organizationName": "Example",
        "serialNumber": "S1",
    }
    files: dict[str, bytes | str] = {"pass.json": json.dumps({**known, style: fields, **values})}
    if strings:
        files["de.lproj/pass.strings"] = strings.encode(encoding)
    return archive(files)


def calendar(*entries: str, method: str = "PUBLISH") -> str:
    """Each entry is its lines between BEGIN:VEVENT and END:VEVENT."""
    blocks = "".join(f"BEGIN:VEVENT\n{entry.strip()}\nEND:VEVENT\n" for entry in entries)
    return f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//Example//EN\nMETHOD:{method}\n{blocks}END:VCALENDAR\n"


FLIGHT: dict[str, Any] = {
    "@context": "http://schema.org",
    "@type": "FlightReservation",
    "reservationNumber": "QX7L2M",
    "reservationStatus": "http://schema.org/ReservationConfirmed",
    "underName": {"@type": "Person", "name": "Ada Example"},
    "airplaneSeat": "12C",
    "reservationFor": {
        "@type": "Flight",
        "flightNumber": "0715",
        "airline": {"@type": "Airline", "name": "Lufthansa", "iataCode": "LH"},
        "departureAirport": {"@type": "Airport", "name": "Munich", "iataCode": "MUC"},
        "departureTime": "2027-05-04T12:15:00+02:00",
        "arrivalAirport": {"@type": "Airport", "name": "Tokyo Haneda", "iataCode": "HND"},
        "arrivalTime": "2027-05-05T07:40:00+09:00",
    },
}
HOTEL: dict[str, Any] = {
    "@context": "http://schema.org",
    "@type": "LodgingReservation",
    "reservationNumber": "HTL-4471",
    "underName": {"name": "Ada Example"},
    "reservationFor": {
        "@type": "LodgingBusiness",
        "name": "Ryokan Example",
        "address": {"streetAddress": "1-2 Gion", "addressLocality": "Kyoto", "addressCountry": "JP"},
    },
    "checkinTime": "2027-05-05T15:00:00+09:00",
    "checkoutTime": "2027-05-08T10:00:00+09:00",
}
