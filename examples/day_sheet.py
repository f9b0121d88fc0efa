"""A sheet to print: one day of a trip, or all of them, each on its own page.

    uv run examples/day_sheet.py "Kyoto in cherry blossom" --day tomorrow
    uv run examples/day_sheet.py "Kyoto in cherry blossom" --html > kyoto.html

Door codes, Wi-Fi passwords, phone and booking numbers are on it with --codes alone: paper gets lost.
"""

import argparse
import sys
from collections.abc import Iterable
from datetime import UTC, date, datetime
from html import escape

from day_lines import lines_of
from whole_trip import exit_code, open_trip

from trips_mcp.itinerary.day_expressions import Unclear, read_day
from trips_mcp.itinerary.journey import Journey
from trips_mcp.settings import Settings

STYLE = "body{font:12pt/1.45 sans-serif;max-width:40em;margin:2em auto}li{margin:.3em 0}section{break-after:page}"

Sheet = list[str]
"""The day, and its lines."""


def html(title: str, sheets: list[Sheet]) -> str:
    """A page that loads no other file."""
    head = f'<!doctype html><meta charset="utf-8"><title>{escape(title)}</title><style>{STYLE}</style>'
    days = [f"<section><h2>{escape(day)}</h2><ul>{''.join(map(item, lines))}</ul></section>" for day, *lines in sheets]
    return "\n".join([head, f"<h1>{escape(title)}</h1>", *days])


def item(line: str) -> str:
    return f"<li>{escape(line.strip())}</li>"


def days_of(journey: Journey, asked: str | None) -> Iterable[date]:
    """Raises: ValueError if no trip, or more than one, matches."""
    if asked is None:
        return journey.dates or ()
    found = read_day(journey, asked, datetime.now(UTC))
    if isinstance(found, Unclear):
        raise ValueError(found.why)
    return [found]


def main() -> int:
    parser = argparse.ArgumentParser(description="Print the day sheets of a trip.")
    parser.add_argument("trip", help="its title or id")
    parser.add_argument("--day", help="a date, a weekday, today, tomorrow or day 3; else all days")
    parser.add_argument("--html", action="store_true", help="a page for the browser, else plain text")
    parser.add_argument("--codes", action="store_true", help="with door codes, Wi-Fi, phone and booking numbers")
    given = parser.parse_args()

    async def work(settings: Settings) -> int:
        export, events = await open_trip(settings, given.trip)
        journey = Journey.of(export, events)
        sheets = [list(lines_of(journey, day, codes=given.codes)) for day in days_of(journey, given.day)]
        plain = "\n\n".join(map("\n".join, sheets))
        page = html(journey.title, sheets) if given.html else plain
        sys.stdout.buffer.write(f"{page}\n".encode())
        return 0

    return exit_code(work)


if __name__ == "__main__":
    sys.exit(main())
