"""INSERT … ON CONFLICT, the only SQL that differs between the two databases."""

from typing import TYPE_CHECKING

from sqlalchemy import Table
from sqlalchemy.dialects import sqlite

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql


def insert_into(dialect: str, table: Table) -> "sqlite.Insert | postgresql.Insert":
    if dialect == "postgresql":
        from sqlalchemy.dialects import postgresql  # 30 ms that users of SQLite do not need

        return postgresql.insert(table)
    return sqlite.insert(table)
