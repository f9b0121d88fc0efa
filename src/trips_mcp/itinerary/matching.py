"""Whether a text has a word, as people mean it: whatever the case and the accents, in any script."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from trips_mcp.itinerary.wording import one_line

_LETTERS: Final = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "\u0131": "i"}
)
"""Letters that people without them on their keyboard write otherwise, and that Unicode does not take apart."""
_ACCENT: Final = "".join(chr(code) for code in range(0x300, 0x370)) + "".join(
    chr(code)
    for first, last in ((0x591, 0x5C8), (0x64B, 0x660))
    for code in range(first, last)
    if unicodedata.combining(chr(code))
)
"""Of Latin, Greek and Cyrillic; vowel points of Hebrew and Arabic. In other scripts such marks make other words."""
_ACCENTS: Final = re.compile(f"[{_ACCENT}]")
_SPACES: Final = frozenset({"Z", "C", "P"})
_SPACES_TOO: Final = frozenset({"Sm", "Sk"})
_UNSPACED: Final = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff"  # Thai and Lao, Burmese, Korean, Khmer
    "\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0002fa1f]"  # Japanese, Chinese
)
"""Scripts that set no spaces between words, and Korean, which adds endings to them."""
_LONG: Final = 4
"""Letters from which on a word is found inside of another too: `bahnhof` in `Hauptbahnhof`, not `art` in `party`."""
_STARTS: Final = r"(?:(?<![^\W_])|(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_]))"
_ENDS: Final = r"(?:(?![^\W_])|(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_]))"
"""A word starts and ends between letters and digits too, so that `44` finds `JL44`."""
_HYPHEN: Final = "[-'\u2019\u2010\u2011]?"
"""So that `wifi` finds `Wi-Fi`."""
_EXCERPT: Final = 60
"""Characters on either side of the word."""


@dataclass(frozen=True, slots=True)
class Word:
    text: str
    as_start: re.Pattern[str]
    as_whole: re.Pattern[str]
    hyphened: re.Pattern[str]

    @classmethod
    def of(cls, text: str) -> "Word":
        start = _STARTS + re.escape(text)
        hyphened = _STARTS + _HYPHEN.join(map(re.escape, text))
        return cls(text, re.compile(start), re.compile(start + _ENDS), re.compile(hyphened))

    def quality(self, text: str) -> int | None:
        """In a folded text: 0 as a word, 1 as the start of one, 2 inside of one; None where it is not."""
        if self.text not in text:
            return 1 if len(self.text) >= _LONG and self.hyphened.search(text) else None
        if self.as_start.search(text):
            return 0 if self.as_whole.search(text) else 1
        if _UNSPACED.search(self.text):
            return 1
        return 2 if len(self.text) >= _LONG else None

    def place(self, text: str) -> int:
        """Where it stands in a folded text that has it."""
        found = self.as_start.search(text) or self.hyphened.search(text)
        return found.start() if found else text.find(self.text)


def words_of(query: str) -> tuple[Word, ...]:
    spaced = "".join(" " if parts_words(letter) else letter for letter in folded(query))
    return tuple(map(Word.of, dict.fromkeys(spaced.split())))


def folded(text: str) -> str:
    """Without what makes no difference."""
    if text.isascii():
        return text.lower()
    return _ACCENTS.sub("", unicodedata.normalize("NFKD", text).casefold()).translate(_LETTERS)


def excerpt(text: str, words: Sequence[Word]) -> str:
    """The part of a text that has the first of the words, in one line."""
    whole = folded(text)
    found = [word.place(whole) for word in words if word.quality(whole) is not None]
    at = _unfolded(text, min(found)) if found else 0
    first, last = max(0, at - _EXCERPT), at + 2 * _EXCERPT
    cut = text[first:last].strip()
    return one_line(f"{'…' if first else ''}{cut}{'…' if last < len(text) else ''}")


def _unfolded(text: str, place: int) -> int:
    """Where in a text that stands which stands at a place in the folded one."""
    length = 0
    for index, letter in enumerate(text):
        length += len(folded(letter))
        if length > place:
            return index
    return 0


def parts_words(letter: str) -> bool:
    """Spaces, punctuation, arrows; but not emoji, which one may look for, nor the marks that are part of letters."""
    category = unicodedata.category(letter)
    return category[0] in _SPACES or category in _SPACES_TOO
