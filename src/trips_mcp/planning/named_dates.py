"""Dates within a longer text: `buy by 16 October`, `16.10.`, `10/16`, `10月16日`.

Only forms with a day and a month. A weekday alone or `the 16th` may mean another day.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from functools import cache
from typing import Final

from trips_mcp.itinerary.day_grammar import LANGUAGES
from trips_mcp.places.names import without_accents

_DIGITS: Final = re.compile("[0-9]+")
_ISO: Final = re.compile(r"(?<![0-9])([0-9]{4})[-/.]([0-9]{1,2})[-/.]([0-9]{1,2})(?![0-9])")
_PAIR: Final = re.compile(
    r"(?<![0-9./-])([0-9]{1,2})(?:\. ?([0-9]{1,2})\.|/([0-9]{1,2})(?![\w.]))(?: ?/?([0-9]{4}|[0-9]{2})(?![0-9:]))?"
)
_CENTURY: Final = 100


def dates_named(text: str, years: Iterable[int]) -> frozenset[date]:
    """The dates that `text` may name. Without a year, in any of `years`."""
    if not _DIGITS.search(text):
        return frozenset()
    plain = without_accents(unicodedata.normalize("NFKC", text).casefold())
    found: set[date | None] = {_date(*map(int, match.groups())) for match in _ISO.finditer(plain)}
    known = list(years)
    for match in _PAIR.finditer(plain):
        first, dotted, slashed, year = match.groups()
        orders = [(first, dotted)] if dotted else [(first, slashed), (slashed, first)]
        found |= {_date(one, int(month), int(day)) for day, month in orders for one in _years(year, known)}
    for pattern in _with_month_names():
        for match in pattern.finditer(plain):
            said = match.groupdict()
            found |= {_date(one, month, int(said["day"])) for one in _years(said["year"], known) for month in _of(said)}
    return frozenset(day for day in found if day is not None)


def _years(written: str | None, known: list[int]) -> list[int]:
    if written is None:
        return known
    return [int(written) if int(written) >= _CENTURY else 2000 + int(written)]


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _of(said: dict[str, str | None]) -> frozenset[int]:
    return _months()[str(said["month"])]


@cache
def _with_month_names() -> tuple[re.Pattern[str], ...]:
    names = "|".join(re.escape(name) for name in sorted(_months(), key=len, reverse=True))
    month = rf"(?<![^\W\d_])(?P<month>{names})(?:\.|(?![^\W\d_]))"
    day = r"(?<![0-9:.])(?P<day>[0-9]{1,2})(?:st|nd|rd|th|er|ste|de|e|\.|o)?(?![0-9:])"
    year = r"(?:,? ?(?:de |del )?(?P<year>[0-9]{4})(?![0-9]))?"
    japanese = r"(?P<month>[0-9]{1,2}月) ?(?P<day>[0-9]{1,2})日(?P<year>(?!))?"
    return (
        re.compile(rf"{day} ?(?:of |de |d')?{month}{year}"),
        re.compile(rf"{month} ?(?:the )?{day}{year}"),
        re.compile(japanese),
    )


@cache
def _months() -> dict[str, frozenset[int]]:
    found: defaultdict[str, set[int]] = defaultdict(set)
    for language in LANGUAGES.values():
        for number, spellings in enumerate(language.months.split(), 1):
            for spelling in spellings.split("/"):
                found[without_accents(unicodedata.normalize("NFKC", spelling))].add(number)
    return {name: frozenset(numbers) for name, numbers in found.items()}
