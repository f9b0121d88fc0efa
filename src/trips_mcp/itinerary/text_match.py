"""Matching of words in texts, and equality of places, bookings and titles, whatever their case, accents and script."""

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from trips_mcp.contract.fields import hidden
from trips_mcp.itinerary.formatting import one_line
from trips_mcp.places.airports import metropolitan, metropolitan_of

_LETTERS: Final = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "\u0131": "i"}
    # Arabic, Persian and Urdu: kaf, ya, ha and alef in their variants, ta marbuta as pronounced, no tatweel
    | dict.fromkeys("\u06a9\u06aa", "\u0643")
    | dict.fromkeys("\u0649\u06cc\u06d2\u06d0", "\u064a")
    | dict.fromkeys("\u0629\u06c1\u06c3\u06be\u06d5", "\u0647")
    | {"\u0671": "\u0627", "\u0640": ""}
)
"""Letters that many people replace when typing, and that Unicode does not decompose."""
_IN_FULL: Final = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "Ø": "Oe", "Å": "Aa"}
)
"""The two-letter spellings: `Muenchen` besides `Munchen`."""
_APOSTROPHES: Final = str.maketrans(
    dict.fromkeys("`\u00b4\u02b9\u02bb\u02bc\u02bd\u02be\u02bf\u02c8\u2018\u2019\u201b\u2032\u05f3\ua78c\uff07", "'")
)
_ACCENT: Final = "".join(chr(code) for code in range(0x300, 0x370)) + "".join(
    chr(code)
    for first, last in ((0x591, 0x5C8), (0x64B, 0x660), (0x670, 0x671), (0x6D6, 0x6EE))
    for code in range(first, last)
    if unicodedata.combining(chr(code))
)
"""Marks of Latin, Greek and Cyrillic, and vowel points of Hebrew and Arabic.

In other scripts such marks make other words.
"""
_ACCENTS: Final = re.compile(f"[{_ACCENT}]")
_DIGIT: Final = re.compile(r"(?![0-9])\d")
_SPACES: Final = frozenset({"Z", "C", "P"})
_SPACES_TOO: Final = frozenset({"Sm", "Sk"})
_PARTING: Final = frozenset({"Cc", "Zs", "Zl", "Zp"})
_UNSPACED: Final = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff"  # Thai and Lao, Burmese, Korean, Khmer
    "\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0002fa1f]"  # Japanese, Chinese
)
"""Scripts without spaces between words, and Korean, which adds endings to words."""
_LONG: Final = 4
"""Minimum letters to match inside another word: `bahnhof` in `Hauptbahnhof`, not `art` in `party`."""
_STARTS: Final = r"(?:(?<![^\W_])|(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_]))"
_ENDS: Final = r"(?:(?![^\W_])|(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_]))"
"""A word starts and ends between letters and digits too, so that `44` finds `JL44`."""
_HYPHENS: Final = "-'\u2010"
"""Optional within words, so that `wifi` finds `Wi-Fi` and the reverse."""
_EXCERPT: Final = 60
"""Characters on either side of the word."""
_AIRPORT_CODE: Final = re.compile(r"([A-Za-z]{3})|.*\(([A-Z]{3})\)|([A-Z]{3}),? +T(?:erminal)? ?[0-9]\w?")
_REMEMBERED: Final = 1000
_SHORT_WORD: Final = 3
_SMALL_WORDS: Final = frozenset({
    "", "a", "an", "at", "in", "of", "on", "the", "to", "and", "for", "am", "bei", "im", "zum", "zur", "und", "mit",
    "au", "aux", "chez", "de", "des", "du", "et", "la", "le", "les", "al", "con", "da", "del", "di", "do", "el", "em",
    "en", "il", "na", "no", "het", "met", "een", "y", "e",
})  # fmt: skip
_STOP_WORDS: Final = frozenset({"with", "from", "into", "avec", "para"})


@dataclass(frozen=True, slots=True)
class _Spelling:
    text: str
    as_start: re.Pattern[str]
    as_whole: re.Pattern[str]
    hyphened: re.Pattern[str]

    @classmethod
    def of(cls, text: str) -> "_Spelling":
        start = _STARTS + re.escape(text)
        hyphened = _STARTS + f"[{_HYPHENS}]?".join(map(re.escape, text))
        return cls(text, re.compile(start), re.compile(start + _ENDS), re.compile(hyphened))

    def quality(self, text: str) -> int | None:
        """Match in a folded text: 0 a word, 1 the start of one, 2 inside one, None no match."""
        if self.text not in text:
            return 1 if len(self.text) >= _LONG and self.hyphened.search(text) else None
        if self.as_start.search(text):
            return 0 if self.as_whole.search(text) else 1
        if _UNSPACED.search(self.text):
            return 1
        return 2 if len(self.text) >= _LONG else None

    def place(self, text: str) -> int:
        """Index of the spelling in a folded text that contains it."""
        found = self.as_start.search(text) or self.hyphened.search(text)
        return found.start() if found else text.find(self.text)


