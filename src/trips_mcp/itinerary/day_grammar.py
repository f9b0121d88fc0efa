"""Parser of day expressions, with the words for days in eight languages.

Finds every way in which the words of a text make a known form.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import Final

from trips_mcp.places.tables import without_accents


@dataclass(frozen=True, slots=True)
class Language:
    """Words of a language, in lower case and without accents. `/` separates the spellings of one value.

    Japanese needs no spaces around its words.
    """

    weekdays: str
    """From Monday. Spaces separate the values of this and all other lists."""
    months: str
    """From January."""
    relative: str
    """Yesterday, today, tonight, tomorrow; `_` is a space within a value."""
    numbers: str
    """From one."""
    ordinals: str
    """From first."""
    last: str
    this: str
    next: str
    day: str
    """Before a number: the day of a trip."""
    date: str = ""
    """Before a number: the day of a trip, or of a month; `dia 19` may be either."""
    article: str = ""
    """Before a number: the day of a month."""
    noise: str = ""


LANGUAGES: Final = {
    "English": Language(
        weekdays="monday/mon tuesday/tue/tues wednesday/wed/weds thursday/thu/thur/thurs friday/fri saturday/sat "
        "sunday/sun",
        months="january/jan february/feb march/mar april/apr may june/jun july/jul august/aug september/sep/sept "
        "october/oct november/nov december/dec",
        relative="yesterday today tonight/this_evening tomorrow",
        numbers="one two three four five six seven eight nine ten eleven twelve",
        ordinals="first second third fourth fifth sixth seventh eighth ninth tenth",
        last="last/final",
        this="this/coming/this_coming",
        next="next",
        day="day",
        article="the/on_the",
        noise="on of the",
    ),
    "German": Language(
        weekdays="montag/mo dienstag/di mittwoch/mi donnerstag/do freitag/fr samstag/sonnabend/sa sonntag/so",
        months="januar/janner/jan februar/feb marz/maerz/mar april/apr mai juni/jun "
        "juli/jul august/aug september/sep/sept "
        "oktober/okt november/nov dezember/dez",
        relative="gestern heute heute_abend/heute_nacht morgen",
        numbers="eins zwei drei vier funf/fuenf sechs sieben acht neun zehn elf zwolf/zwoelf",
        ordinals="erste/erster/ersten/erstes zweite/zweiter/zweiten/zweites "
        "dritte/dritter/dritten vierte/vierter/vierten "
        "funfte/funfter/funften/fuenfte sechste/sechster/sechsten siebte/siebter/siebten",
        last="letzte/letzter/letzten/letztes",
        this="diese/dieser/diesen/dieses/kommenden",
        next="nachste/nachster/nachsten/naechste/naechster/naechsten",
        day="tag",
        article="der/den/am/dem/an_dem",
        noise="am der den dem im",
    ),
    "French": Language(
        weekdays="lundi/lun mardi/mar mercredi/mer jeudi/jeu vendredi/ven samedi/sam dimanche/dim",
        months="janvier/janv fevrier/fevr/fev mars avril/avr mai juin juillet/juil aout septembre/sept octobre/oct "
        "novembre/nov decembre/dec",
        relative="hier aujourd'hui/aujourd_hui/aujourdhui ce_soir/cette_nuit demain",
        numbers="un deux trois quatre cinq six sept huit neuf dix onze douze",
        ordinals="premier/premiere/1er/1ere deuxieme/second/seconde/2e/2eme troisieme/3e/3eme quatrieme/4e/4eme "
        "cinquieme/5e/5eme sixieme/6e/6eme septieme/7e/7eme",
        last="dernier/derniere",
        this="ce/cet/cette",
        next="prochain/prochaine",
        day="jour",
        article="le/du",
        noise="le la du de",
    ),
    "Spanish": Language(
        weekdays="lunes/lun martes/mar miercoles/mie jueves/jue viernes/vie sabado/sab domingo/dom",
        months="enero/ene febrero/feb marzo/mar abril/abr mayo/may junio/jun "
        "julio/jul agosto/ago septiembre/setiembre/sep "
        "octubre/oct noviembre/nov diciembre/dic",
        relative="ayer hoy esta_noche manana",
        numbers="uno dos tres cuatro cinco seis siete ocho nueve diez once doce",
        ordinals="primer/primero/primera segundo/segunda tercer/tercero/tercera cuarto/cuarta quinto/quinta "
        "sexto/sexta",
        last="ultimo/ultima",
        this="este/esta",
        next="proximo/proxima",
        day="jornada",
        date="dia",
        article="el",
        noise="el la de del",
    ),
    "Italian": Language(
        weekdays="lunedi/lun martedi/mar mercoledi/mer giovedi/gio venerdi/ven sabato/sab domenica/dom",
        months="gennaio/gen febbraio/feb marzo/mar aprile/apr maggio/mag giugno/giu "
        "luglio/lug agosto/ago settembre/set "
        "ottobre/ott novembre/nov dicembre/dic",
        relative="ieri oggi stasera/stanotte/questa_sera domani",
        numbers="uno due tre quattro cinque sei sette otto nove dieci undici dodici",
        ordinals="primo/prima secondo/seconda terzo/terza quarto/quarta quinto/quinta sesto/sesta settimo/settima",
        last="ultimo/ultima",
        this="questo/questa",
        next="prossimo/prossima",
        day="giornata",
        date="giorno",
        article="il/l'/lo",
        noise="il la l' di del",
    ),
    "Portuguese": Language(
        weekdays="segunda/segunda-feira/segunda_feira/seg "
        "terca/terca-feira/terca_feira/ter quarta/quarta-feira/quarta_feira/qua "
        "quinta/quinta-feira/quinta_feira/qui sexta/sexta-feira/sexta_feira/sex sabado/sab domingo/dom",
        months="janeiro/jan fevereiro/fev marco/mar abril/abr maio/mai junho/jun julho/jul agosto/ago setembro/set "
        "outubro/out novembro/nov dezembro/dez",
        relative="ontem hoje esta_noite/hoje_a_noite amanha",
        numbers="um dois tres quatro cinco seis sete oito nove dez onze doze",
        ordinals="primeiro/primeira segundo/segunda terceiro/terceira quarto/quarta quinto/quinta sexto/sexta",
        last="ultimo/ultima",
        this="este/esta/neste/nesta",
        next="proximo/proxima",
        day="jornada",
        date="dia",
        article="no_dia",
        noise="o a de do da no na em",
    ),
    "Dutch": Language(
        weekdays="maandag/ma dinsdag/di woensdag/wo donderdag/do vrijdag/vr zaterdag/za zondag/zo",
        months="januari/jan februari/feb maart/mrt april/apr mei juni/jun juli/jul augustus/aug september/sep/sept "
        "oktober/okt november/nov december/dec",
        relative="gisteren vandaag vanavond/vannacht morgen",
        numbers="een twee drie vier vijf zes zeven acht negen tien elf twaalf",
        ordinals="eerste tweede derde vierde vijfde zesde zevende",
        last="laatste",
        this="deze/komende",
        next="volgende",
        day="dag",
        article="de/op_de",
        noise="op de van",
    ),
    "Japanese": Language(
        weekdays="月曜日/月曜 火曜日/火曜 水曜日/水曜 木曜日/木曜 金曜日/金曜 土曜日/土曜 日曜日/日曜",
        months="1月/一月 2月/二月 3月/三月 4月/四月 5月/五月 6月/六月 7月/七月 8月/八月 "
        "9月/九月 10月/十月 11月/十一月 12月/十二月",
        relative="昨日 今日/本日 今夜/今晩 明日",
        numbers="一 二 三 四 五 六 七 八 九 十",
        ordinals="最初/初/第一/第1/1番目/一番目 第二/第2/2番目/二番目 第三/第3/3番目/三番目 "
        "第四/第4/4番目 第五/第5/5番目",
        last="最後/最終",
        this="今週/今度",
        next="来週",
        day="日目",
        date="日",
        noise="の に は",
    ),
}

_Slots = tuple[str, ...]

_FORMS: Final[dict[_Slots, str]] = {
    ("relative",): "relative",
    ("day", "number"): "numbered",
    ("day", "ordinal"): "numbered",
    ("number", "day"): "numbered",
    ("monthday", "day"): "numbered",
    ("monthday", "date"): "numbered",
    ("ordinal", "day"): "numbered",
    ("ordinal", "date"): "numbered",
    ("date", "number"): "numbered or dated",
    ("last", "day"): "last day",
    ("last", "date"): "last day",
    ("weekday",): "weekday",
    ("ordinal", "weekday"): "nth weekday",
    ("weekday", "ordinal"): "nth weekday",
    ("monthday", "weekday"): "nth weekday",
    ("last", "weekday"): "last weekday",
    ("this", "weekday"): "this weekday",
    ("next", "weekday"): "next weekday",
    ("weekday", "next"): "next weekday",
    ("monthday",): "day of a month",
    ("article", "number"): "day of a month",
    ("article", "ordinal"): "day of a month",
    ("iso",): "date",
    ("pair",): "pair",
    ("monthday", "month"): "date",
    ("monthday", "month", "year"): "date",
    ("number", "month"): "date",
    ("number", "month", "year"): "date",
    ("ordinal", "month"): "date",
    ("ordinal", "month", "year"): "date",
    ("date", "number", "month"): "date",
    ("date", "number", "month", "year"): "date",
    ("month", "monthday"): "date",
    ("month", "number"): "date",
    ("month", "ordinal"): "date",
    ("month", "monthday", "year"): "date",
    ("month", "number", "year"): "date",
    ("year", "month", "monthday"): "date",
}
"""Valid texts, given as the slots of their words, each with its rule. A leading weekday is checked against the day."""

UNDERSTOOD: Final = (
    "a date (2026-07-21, 21 July, 21.7., 7/21, the 21st), a weekday (Friday, first Friday, this Friday), "
    "today, tomorrow, yesterday or tonight, or day 3, the first or the last day of the trip; "
    "in English, German, French, Spanish, Italian, Portuguese, Dutch or Japanese"
)


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
    rule = _FORMS.get(tuple(word.slot for word in words))
    if rule:
        yield Reading(rule, {word.slot: word.value for word in words})
    if len(words) > 1 and words[0].slot == "weekday":
        rest = words[1:]
        rule = _FORMS.get(tuple(word.slot for word in rest)) or ("day of a month" if _is_number(rest) else None)
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
