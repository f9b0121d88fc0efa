"""Equality of places, bookings and titles, without regard to case, accents or spaces."""

import re
from functools import lru_cache
from typing import Final

from trips_mcp.itinerary.text_match import folded, parts_words
from trips_mcp.places.airports import metropolitan, metropolitan_of

_CODE: Final = re.compile(r"([A-Za-z]{3})|.*\(([A-Z]{3})\)|([A-Z]{3}),? +T(?:erminal)? ?[0-9]\w?")
_REMEMBERED: Final = 1000
_SHORT_WORD: Final = 3
_SMALL_WORDS: Final = frozenset(
    [
        *(
            "",
            "a",
            "an",
            "at",
            "in",
            "of",
            "on",
            "the",
            "to",
            "and",
            "for",
            "am",
            "bei",
            "im",
            "zum",
            "zur",
            "und",
            "mit",
        ),
        *("au", "aux", "chez", "de", "des", "du", "et", "la", "le", "les", "al", "con", "da", "del", "di", "do", "el"),
        *("em", "en", "il", "na", "no", "het", "met", "een", "y", "e", "mit"),
    ]
)
_STOP_WORDS: Final = frozenset({"with", "from", "into", "avec", "para"})


@lru_cache(_REMEMBERED)
def plain(text: str | None) -> str:
    """Only the folded letters and digits."""
    return "".join(letter for letter in folded(text or "") if not parts_words(letter))


def same(one: str | None, other: str | None) -> bool:
    """Whether both are equal and not empty."""
    return plain(one) == plain(other) != ""


def airport(place: str | None) -> str | None:
    """The code in `HND`, `hnd`, `HND T3` or `Tokyo Haneda (HND)`."""
    found = _CODE.fullmatch((place or "").strip())
    return found[found.lastindex or 0].upper() if found else None


@lru_cache(_REMEMBERED)
def city(place: str | None) -> str:
    """A key that all airports of one city share."""
    code = airport(place)
    if code is None:
        return plain(place)
    found = metropolitan(code) or next(iter(metropolitan_of(code)), None)
    return found.code if found else code


def titles_alike(one: str, other: str) -> bool:
    """Whether they share a significant word, or one contains the other."""
    first, second = plain(one), plain(other)
    if not first or not second:
        return False
    return first in second or second in first or not _significant(one).isdisjoint(_significant(other))


def _significant(title: str) -> set[str]:
    return {word for word in map(plain, title.split()) if len(word) > _SHORT_WORD and word not in _STOP_WORDS}


@lru_cache(_REMEMBERED)
def words(title: str) -> frozenset[str]:
    """All words of a title except short prepositions and articles."""
    return frozenset(map(plain, title.split())) - _STOP_WORDS - _SMALL_WORDS


def same_words(one: str, other: str) -> bool:
    """Whether all words of one are in the other: `Sato dinner`, `Dinner at Sato`."""
    first, second = words(one), words(other)
    return bool(first and second) and (first <= second or second <= first)
