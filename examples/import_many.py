"""Five hundred pins in one call, then again: nothing is duplicated.

uv run examples/import_many.py TRIP_ID
"""

import argparse
import os
import sys

from whole_trip import exit_code

from trips_mcp.client import TripsClient
from trips_mcp.connect import connect
from trips_mcp.contract.map_pins import UPSERT_MAP_PINS, MapPinItem, UpsertMapPins
from trips_mcp.settings import Settings


async def show(progress: float, total: float | None, message: str | None) -> None:
    sys.stderr.write(f"{message}\n")


async def import_pins(client: TripsClient, trip_id: str) -> None:
    items = [MapPinItem(name=f"Shrine {number}", lat=35 + number / 1000, lng=135.7) for number in range(500)]
    outcome = await client.outcome(UPSERT_MAP_PINS, UpsertMapPins(trip_id=trip_id, items=items), show)
    report = outcome.result
    print(f"{report.created} created, {report.unchanged} unchanged, {report.errors} not done")
    for note in outcome.notes:
        print(note)
    for result in report.results:
        if result.error is not None:
            print(f"item {result.index}: {result.status}, {result.error.message}")


async def main(trip_id: str) -> None:
    async with connect(Settings.from_env(os.environ)) as client:
        await import_pins(client, trip_id)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Put five hundred pins on a trip, in one call.")
    parser.add_argument("trip_id", help="the id of a trip, as page_through.py shows it")
    given = parser.parse_args()
    sys.exit(exit_code(lambda _: main(given.trip_id)))
