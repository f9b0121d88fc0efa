"""Words for days in eight languages. This is data only; `day_grammar` parses it.

Lower case, without accents. `/` separates spellings of one value. Japanese needs no spaces around its words.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Language:
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

Slots = tuple[str, ...]

FORMS: Final[dict[Slots, str]] = {
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
