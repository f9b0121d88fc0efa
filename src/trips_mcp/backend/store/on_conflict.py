"""The one place where the two databases' SQL differs: INSERT … ON CONFLICT."""

from typing import TYPE_CHECKING

from sqlalchemy import Table
from sqlalchemy.dialects import sqlite

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql


def insert_into(dialect: str, table: Table) -> "sqlite.Insert | postgresql.Insert":
    if dialect == "postgresql":
        from sqlalchemy.dialects import postgresql  # 30 ms that SQLite's users need not wait for

        return postgresql.insert(table)
    return sqlite.insert(table)
