"""Parser of day expressions. Finds every way in which the words of a text make a known form."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import Final

from trips_mcp.itinerary.day_words import FORMS, LANGUAGES, Language
from trips_mcp.places.names import without_accents

_LONGEST: Final = 60
_MOST_READINGS: Final = 64
_NOISE: Final = "noise"
_JAPANESE: Final = re.compile("[\u3040-\u30ff\u3400-\u9fff]")
_NUMERIC: Final = re.compile(
    r"(?P<iso>[0-9]{4}[-/.][0-9]{1,2}[-/.][0-9]{1,2})(?!\w)"
    r"|(?P<dotted>[0-9]{1,2}\. ?[0-9]{1,2}\.(?: ?(?:[0-9]{4}|[0-9]{2}))?)(?![\w.])"
    r"|(?P<pair>[0-9]{1,2}/[0-9]{1,2}(?:/(?:[0-9]{4}|[0-9]{2}))?)(?![\w/])"
    r"|(?P<monthday>[0-9]{1,2}(?:(?:st|nd|rd|th|er|ste|de|e)(?![^\W\d])|[.]|\u65e5(?!\u76ee)|\u00ba|\u00aa))"
    r"|(?P<year>[0-9]{4}(?:\u5e74|(?![0-9])))"
    r"|(?P<number>[0-9]{1,4})(?![0-9])"
)
_SKIPPED: Final = re.compile(r"[ ,.'\u2019-]+")


@dataclass(frozen=True, slots=True)
class GrammarWord:
    slot: str
    value: object
    """A number, or the text of a date written in digits."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to read a text: its form's rule, values by slot, and the weekday it also names, if any."""

    rule: str
    values: Mapping[str, object]
    weekday: int | None = None


def readings(text: str) -> list[Reading]:
    """All distinct readings. Empty if a word is unknown or the words make no form."""
    plain = " ".join(unicodedata.normalize("NFKC", text).replace("\u2019", "'").split())
    if len(plain) > _LONGEST:
        return []
    words = _words(without_accents(plain))
    if not words:
        return []
    found: list[Reading] = []
    for number, alternatives in enumerate(product(*words)):
        if number >= _MOST_READINGS:
            break
        found += [one for one in _forms([word for word in alternatives if word.slot != _NOISE]) if one not in found]
    checked = [one for one in found if one.weekday is not None]
    return checked or found


def _forms(words: Sequence[GrammarWord]) -> Iterator[Reading]:
    rule = FORMS.get(tuple(word.slot for word in words))
    if rule:
        yield Reading(rule, {word.slot: word.value for word in words})
    if len(words) > 1 and words[0].slot == "weekday":
        rest = words[1:]
        rule = FORMS.get(tuple(word.slot for word in rest)) or ("day of a month" if _is_number(rest) else None)
        if rule and all(word.slot not in ("weekday", "this", "next", "last") for word in rest):
            yield Reading(rule, {word.slot: word.value for word in rest}, weekday=_number(words[0].value))


def _is_number(words: Sequence[GrammarWord]) -> bool:
    """`Friday 16`"""
    return len(words) == 1 and words[0].slot == "number"


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0


def _words(plain: str) -> list[list[GrammarWord]]:
    """Each word with all of its meanings. Empty if a word has none."""
    found: list[list[GrammarWord]] = []
    at = 0
    while at < len(plain):
        if skipped := _SKIPPED.match(plain, at):
            at = skipped.end()
            continue
        found_word = _lexicon().match(plain, at)
        numeric = _NUMERIC.match(plain, at)
        if found_word is not None and (numeric is None or found_word.end() > numeric.end()):
            found.append(_meanings()[found_word[0]])
            at = found_word.end()
        elif numeric is not None:
            found.append(_of_numbers(numeric))
            at = numeric.end()
        else:
            return []
    return found


def _of_numbers(found: re.Match[str]) -> list[GrammarWord]:
    kind, text = str(found.lastgroup), found[0]
    digits = re.sub(r"\D", "", text)
    if kind in ("iso", "pair"):
        return [GrammarWord(kind, text)]
    if kind == "dotted":
        return [GrammarWord("pair", text)]
    if kind == "year":
        return [GrammarWord("year", int(digits)), GrammarWord("number", int(digits))]
    return [GrammarWord(kind, int(digits))]


@cache
def _lexicon() -> re.Pattern[str]:
    """Longest words first. A word of letters must end at a letter boundary."""
    words = sorted(_meanings(), key=lambda word: (-len(word), word))
    return re.compile("|".join(re.escape(word) + _end_of(word) for word in words))


def _end_of(word: str) -> str:
    return "" if _JAPANESE.search(word) or word.endswith("'") else r"(?![^\W\d])"


@cache
def _meanings() -> Mapping[str, list[GrammarWord]]:
    found: defaultdict[str, list[GrammarWord]] = defaultdict(list)
    for language in LANGUAGES.values():
        for written, word in _of_language(language):
            if word not in found[written]:
                found[written].append(word)
    return found


def _of_language(language: Language) -> Iterator[tuple[str, GrammarWord]]:
    for slot, listed, first in (
        ("weekday", language.weekdays, 0),
        ("month", language.months, 1),
        ("number", language.numbers, 1),
        ("ordinal", language.ordinals, 1),
    ):
        for value, spellings in enumerate(listed.split(), first):
            yield from ((_spelt(spelling), GrammarWord(slot, value)) for spelling in spellings.split("/"))
    for step, spellings in zip((-1, 0, 0, 1), language.relative.split(), strict=True):
        yield from ((_spelt(spelling), GrammarWord("relative", step)) for spelling in spellings.split("/"))
    for slot in ("last", "this", "next", "day", "date", "article"):
        spellings = str(getattr(language, slot))
        yield from ((_spelt(spelling), GrammarWord(slot, 0)) for spelling in spellings.split("/") if spelling)
    yield from ((noise, GrammarWord(_NOISE, 0)) for noise in language.noise.split())


def _spelt(spelling: str) -> str:
    return without_accents(unicodedata.normalize("NFKC", spelling)).replace("_", " ")
