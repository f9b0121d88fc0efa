"""Normalisation of names: no accents, case or punctuation."""

import re
import unicodedata
from typing import Final

_ACCENTS: Final = re.compile("[\u0300-\u036f]")
_BETWEEN: Final = re.compile(r"[\s.,;:/|()\[\]\"'`\u2018\u2019\u02bb\u02bc\u00b4\u2010-\u2015_\u00b7\u30fb-]+")
_LETTERS: Final = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "æ": "ae", "\u0131": "i", "œ": "oe", "ð": "d", "þ": "th"}
)


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