@dataclass(frozen=True, slots=True)
class Word:
    spellings: tuple[_Spelling, ...]
    pieces: "tuple[Word, ...]" = ()
    """Parts of a hyphenated word, which may be written apart, as in `Kiyomizu dera`."""

    @classmethod
    def of(cls, texts: Sequence[str]) -> "Word":
        """Build a word from its spellings."""
        pieces = [re.split(f"[{_HYPHENS}]+", text) for text in texts]
        joined = dict.fromkeys("".join(parts) for parts in pieces)
        apart = [tuple(dict.fromkeys(parts)) for parts in zip(*pieces, strict=True)] if len(pieces[0]) > 1 else []
        return cls(tuple(map(_Spelling.of, joined)), tuple(map(cls.of, apart)))

    def quality(self, forms: Sequence[str]) -> int | None:
        """Best match in the forms of a text: 0 a word, 1 the start of one, 2 inside one, None no match."""
        found = [how for form in forms for one in self.spellings if (how := one.quality(form)) is not None]
        parts = [piece.quality(forms) for piece in self.pieces]
        known = [how for how in parts if how is not None]
        if known and len(known) == len(parts):
            found.append(max(known))
        return min(found, default=None)

    def places(self, form: str) -> Iterator[int]:
        """Indexes of the word in one of the forms."""
        yield from (one.place(form) for one in self.spellings if one.quality(form) is not None)
        for piece in self.pieces:
            yield from piece.places(form)


def words_of(query: str) -> tuple[Word, ...]:
    found = [_split(form) for form in forms_of(query)]
    return tuple(map(Word.of, dict.fromkeys(zip(*found, strict=True))))


def _split(form: str) -> list[str]:
    spaced = "".join(" " if letter not in _HYPHENS and _parts_words(letter) else letter for letter in form)
    return list(filter(None, (word.strip(_HYPHENS) for word in spaced.split())))


def folded(text: str) -> str:
    """Normalise case, accents, apostrophes, digits and invisible characters."""
    if text.isascii():
        return text.lower().translate(_APOSTROPHES)
    plain = unicodedata.normalize("NFKD", _without_hidden(text.translate(_APOSTROPHES))).casefold()
    return _DIGIT.sub(lambda digit: str(unicodedata.decimal(digit[0])), _ACCENTS.sub("", plain).translate(_LETTERS))


def forms_of(text: str) -> tuple[str, ...]:
    """The folded text, and the form with umlauts in two letters if it differs."""
    return tuple(fold(text) for fold in _folds_of(text))


def _folds_of(text: str) -> tuple[Callable[[str], str], ...]:
    composed = text if text.isascii() else unicodedata.normalize("NFC", text)
    return (folded,) if composed.translate(_IN_FULL) == composed else (folded, _folded_in_full)


def _folded_in_full(text: str) -> str:
    return folded(unicodedata.normalize("NFC", text).translate(_IN_FULL))


def _without_hidden(text: str) -> str:
    """Remove invisible characters; line and space separators become a space."""
    return hidden().sub(lambda found: " " if unicodedata.category(found[0]) in _PARTING else "", text)


def excerpt(text: str, words: Sequence[Word]) -> str:
    """The part of a text around its first match, on one line."""
    text = unicodedata.normalize("NFC", text)
    found = [
        _unfolded(text, place, fold) for fold in _folds_of(text) for word in words for place in word.places(fold(text))
    ]
    at = min(found, default=0)
    first, last = max(0, at - _EXCERPT), at + 2 * _EXCERPT
    cut = text[first:last].strip()
    return one_line(f"{'…' if first else ''}{cut}{'…' if last < len(text) else ''}")


def _unfolded(text: str, place: int, fold: Callable[[str], str]) -> int:
    """The index in `text` of an index in its folded form."""
    length = 0
    for index, letter in enumerate(text):
        length += len(fold(letter))
        if length > place:
            return index
    return 0


def _parts_words(letter: str) -> bool:
    """Whether the character separates words: spaces, punctuation, arrows. Emoji and combining marks do not."""
    category = unicodedata.category(letter)
    return category[0] in _SPACES or category in _SPACES_TOO


@lru_cache(_REMEMBERED)
def plain(text: str | None) -> str:
    """Only the folded letters and digits."""
    return "".join(letter for letter in folded(text or "") if not _parts_words(letter))


def same(one: str | None, other: str | None) -> bool:
    """Whether both are equal and not empty."""
    return plain(one) == plain(other) != ""


def airport(place: str | None) -> str | None:
    """The code in `HND`, `hnd`, `HND T3` or `Tokyo Haneda (HND)`."""
    found = _AIRPORT_CODE.fullmatch((place or "").strip())
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
