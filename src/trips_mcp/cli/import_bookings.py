"""The command `trips-mcp import FILE …`, which reads confirmations of bookings."""

import json
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from trips_mcp.cli.command import WORDS, Command, CommandError
from trips_mcp.cli.output import remark, say
from trips_mcp.cli.stdin import standard_input

if TYPE_CHECKING:
    from trips_mcp.bookings.model import Booking, BookingTime, FileReading

_NO_BOOKING: Final = "It has no machine-readable booking."
_STDIN: Final = "-"


def _flags(parser: ArgumentParser) -> None:
    parser.usage = "trips-mcp import [-h] --dry-run [--json] [--today DATE] FILE ..."
    parser.add_argument(
        WORDS,
        nargs="+",
        metavar="FILE",
        help="mails (.eml), web pages, calendar files, Wallet passes, boarding passes, PDF, map files; - reads stdin",
    )
    parser.add_argument("--dry-run", action="store_true", help="only show what was read; the only way for now")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument(
        "--today",
        metavar="DATE",
        type=date.fromisoformat,
        help="the day that decides the year of a boarding pass, default: today",
    )


def _run(arguments: Namespace) -> int:
    if not arguments.dry_run:
        raise CommandError("import only shows bookings; add --dry-run.")
    today = arguments.today or date.today()  # noqa: DTZ011
    read = [(name, _read(name, today)) for name in arguments.words]
    if arguments.json:
        say(json.dumps(_document(read), indent=2, ensure_ascii=False))
    else:
        _show(read)
    return 0


def _read(name: str, today: date) -> "FileReading":
    from trips_mcp.bookings.reader import LARGEST, read_file

    try:
        if name == _STDIN:
            data = standard_input().buffer.read(LARGEST + 1)
        else:
            with Path(name).open("rb") as file:
                data = file.read(LARGEST + 1)
    except OSError as error:
        raise CommandError(f"{name} cannot be read ({(error.strerror or 'it fails').lower()}).") from None
    return read_file(data, "" if name == _STDIN else Path(name).name, today=today)


def _document(read: "Sequence[tuple[str, FileReading]]") -> dict[str, Any]:
    return {
        "bookings": [_shown(name, booking) for name, reading in read for booking in reading.bookings],
        "plan": None,
        "unread": [{"file": name, "why": why} for name, reading in read for why in _unread(reading)],
    }


def _shown(file: str, booking: "Booking") -> dict[str, Any]:
    has_ends = booking.is_ride or booking.kind == "car"
    return {
        "file": file,
        "kind": booking.kind,
        "number": booking.number or None,
        "name": booking.name or None,
        "from": booking.origin.label or None if has_ends else None,
        "to": booking.destination.label or None if has_ends else None,
        "starts": _time(booking.starts),
        "ends": _time(booking.ends),
        "confirmationNumber": booking.confirmation_number or None,
        "seat": booking.seat or None,
        "cancelled": booking.status == "cancelled",
        "travellers": list(booking.travellers),
    }


def _time(time: "BookingTime | None") -> dict[str, str | None] | None:
    return None if time is None else {"at": time.at, "zone": time.zone}


def _unread(reading: "FileReading") -> list[str]:
    is_text = reading.texts and not reading.bookings and not reading.places
    problems = [
        f"{booking.number or booking.name or 'A booking'}: {problem}"
        for booking in reading.bookings
        for problem in booking.problems
    ]
    return [*reading.unread, *problems, *([_NO_BOOKING] if is_text else [])]


def _show(read: "Sequence[tuple[str, FileReading]]") -> None:
    for name, reading in read:
        for booking in reading.bookings:
            say(_line(booking))
        for place in reading.places:
            say(f"place       {place.name} ({place.latitude:.5f}, {place.longitude:.5f})")
        for why in _unread(reading):
            remark(f"{'standard input' if name == _STDIN else name}: {why}")


def _line(booking: "Booking") -> str:
    route = f"{booking.origin.label} \u2192 {booking.destination.label}" if booking.is_ride else ""
    span = " \u2013 ".join(one.at.replace("T", " ") for one in (booking.starts, booking.ends) if one)
    parts = (booking.number, booking.name, route, span, booking.confirmation_number, booking.seat)
    status = "" if booking.status == "confirmed" else f"  [{booking.status}]"
    return f"{booking.kind:<11} {'  '.join(part for part in parts if part)}{status}"


IMPORT = Command(words="import", summary="read confirmations of bookings: import FILE ...", flags=_flags, run=_run)
