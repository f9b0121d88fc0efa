"""What reading a confirmation costs: a mail of 200 kB with JSON-LD, with microdata and without either, and a calendar.

    python benchmarks/bookings.py [--check]

Processor time of the readers alone, the median of several runs after a first one; and the libraries that a mail loads.
"""

import json
import subprocess
import sys
import time
from datetime import date
from email.message import EmailMessage
from statistics import median

from trips_mcp.bookings.reader import read_file

LIMIT_MS = 50.0
RUNS = 9
HEAVY = ("icalendar", "pypdf", "pydantic", "sqlalchemy", "httpx")
TODAY = date(2026, 11, 27)
LINE = (
    '<table><tr><td style="padding:0;margin:0" align="left">Line {0} of a mail, with <b>words</b> &amp; a link '
    '<a href="https://example.com/{0}">here</a></td></tr></table>'
)
FILLER = "".join(LINE.format(number) for number in range(1_100))
FLIGHT = {
    "@type": "FlightReservation",
    "reservationNumber": "QX7L2M",
    "reservationFor": {
        "@type": "Flight",
        "flightNumber": "LH715",
        "departureAirport": {"iataCode": "MUC"},
        "arrivalAirport": {"iataCode": "HND"},
        "departureTime": "2027-05-04T12:15:00+02:00",
    },
}
JSON_LD = f'<script type="application/ld+json">{json.dumps(FLIGHT)}</script>'
MICRODATA = """<div itemscope itemtype="http://schema.org/FlightReservation">
<meta itemprop="reservationNumber" content="QX7L2M"><div itemprop="reservationFor" itemscope itemtype="http://schema.org/Flight">
<meta itemprop="flightNumber" content="LH715"><meta itemprop="departureTime" content="2027-05-04T12:15:00+02:00">
<div itemprop="departureAirport" itemscope><meta itemprop="iataCode" content="MUC"></div></div></div>"""
ENTRY = "BEGIN:VEVENT\nUID:{0}\nDTSTART:20270504T101500Z\nSUMMARY:Flight LH {0} from MUC to HND\nEND:VEVENT\n"
CALENDAR = f"BEGIN:VCALENDAR\nVERSION:2.0\n{''.join(map(ENTRY.format, range(700, 720)))}END:VCALENDAR\n"


def mail(markup: str) -> bytes:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "a@example.com", "b@example.com", "Your booking"
    message.set_content("Please see the HTML part.")
    message.add_alternative(f"<html><body>{FILLER}{markup}</body></html>", subtype="html")
    return message.as_bytes()


def main() -> int:
    files = {
        "a mail with JSON-LD": mail(JSON_LD),
        "a mail with microdata": mail(MICRODATA),
        "a mail without a booking": mail(""),
        "a calendar of 20 flights": CALENDAR.encode(),
    }
    print("Reading a confirmation")
    slowest = 0.0
    for title, data in files.items():
        took = [timed(data) for _ in range(RUNS + 1)]
        warm = median(took[1:])
        slowest = max(slowest, warm)
        print(f"  {title:26} {len(data):9,} bytes {warm:7.1f} ms of {LIMIT_MS:.0f}, the first time {took[0]:.0f}")
    loaded = loaded_by(files["a mail with JSON-LD"])
    print(f"  libraries loaded by a mail: {', '.join(loaded) or 'none'} of {', '.join(HEAVY)}")
    return 1 if "--check" in sys.argv[1:] and (slowest > LIMIT_MS or loaded) else 0


def timed(data: bytes) -> float:
    start = time.process_time()
    read_file(data, today=TODAY)
    return (time.process_time() - start) * 1000


def loaded_by(data: bytes) -> list[str]:
    code = (
        "import sys, datetime; from trips_mcp.bookings.reader import read_file; "
        "read_file(sys.stdin.buffer.read(), today=datetime.date(2027, 1, 1)); "
        f"print(*[name for name in {HEAVY} if name in sys.modules])"
    )
    return (
        subprocess.run([sys.executable, "-c", code], input=data, capture_output=True, check=True)
        .stdout.decode()
        .split()
    )


if __name__ == "__main__":
    sys.exit(main())
