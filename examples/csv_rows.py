"""Rows of a spreadsheet that was saved as CSV, by any program. import_stops.py reads its stops with it."""

import csv
from collections.abc import Collection, Iterator
from pathlib import Path


def rows_of(
    file: Path, needed: Collection[str] = (), known: Collection[str] = ()
) -> Iterator[tuple[int, dict[str, str]]]:
    """Each row that is not empty, as fields named by the first line, with the number of its own first line.

    Raises: ValueError.
    """
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines(keepends=True) or [""]
    except UnicodeDecodeError:
        raise ValueError(f"{file} is not in UTF-8: save it as “CSV UTF-8”.") from None
    reader = csv.reader(lines, delimiter=";" if lines[0].count(";") > lines[0].count(",") else ",")
    names = [name.strip().lower() for name in next(reader, list[str]())]
    if lacking := [name for name in needed if name not in names]:
        raise ValueError(f"The first line of {file} must name the columns; it lacks {', '.join(lacking)}.")
    if known and (unknown := [name for name in names if name and name not in known]):
        raise ValueError(f"{file} has columns that mean nothing here: {', '.join(unknown)}.")
    line = reader.line_num + 1
    for cells in reader:
        if row := {name: cell.strip() for name, cell in zip(names, cells, strict=False) if name and cell.strip()}:
            yield line, row
        line = reader.line_num + 1  # a cell may hold line breaks


if __name__ == "__main__":
    print(__doc__)
