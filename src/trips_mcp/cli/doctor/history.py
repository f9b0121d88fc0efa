"""The doctor's check of the history: its place, and how many changes it has."""

import sqlite3
from pathlib import Path
from typing import Final

from trips_mcp.cli.doctor.finding import Diagnosis
from trips_mcp.cli.doctor.state_file import Facts, StateFile
from trips_mcp.history.store import count


def _counted(db: sqlite3.Connection, _: Path, place: str, facts: Facts) -> Diagnosis:
    changes = count(db)
    facts["changes"] = changes
    return Diagnosis("history", "ok", f"{place}, {changes} change{'' if changes == 1 else 's'}", facts=facts)


HISTORY: Final = StateFile("history", "TRIPS_MCP_HISTORY", "Without it, no change can be undone", _counted)
