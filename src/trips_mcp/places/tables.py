"""Generated tables, read on first use, and the form of the names in them.

`scripts/places.py` defines the format and writes the tables. A file has a few columns, one after the
other: `# title`, then a value per line. Equal rows belong together.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Final

_FOLDER: Final = Path(__file__).with_name("data")
_ACCENTS: Final = re.compile("[\u0300-\u036f]")
_BETWEEN: Final = re.compile(r"[\s.,;:/|()\[\]\"'`\u2018\u2019\u02bb\u02bc\u00b4\u2010-\u2015_\u00b7\u30fb-]+")
_LETTERS: Final = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "æ": "ae", "\u0131": "i", "œ": "oe", "ð": "d", "þ": "th"}
)


@cache
def column(table: str, title: str) -> str:
    """The column as text, with a line break before each value and at the end."""
    return f"\n{_columns(table)[title].decode('utf-8')}\n"


def lowered(table: str, title: str) -> str:
    """As `column`, with ASCII letters in lower case."""
    return f"\n{_columns(table)[title].lower().decode('utf-8')}\n"


@cache
def values(table: str, title: str) -> Sequence[str]:
    return column(table, title)[1:-1].split("\n")


def rows_with(text: str, column: str) -> Iterator[int]:
    """Indexes of the rows that contain `text`. It may begin and end with a line break."""
    at = column.find(text)
    while at >= 0:
        yield column.count("\n", 0, at + 1) - 1
        at = column.find(text, at + max(len(text) - 1, 1))


def zone(table: str, row: int, country: str) -> str:
    """A row has a zone only if it differs from the country's usual one."""
    return values(table, "zones")[row] or _usual_zones(table)[country]


@cache
def _columns(table: str) -> Mapping[str, bytes]:
    """Only the columns that a question needs are decoded, which takes longer than reading the file."""
    data = (_FOLDER / f"{table}.txt").read_bytes()
    parts = (part.partition(b"\n") for part in data[2:-1].split(b"\n# "))
    return {title.decode("utf-8"): rest for title, _, rest in parts}


@cache
def _usual_zones(table: str) -> Mapping[str, str]:
    return dict(line.split(" ", 1) for line in values(table, "usual zones"))


def fold(name: str) -> str:
    """The form of names in the tables: `São Paulo` and `sao-paulo` are equal. Empty for punctuation only."""
    return _BETWEEN.sub(" ", without_accents(name)).strip(" ")


def without_accents(text: str) -> str:
    """Also lower-cases. Punctuation stays."""
    plain = text.casefold()
    if plain.isascii():
        return plain
    plain = _ACCENTS.sub("", unicodedata.normalize("NFKD", plain)).casefold().translate(_LETTERS)
    return unicodedata.normalize("NFC", plain)
