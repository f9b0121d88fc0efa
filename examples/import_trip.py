"""Import a trip from a JSON file with the client library, as often as you like: nothing is written twice.

    python examples/import_trip.py examples/kyoto.json [--dry-run]

Goes where the settings point: the services of OSOTO_API_KEY, or the embedded backend on this computer.
"""

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

import anyio

from trips_mcp.client import TripsClient, TripsError
from trips_mcp.connect import connect
from trips_mcp.contract.batches import BatchReport
from trips_mcp.contract.me import GET_ME, GetMe
from trips_mcp.contract.sync import SYNC_TRIP, SyncReport, SyncTrip
from trips_mcp.contract.trips import CREATE_TRIP, LIST_TRIPS, CreateTrip, ListTrips, Trip
from trips_mcp.settings import Settings


async def import_trip(plan: dict[str, Any], *, dry_run: bool) -> SyncReport:
    async with connect(Settings.from_env(os.environ)) as client:
        trip = await find_or_create(client, plan["trip"])
        wanted = {"tripId": trip.id, "dryRun": dry_run, **plan["sync"]}
        return await client.call(SYNC_TRIP, SyncTrip.model_validate(wanted, by_name=False))


async def find_or_create(client: TripsClient, wanted: dict[str, Any]) -> Trip:
    """The trip of this title; trips have no clientRef, so a title is what a second run knows it by."""
    trips = await client.call(LIST_TRIPS, ListTrips())
    for trip in trips.items:
        if trip.title == wanted["title"]:
            return trip
    me = await client.call(GET_ME, GetMe())
    fields = {"groupId": me.default_group_id, **wanted}
    return await client.call(CREATE_TRIP, CreateTrip.model_validate(fields, by_name=False))


def describe(what: str, report: BatchReport | None) -> str:
    if report is None:
        return f"{what}: none"
    counts = f"{report.created} created, {report.updated} updated, {report.unchanged} unchanged"
    return f"{what}: {counts}, {report.errors} refused"


def main() -> int:
    parser = argparse.ArgumentParser(description="Import a trip from a JSON file.")
    parser.add_argument("file", type=Path)
    parser.add_argument("--dry-run", action="store_true", help="show what would change in the trip's parts")
    arguments = parser.parse_args()
    plan = json.loads(arguments.file.read_text(encoding="utf-8"))
    try:
        report = anyio.run(lambda: import_trip(plan, dry_run=arguments.dry_run))
    except (TripsError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    print(describe("legs", report.legs))
    print(describe("pins", report.map_pins))
    print(describe("action items", report.action_items))
    return 0


if __name__ == "__main__":
    sys.exit(main())
