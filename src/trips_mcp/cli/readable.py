"""Readable output of structured results: names and values, lists as tables that fit the terminal."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final
from unicodedata import combining, east_asian_width

from trips_mcp.cli.output import Colour, Painted
from trips_mcp.json_values import is_object

_WIDEST_CELL: Final = 36
_GAP: Final = "  "
_INDENT: Final = "  "

Line = tuple[str, ...]
"""The parts of a line; some are painted."""
Row = dict[str, str]


def readable(result: Mapping[str, Any], width: int) -> Iterator[Line]:
    if set(result) == {"items"}:
        yield from _table(result["items"], width)
    else:
        yield from _block(result, width, "")


def _block(block: Mapping[str, Any], width: int, indent: str) -> Iterator[Line]:
    for name, value in block.items():
        if _is_rows(value):
            yield indent, Painted(f"{name} ({len(value)})", Colour.BOLD)
            for line in _table(value, width - len(indent) - len(_INDENT)):
                yield indent + _INDENT, *line
        elif is_object(value):
            yield indent, Painted(name, Colour.BOLD)
            yield from _block(value, width, indent + _INDENT)
        else:
            first, *more = _text(value).splitlines() or [""]
            yield indent, Painted(f"{name}: ", Colour.DIM), first
            for line in more:
                yield indent + _INDENT, line


def _is_rows(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(map(is_object, value))  # pyright: ignore[reportUnknownArgumentType]


def _table(items: Sequence[Mapping[str, Any]], width: int) -> Iterator[Line]:
    if not items:
        yield (Painted("none", Colour.DIM),)
        return
    rows = [_flat(item) for item in items]
    columns = list(dict.fromkeys(name for row in rows for name in row))
    widths = {name: max(_width(name), *(_width(row.get(name, "")) for row in rows)) for name in columns}
    shown = _fitting(columns, widths, width)
    yield (Painted(_joined(shown, widths, {name: name for name in shown}), Colour.DIM),)
    for row in rows:
        yield (_joined(shown, widths, row),)
    if left := [name for name in columns if name not in shown]:
        yield (Painted(f"not shown: {', '.join(left)} (--json has all)", Colour.DIM),)


def _fitting(columns: list[str], widths: Mapping[str, int], width: int) -> list[str]:
    """The columns that still fit, in order; always the first."""
    shown: list[str] = []
    left = width
    for name in columns:
        if not shown or widths[name] <= left:
            shown.append(name)
            left -= widths[name] + len(_GAP)
    return shown


def _joined(columns: Sequence[str], widths: Mapping[str, int], row: Mapping[str, str]) -> str:
    cells = (row.get(name, "") for name in columns)
    padded = (cell + " " * (widths[name] - _width(cell)) for name, cell in zip(columns, cells, strict=True))
    return _GAP.join(padded).rstrip()


def _flat(item: Mapping[str, Any], prefix: str = "") -> Row:
    row: Row = {}
    for name, value in item.items():
        if is_object(value):
            row |= _flat(value, f"{prefix}{name}.")
        else:
            row[f"{prefix}{name}"] = _cell(value)
    return row


def _cell(value: object) -> str:
    text = str(len(value)) if _is_rows(value) and isinstance(value, list) else _text(value)  # pyright: ignore[reportUnknownArgumentType]
    line = " ".join(text.split())
    if _width(line) <= _WIDEST_CELL:
        return line
    while _width(line) >= _WIDEST_CELL:
        line = line[:-1]
    return f"{line.rstrip()}…"


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(_text, value))  # pyright: ignore[reportUnknownArgumentType]
    return f"{value:g}" if isinstance(value, float) else str(value)


def _width(text: str) -> int:
    """Width in terminal columns: Kyoto in Japanese takes four."""
    return sum(0 if combining(one) else 2 if east_asian_width(one) in "WF" else 1 for one in text)
