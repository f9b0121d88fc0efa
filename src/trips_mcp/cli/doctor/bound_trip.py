"""The doctor's check that the trip of `--trip` exists, in the database or API of that server."""

import sqlite3
from pathlib import Path
from typing import Final

import anyio
from sqlalchemy import select

from trips_mcp.backend.store import DatabaseError
from trips_mcp.backend.store.database import file_of, in_memory, locate, open_database
from trips_mcp.cli.doctor.apis import Obstacle, ask
from trips_mcp.cli.doctor.finding import Diagnosis
from trips_mcp.cli.doctor.storage import LeftOpenError, read_only
from trips_mcp.client.endpoint import Endpoint
from trips_mcp.client.errors import NotFoundError, TripsError
from trips_mcp.client.responses import read
from trips_mcp.contract.trips import GET_TRIP, GetTrip
from trips_mcp.settings import Settings

_TO_DO: Final = "Set --trip (TRIPS_MCP_TRIP) to an id that `trips-mcp call list_trips` shows without it."


async def bound_trip(settings: Settings, endpoint: Endpoint | None, seconds: float) -> Diagnosis | None:
    """`endpoint`: of the Trips API; None without a key. Returns None if the answer is unknown."""
    if settings.trip is None:
        return None
    try:
        with anyio.fail_after(seconds):
            if settings.one_store:
                exists = await _in_database(settings.database, settings.trip)
            else:
                exists = None if endpoint is None else await _in_api(endpoint, settings.trip)
    except (TimeoutError, DatabaseError, LeftOpenError, sqlite3.Error, OSError):
        return None  # the checks of the database and the API report the problem
    if exists is None:
        return None
    facts = {"tripId": settings.trip, "exists": exists}
    if exists:
        return Diagnosis("trip", "ok", f"the server is bound to the trip {settings.trip}, which exists", facts=facts)
    return Diagnosis("trip", "fail", f"there is no trip {settings.trip}, to which the server is bound", _TO_DO, facts)


async def _in_database(setting: str, trip: str) -> bool | None:
    url = locate(setting)
    if in_memory(url):
        return None
    file = file_of(url)
    return await _on_a_server(setting, trip) if file is None else _in_file(file, trip)


def _in_file(file: Path, trip: str) -> bool:
    """Does not create the file or its tables."""
    if not file.exists():
        return False
    with read_only(file) as db:
        tables = db.execute("SELECT 1 FROM sqlite_master WHERE name = 'trips'").fetchall()
        return bool(tables and db.execute("SELECT 1 FROM trips WHERE id = ?", (trip,)).fetchall())


async def _on_a_server(setting: str, trip: str) -> bool:
    from trips_mcp.backend.store.tables import trips

    async with open_database(setting) as database, database.reading() as db:
        return (await db.execute(select(trips.c.id).where(trips.c.id == trip))).one_or_none() is not None


async def _in_api(endpoint: Endpoint, trip: str) -> bool | None:
    asked = GetTrip(trip_id=trip)
    came = await ask(endpoint, GET_TRIP, asked, "OSOTO_BASE_URL")
    if isinstance(came, Obstacle):
        return None
    try:
        read(GET_TRIP, asked, came.answer, endpoint.key)
    except NotFoundError:
        return False
    except TripsError:
        return None
    return True
