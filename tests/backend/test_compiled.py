"""Statements as SQL for the driver: many lengths of lists, and no text whose columns are unknown."""

import sqlite3
from contextlib import closing

import pytest
from sqlalchemy import Column, Integer, MetaData, String, Table, bindparam, select, text
from sqlalchemy.dialects import sqlite

from trips_mcp.backend.store.connection import CompiledStatement, CompiledStatements

MOST = 64
ROWS = Table("rows", MetaData(), Column("id", Integer, primary_key=True), Column("name", String))
NAMED = select(ROWS.c.name).where(ROWS.c.id.in_(bindparam("ids", expanding=True))).order_by(ROWS.c.id)


def test_every_length_of_a_list_finds_its_rows_also_past_the_variants_that_are_kept() -> None:
    statements = CompiledStatements(sqlite.dialect())
    with closing(sqlite3.connect(":memory:")) as db:
        db.execute("CREATE TABLE rows (id INTEGER PRIMARY KEY, name TEXT)")
        db.executemany("INSERT INTO rows VALUES (?, ?)", [(n, f"row {n}") for n in range(100)])
        for length in [*range(2 * MOST), 1, 0, MOST, MOST + 1]:
            parameters = {"ids": list(range(length))}
            compiled = statements.of(NAMED, parameters)
            found = db.execute(compiled.sql, compiled.arguments(parameters)).fetchall()

            names = compiled.rows(found, len(found)).scalars()
            assert names == [f"row {n}" for n in range(min(length, 100))]


def test_no_more_than_so_many_variants_of_a_statement_are_kept() -> None:
    statements = CompiledStatements(sqlite.dialect())
    first = statements.of(NAMED, {"ids": [0]})
    for length in range(2, MOST + 1):
        statements.of(NAMED, {"ids": [0] * length})
    assert statements.of(NAMED, {"ids": [7]}) is first

    statements.of(NAMED, {"ids": [0] * (MOST + 1)})

    assert statements.of(NAMED, {"ids": [7]}) is not first


def test_text_is_refused_as_it_does_not_name_its_columns() -> None:
    with pytest.raises(AssertionError):
        CompiledStatement(text("SELECT 1"), sqlite.dialect(), {})
