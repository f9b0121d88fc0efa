"""Known places in texts without spaces between words: Japanese, Chinese, Korean, Thai.

A name counts where a reader would see it: from the start of a run of one script to its end, or to a word that usually
follows a place (`駅`, `旅行`, `에서`). So `京都` is not in `東京都`, nor `リマ` in `キリマンジャロ`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Final

from trips_mcp.places.cities import cities_named
from trips_mcp.places.countries import country_named
from trips_mcp.places.names import fold
from trips_mcp.places.tables import column

_HAN: Final = "han"
_KATAKANA: Final = "katakana"
_HANGUL: Final = "hangul"
_SOUTHEAST: Final = "southeast"
"""Thai, Lao, Burmese and Khmer, which do not mark the end of a word."""
_RUNS: Final = re.compile(
    "(?P<han>[\u3005\u3400-\u9fff\uf900-\ufaff]+)|(?P<katakana>[\u30a1-\u30ff]+)|(?P<hangul>[\uac00-\ud7a3]+)"
    "|(?P<southeast>[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]+)"
)
_HIRAGANA: Final = re.compile("[\u3041-\u309f]+")
_NAMES: Final = re.compile(
    "(?<=[|\n])[\u3005\u3400-\u9fff\uf900-\ufaff\u30a1-\u30ff\uac00-\ud7a3\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]"
    "[^|\n]+"
)
"""A name of two or more letters, in a column of the tables."""
_SHORTEST: Final = 2
_SHORTEST_SOUTHEAST: Final = 5
_LONGEST: Final = 16
_MOST: Final = 200
"""Characters of a text that is searched."""
_PARTS_OF_A_NAME: Final = ("都", "府", "県", "縣", "市", "시")
"""Written after the name of a city; a query may leave them out."""
_FOLLOWING: Final = {
    _HAN: (
        *_PARTS_OF_A_NAME,
        *("駅", "站", "空港", "国際空港", "机场", "機場", "国际机场", "國際機場", "港", "城", "湾", "区", "區"),
        *("中央駅", "西駅", "東駅", "南駅", "北駅", "火车站", "旅行", "観光", "滞在", "出張", "旅游", "旅遊", "之旅"),
        *("到着", "出発", "経由", "行", "着", "発", "市内", "市街", "郊外", "周辺", "中心", "自由行", "行程"),
    ),
    _KATAKANA: (),
    _HANGUL: (
        *("시", "역", "공항", "여행", "관광", "출장", "호텔", "에서", "으로", "로", "까지", "부터", "의", "에"),
        *("를", "을", "과", "와", "행", "은", "는", "이", "가"),
    ),
    _SOUTHEAST: (),
}
_PARTICLES: Final = ("から", "まで", "での", "への", "の", "に", "へ", "で", "を", "と", "は", "が", "や")
_BETWEEN_WORDS: Final = re.compile(
    f"(?<=[\u3005\u30a1-\u30ff\u3400-\u9fff])(?:{'|'.join(_PARTICLES)})(?=[\u30a1-\u30ff\u3400-\u9fff])"
)
_NOT_PLACES: Final = ("ローマ字", "トルコ石", "インド人", "日本語", "中国語", "韓国語")


@dataclass(frozen=True, slots=True)
class Mention:
    name: str
    """Folded."""
    start: int
    """In the folded text."""
    end: int
    """After the name and a part such as `市`."""


@lru_cache(maxsize=4096)
def mentions(text: str) -> tuple[Mention, ...]:
    """The places that a text mentions, in order."""
    if text.isascii():
        return ()
    folded = fold(text)[:_MOST]
    found: list[Mention] = []
    for run in _RUNS.finditer(folded):
        if not found or run.start() >= found[-1].end:
            found += _in_run(folded, run)
    return tuple(found)


@lru_cache(maxsize=4096)
def spaced(text: str) -> str:
    """The folded text with spaces around the places, without particles next to them: `ウィーン ホテル`."""
    folded = fold(text)
    found = mentions(text)
    if not found:
        return folded
    between = [one.end for one in found]
    parts = [folded[: found[0].start]]
    for one, last, following in zip(found, between, [*(each.start for each in found[1:]), len(folded)], strict=True):
        parts += [one.name, _without_particle(folded[last:following])]
    return " ".join(" ".join(parts).split())


def parted(text: str) -> str:
    """The text with spaces in place of the particles between words: `清水寺 見学`."""
    return text if text.isascii() else _BETWEEN_WORDS.sub(" ", text)


def hides(text: str, word: str) -> bool:
    """Whether a text has the word only across the edge of a place, as `東京都` has `京都`."""
    if len(word) < _SHORTEST or not _RUNS.search(word):
        return False
    folded, found = fold(text)[:_MOST], mentions(text)
    places = [place.start() for place in re.finditer(f"(?={re.escape(word)})", folded)]
    return bool(places) and all(
        any(one.start < place < one.end and place + len(word) >= one.end for one in found) for place in places
    )


def _in_run(text: str, run: re.Match[str]) -> Iterator[Mention]:
    script = run.lastgroup or ""
    at, countries = run.start(), frozenset[str]()
    while at < run.end():
        name = _longest(text, at, script)
        where = _countries_of(name) if name else frozenset[str]()
        if name and (not countries or countries & where):
            end = at + len(name)
            end += next((len(part) for part in _PARTS_OF_A_NAME if text.startswith(part, end)), 0)
            yield Mention(name, at, end)
            at, countries = end, where
        elif script == _SOUTHEAST:
            at += 1
        else:
            return


def _longest(text: str, start: int, script: str) -> str | None:
    """The longest known name that starts here and ends where a name may."""
    if text.startswith(_NOT_PLACES, start):
        return None
    shortest = _SHORTEST_SOUTHEAST if script == _SOUTHEAST else _SHORTEST
    for end in range(min(len(text), start + _LONGEST), start + shortest - 1, -1):
        name = text[start:end]
        if name in _known() and _may_end(text, end):
            return name
    return None


def _may_end(text: str, end: int) -> bool:
    script = _script_of(text[end - 1])
    if end == len(text) or script is None or _script_of(text[end]) != script:
        return True
    return script == _SOUTHEAST or text.startswith(_FOLLOWING[script], end) or _goes_on(text, end)


def _goes_on(text: str, end: int) -> bool:
    """Whether another known name follows directly: `中国北京市`."""
    return any(text[end : end + length] in _known() for length in range(_SHORTEST, 5))


def _script_of(letter: str) -> str | None:
    found = _RUNS.match(letter)
    return found.lastgroup if found else None


def _without_particle(text: str) -> str:
    stripped = text.lstrip()
    start = _HIRAGANA.match(stripped)
    if start is None:
        return stripped
    return next((stripped[len(one) :] for one in _PARTICLES if stripped.startswith(one)), stripped)


def _countries_of(name: str) -> frozenset[str]:
    named = country_named(name)
    return frozenset([named.code]) if named else frozenset(city.country for city in cities_named(name))


@cache
def _known() -> frozenset[str]:
    """All names that begin in these scripts."""
    folded = (*_NAMES.findall(column("cities", "other names")), *_NAMES.findall(column("countries", "countries")))
    return frozenset((*folded, *map(fold, _NAMES.findall(column("cities", "local names")))))
