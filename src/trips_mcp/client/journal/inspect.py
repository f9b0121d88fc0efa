"""How many notes a journal's file holds, told without touching it or taking anything up."""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from trips_mcp.client.journal.memory import KEPT
from trips_mcp.client.journal.store import is_new, lock_of


@dataclass(frozen=True, slots=True)
class Counted:
    unknown: int
    """Writes of which nobody knows the outcome, so that an identical call would finish them."""
    under_way: int
    """Writes of processes that live, or that ended without a word: to know for sure would be to take their lock."""


def count(db: sqlite3.Connection, file: Path, clock: Callable[[], float]) -> Counted:
    """Raises: sqlite3.Error, where it holds anything but notes too."""
    if is_new(db):
        return Counted(0, 0)
    rows: list[tuple[str, str]] = db.execute(
        "SELECT state, owner FROM writes WHERE abs(? - created_at) < ?", (clock(), KEPT)
    ).fetchall()
    unknown = sum(state == "unknown" or not lock_of(file, owner).exists() for state, owner in rows)
    return Counted(unknown, len(rows) - unknown)
