"""Generated tables, read on first use. `scripts/places.py` defines their format and writes them.

A file has a few columns, one after the other: `# title`, then a value per line. Equal rows belong together.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Final

_FOLDER: Final = Path(__file__).with_name("data")


def column(table: str, title: str) -> str:
    """The column as text, with a line break before each value and at the end."""
    return _columns(table)[title]


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
def hundredths(table: str, title: str) -> Sequence[int]:
    """A column of hundredths of a degree."""
    return list(map(int, values(table, title)))


@cache
def _columns(table: str) -> Mapping[str, str]:
    # read_text() scans for line breaks, which takes longer than everything else
    text = (_FOLDER / f"{table}.txt").read_bytes().decode("utf-8").replace("\r\n", "\n")
    parts = (part.partition("\n") for part in f"\n{text}"[3:-1].split("\n# "))
    return {title: f"\n{rest}\n" for title, _, rest in parts}


@cache
def _usual_zones(table: str) -> Mapping[str, str]:
    return dict(line.split(" ", 1) for line in values(table, "usual zones"))
