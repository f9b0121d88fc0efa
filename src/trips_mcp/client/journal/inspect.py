"""The count of the notes in a journal's file, made without changing the file."""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from trips_mcp.client.journal.memory import KEPT
from trips_mcp.client.journal.store import is_new, lock_of


@dataclass(frozen=True, slots=True)
class Counted:
    unknown: int
    """Writes with unknown outcome, which an identical call would complete."""
    under_way: int
    """Writes of running processes, or of killed ones, as only taking their lock could tell."""


def count(db: sqlite3.Connection, file: Path, clock: Callable[[], float]) -> Counted:
    """Raises: sqlite3.Error, also if the file is not a journal."""
    if is_new(db):
        return Counted(0, 0)
    rows: list[tuple[str, str]] = db.execute(
        "SELECT state, owner FROM writes WHERE abs(? - created_at) < ?", (clock(), KEPT)
    ).fetchall()
    unknown = sum(state == "unknown" or not lock_of(file, owner).exists() for state, owner in rows)
    return Counted(unknown, len(rows) - unknown)
