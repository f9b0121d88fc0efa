"""All names of a place that a text mentions, so that a search for Vienne finds Wien.

In texts without spaces between words (Japanese, Chinese, Korean, Thai) a name counts where a reader would see it:
from the start of a run of one script to its end, or to a word that usually follows a place (`駅`, `旅行`, `에서`).
So `京都` is not in `東京都`, nor `リマ` in `キリマンジャロ`.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Final

from trips_mcp.places.airports import airport, metropolitan_of
from trips_mcp.places.cities import City, cities_named, country, country_named, find_cities
from trips_mcp.places.stops import Stop
from trips_mcp.places.tables import column, fold

_SHORTEST: Final = 2
"""Minimum characters of a name."""
_LONGEST: Final = 200
_BETWEEN: Final = re.compile("[,;/|()\\n\\uff0c\\u3001\\u00b7\\u2192]| [-\\u2013\\u2014&+] | and | und | et | y | e ")
_POSTCODE: Final = re.compile(r"\b[A-Z]{0,2}-?\d[\w-]*\b")
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
_SHORTEST_SOUTHEAST: Final = 5
_LONGEST_NAME: Final = 16
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


@lru_cache(maxsize=4096)
def names_in(text: str, zone: str | None = None) -> frozenset[str]:
    """Folded names of the cities and countries in a destination or an address.

    `zone` selects among namesakes. If several remain, only the country that they share counts.
    """
    if len(text) > _LONGEST:
        return frozenset()
    whole = _names_of(text, zone)
    return whole or frozenset(name for part in _BETWEEN.split(text) for name in _names_within(part, zone))


@lru_cache(maxsize=4096)
def countries_in(text: str, zone: str | None = None) -> tuple[str, ...]:
    """English names of the countries that a destination or an address names, or lies in."""
    if len(text) > _LONGEST:
        return ()
    parts = (text, *_BETWEEN.split(text))
    named = (name for part in parts for name in (part, *(one.name for one in mentions(part))))
    found = (one for name in named if (one := country(_country_of(name, zone))))
    return tuple(dict.fromkeys(one.name for one in found))


@lru_cache(maxsize=4096)
def names_of_stop(stop: Stop) -> frozenset[str]:
    """Folded names of its airport, its city, other cities it serves (`New York` for EWR), and its country."""
    one = airport(stop.code) if stop.code else None
    found = {*_of_country(stop.country), fold(stop.name)}
    cities = {stop.name} if one is None else {one.city, *(each.name for each in metropolitan_of(one.code))}
    for name in cities - {""}:
        near = find_cities(name, country=stop.country, near=stop.position)[:1]
        found |= {fold(name), fold(stop.name).removeprefix(fold(name)).strip(), *_of_cities(near)}
    return frozenset(name for name in found if len(name) >= _SHORTEST)


def _names_within(part: str, zone: str | None) -> frozenset[str]:
    """Names of the whole part, else of the places in it that no space separates."""
    whole = _names_of(part, zone)
    return whole or frozenset(name for one in mentions(part) for name in _names_of(one.name, zone))


def _names_of(text: str, zone: str | None) -> frozenset[str]:
    plain = _without_postcode(text)
    cities = _cities_of(plain, zone)
    found = {*_of_cities(cities if len(cities) == 1 else ()), *_of_country(_country_of(text, zone))}
    return frozenset(name for name in found if len(name) >= _SHORTEST)


def _country_of(text: str, zone: str | None) -> str:
    """Code of the country that the text names, or that all its namesakes share; else empty."""
    plain = _without_postcode(text)
    named = country_named(plain)
    if named is not None:
        return named.code
    countries = {city.country for city in _cities_of(plain, zone)}
    return countries.pop() if len(countries) == 1 else ""


def _cities_of(plain: str, zone: str | None) -> tuple[City, ...]:
    """None for a country. Of several namesakes, those in the zone."""
    if not plain or country_named(plain):
        return ()
    cities = find_cities(plain)
    return cities if len(cities) < 2 else tuple(city for city in cities if city.zone == zone)


def _without_postcode(text: str) -> str:
    return " ".join(_POSTCODE.sub(" ", text).split())


def _of_cities(cities: Iterable[City]) -> set[str]:
    return {name for city in cities for name in city.names}


@cache
def _of_country(code: str) -> frozenset[str]:
    found = country(code)
    return found.names if found else frozenset()


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
    for end in range(min(len(text), start + _LONGEST_NAME), start + shortest - 1, -1):
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
