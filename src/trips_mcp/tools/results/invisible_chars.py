r"""Text with its invisible characters made visible, as `\u{202E}`, where nothing that people write needs them.

Hidden characters can carry words that only a model reads, or turn what a person sees. One stays only where it changes
what is seen: in a sequence that Unicode lists, or where the script needs it; never two in a row.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from itertools import islice
from typing import Final

from trips_mcp.contract import unicode_tables as tables
from trips_mcp.contract.invisible import characters, hidden

_SELECTOR: Final = "\ufe0f"
_JOINER: Final = "\u200d"
_NON_JOINER: Final = "\u200c"
_LEFT_TO_RIGHT: Final = "\u200e"
_DIRECTION_MARKS: Final = frozenset("\u061c\u200e\u200f")
_SYRIAC_ABBREVIATION: Final = "\u070f"
_VOWEL_SEPARATOR: Final = "\u180e"
_VOWEL_FILLER: Final = "\u1160"
_REPHA: Final = frozenset("\u09b0\u0c30\u0cb0")
"""Bengali, Telugu and Kannada ra, which keeps its form by a joiner before the virama."""
_FLAGS: Final = tuple(
    "\U0001f3f4" + "".join(chr(0xE0000 + ord(letter)) for letter in region) + "\U000e007f"
    for region in ("gbeng", "gbsct", "gbwls")
)
_KEYS: Final = frozenset("#*0123456789")
_TONE: Final = "[\U0001f3fb-\U0001f3ff]"
_MOST_SIGNS: Final = 16
_FARTHEST: Final = 64
"""Characters between a mark of direction and the letters that it stands between."""


def visible(text: str) -> str:
    if not hidden().search(text):
        return text
    kept = set(_in_emoji(text))
    return hidden().sub(
        lambda found: found[0] if found.start() in kept or _is_needed(text, found.start()) else _escape(found[0]), text
    )


def _escape(character: str) -> str:
    return rf"\u{{{ord(character):X}}}"


def _in_emoji(text: str) -> Iterator[int]:
    """Where the hidden parts of flags and of emoji with joiners stand."""
    flags, joined, sequences = _emoji()
    for found in flags.finditer(text):
        yield from range(found.start() + 1, found.end())
    for found in joined.finditer(text):
        joiners = [at for at in range(found.start(), found.end()) if text[at] == _JOINER]
        yield from joiners[: _longest(_plain(found[0]), sequences)]


def _longest(emoji: str, sequences: frozenset[str]) -> int:
    """How many joiners the longest sequence has that stands at the beginning."""
    return next((length - 1 for length in range(len(emoji), 1, -1) if emoji[:length] in sequences), 0)


def _plain(emoji: str) -> str:
    return re.sub(f"{_TONE}|[{_SELECTOR}{_JOINER}]", "", emoji)


@cache
def _emoji() -> tuple[re.Pattern[str], re.Pattern[str], frozenset[str]]:
    codes = [[int(code, 16) for code in sequence.split("+")] for sequence in tables.EMOJI_SEQUENCES.split()]
    sequences = frozenset("".join(map(chr, sequence)) for sequence in codes)
    part = f"[{''.join(sorted(frozenset(''.join(sequences))))}](?:{_SELECTOR}|{_TONE})?"
    return re.compile("|".join(_FLAGS)), re.compile(f"{part}(?:{_JOINER}{part})+"), sequences


def _is_needed(text: str, at: int) -> bool:
    mark, before, after = text[at], text[at - 1 : at], text[at + 1 : at + 2]
    if (variants := _variants().get(mark)) is not None:
        return bool(variants.match(before)) or (mark == _SELECTOR and before in _KEYS and after == "\u20e3")
    if (before and hidden().match(before)) or (after and hidden().match(after)):
        return False
    if mark in (_JOINER, _NON_JOINER):
        return _changes_letters(text, at) or _changes_a_conjunct(mark, before, after)
    if mark in _DIRECTION_MARKS:
        return _turns_something(text, at)
    if mark == _VOWEL_SEPARATOR:
        return "\u1820" <= before <= "\u18aa" and after in ("\u1820", "\u1821")
    if mark == _VOWEL_FILLER:
        return "\u1100" <= before <= "\u115e" and "\u11a8" <= after <= "\u11ff"
    if mark == _SYRIAC_ABBREVIATION:
        return "\u0710" <= after <= "\u072f"
    return bool(_letters("NUMBER_SIGNS").match(mark)) and after.isdecimal()


@cache
def _variants() -> dict[str, re.Pattern[str]]:
    """Of each selector, what has such a variant; of those that nothing has one of, an empty class."""
    varied = {chr(int(code, 16)): bases for code, bases in tables.VARIED.items()}
    return {selector: re.compile(f"[{characters(bases)}]") for selector, bases in varied.items()}


@cache
def _letters(name: str) -> re.Pattern[str]:
    return re.compile(f"[{characters(getattr(tables, name))}]")


def _changes_letters(text: str, at: int) -> bool:
    """As in Arabic: a non-joiner between two letters that join, or a joiner where a word has one at its edge."""
    _, forward = _joining(text, at, -1)
    backward, _ = _joining(text, at, 1)
    if text[at] == _NON_JOINER:
        return forward and backward
    return forward != backward and not (_is_letter(text, at, -1) and _is_letter(text, at, 1))


def _joining(text: str, at: int, step: int) -> tuple[bool, bool]:
    """Whether the letter on that side joins the one before it, and the one after it."""
    letter = _next(text, at, step)
    both = bool(_letters("JOINS_BOTH").match(letter))
    return both or bool(_letters("JOINS_BEFORE").match(letter)), both or bool(_letters("JOINS_AFTER").match(letter))


def _is_letter(text: str, at: int, step: int) -> bool:
    return _next(text, at, step).isalpha()


def _next(text: str, at: int, step: int) -> str:
    """The next character on that side, past the signs upon a letter; empty where there is none."""
    near = islice(_from(text, at, step), _MOST_SIGNS)
    return next((one for one in near if unicodedata.category(one) != "Mn"), "")


def _changes_a_conjunct(mark: str, before: str, after: str) -> bool:
    viramas = _letters("VIRAMAS")
    if viramas.match(before):
        return mark == _JOINER or unicodedata.category(after or " ") == "Lo"
    return mark == _JOINER and before in _REPHA and bool(viramas.match(after))


def _turns_something(text: str, at: int) -> bool:
    """Whether a mark of direction stands where directions meet: by a line's first letter, or between two letters."""
    before, between_before = _side(text, at, -1)
    after, between_after = _side(text, at, 1)
    if before is None or after is None:
        return False
    if not before:
        if between_before:
            return False
        said = "L" if text[at] == _LEFT_TO_RIGHT else "R"
        line = text[at + 1 :].partition("\n")[0]
        return said != after and any(_direction(one) == "R" for one in line if one not in _DIRECTION_MARKS)
    return before != after and "R" in (before, after) and (between_before or between_after)


def _side(text: str, at: int, step: int) -> tuple[str | None, bool]:
    """The direction of the next letter on that side, empty at the line's end, and whether anything is in between.

    None where another mark comes first, or no letter for long.
    """
    between = False
    for character in islice(_from(text, at, step), _FARTHEST):
        if character == "\n":
            return "", between
        if direction := _direction(character):
            return (None if character in _DIRECTION_MARKS else direction), between
        between = True
    return ("", between) if _reaches_the_end(text, at, step) else (None, between)


def _direction(character: str) -> str:
    """Empty for what has none of its own: spaces, punctuation, digits."""
    return {"L": "L", "R": "R", "AL": "R"}.get(unicodedata.bidirectional(character), "")


def _reaches_the_end(text: str, at: int, step: int) -> bool:
    return (at if step < 0 else len(text) - at - 1) <= _FARTHEST


def _from(text: str, at: int, step: int) -> Iterator[str]:
    at += step
    while 0 <= at < len(text):
        yield text[at]
        at += step
