"""The doctor's check of the journal: its place, and the writes with an unknown outcome."""

import sqlite3
import time
from pathlib import Path
from typing import Final

from trips_mcp.cli.doctor.finding import Diagnosis
from trips_mcp.cli.doctor.state_file import Facts, StateFile
from trips_mcp.client.journal.store import count


def _counted(db: sqlite3.Connection, file: Path, place: str, facts: Facts) -> Diagnosis:
    counted = count(db, file, time.time)
    facts |= {"unknownOutcomes": counted.unknown, "underWay": counted.under_way}
    under_way = f", {counted.under_way} under way" if counted.under_way else ""
    if not counted.unknown:
        return Diagnosis("journal", "ok", f"{place}, no write of unknown outcome{under_way}", facts=facts)
    writes = "1 write" if counted.unknown == 1 else f"{counted.unknown} writes"
    return Diagnosis(
        "journal",
        "warn",
        f"{place}, {writes} of unknown outcome{under_way}",
        "Check whether the change is there, or make the same call again: it is not applied twice.",
        facts,
    )


JOURNAL: Final = StateFile(
    "journal",
    "TRIPS_MCP_JOURNAL",
    "Without it, the outcome of unfinished writes is lost when a server ends",
    _counted,
)
