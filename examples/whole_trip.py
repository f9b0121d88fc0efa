"""A whole trip: its export, and its events if the Events API has the trip.

    uv run examples/whole_trip.py "Kyoto in cherry blossom"

Prints what there is of it. The other scripts read trips with it.
"""

import argparse
import os
import sys
from collections.abc import Awaitable, Callable

import anyio

from trips_mcp.client import TripsClient, TripsError
from trips_mcp.connect import connect
from trips_mcp.contract.events import Event
from trips_mcp.contract.trips import Trip, TripExport
from trips_mcp.settings import Settings


async def find_trip(client: TripsClient, wanted: str) -> Trip | None:
    """The trip with this id or title. Raises: ValueError if several have that title."""
    found = [trip async for trip in client.iterate_trips() if wanted in (trip.id, trip.title)]
    if len(found) > 1:
        raise ValueError(
            f"{len(found)} trips have that title; name one by its id: {', '.join(one.id for one in found)}"
        )
    return found[0] if found else None


def number_of(settings: Settings, trip: Trip) -> int | None:
    """The trip's number in the Events API; None if it does not have the trip."""
    if "events" not in settings.apis:
        return None
    return trip.number if settings.one_store else settings.event_trips.get(trip.id)


async def read_whole(client: TripsClient, settings: Settings, trip: Trip) -> tuple[TripExport, list[Event]]:
    export = await client.trips.export(trip.id)
    number = number_of(settings, trip)
    return export, [] if number is None else (await client.events.list(number)).events


async def open_trip(settings: Settings, wanted: str) -> tuple[TripExport, list[Event]]:
    """Raises: TripsError; ValueError if there is no such trip."""
    async with connect(settings) as client:
        trip = await find_trip(client, wanted)
        if trip is None:
            raise ValueError("There is no trip of that title or id; examples/page_through.py shows those there are.")
        return await read_whole(client, settings, trip)


def exit_code(work: Callable[[Settings], Awaitable[int | None]]) -> int:
    """Runs `work` with the settings of the environment and prints an error as one sentence. Returns the exit code."""
    try:
        code = anyio.run(work, Settings.from_env(os.environ)) or 0
        if sys.stdout is not None:
            sys.stdout.flush()
        return code
    except OSError as error:
        said = f"{error.filename or 'standard output'}: {error.strerror}."
    except (TripsError, ValueError) as error:
        said = str(error)
    sys.stderr.write(f"{said}\n")
    return 1


def main() -> int:
    parser = argparse.ArgumentParser(description="Say what there is of a trip.")
    parser.add_argument("trip", help="its title or id")
    wanted: str = parser.parse_args().trip

    async def overview(settings: Settings) -> int:
        export, events = await open_trip(settings, wanted)
        print(f"{len(export.legs)} legs, {len(export.map_pins)} pins, {len(export.action_items)} action items")
        print(f"{len(export.commitments)} commitments, {len(events)} events")
        return 0

    return exit_code(overview)


if __name__ == "__main__":
    sys.exit(main())
