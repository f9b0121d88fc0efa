"""Restores a trip from a file of nightly_backup.py as a new trip; existing trips are not changed.

    uv run examples/restore_backup.py ~/trips-backup/jx7….json [--title "Kyoto again"]

Legs, pins and action items go in by sync_trip, then commitments, events, the status and what was ticked off. If it
breaks off, run it again: it goes on where it was. Members, and who an action item was for, are left to the travellers.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

from import_trip import Plan, checked, import_trip, read_plan, tell
from whole_trip import exit_code

from trips_mcp.client import TripsClient
from trips_mcp.connect import connect
from trips_mcp.contract.action_items import ActionItemItem, UpdateActionItem
from trips_mcp.contract.commitments import CreateCommitment
from trips_mcp.contract.events import CreateEvent
from trips_mcp.contract.legs import LegItem
from trips_mcp.contract.map_pins import MapPinItem
from trips_mcp.contract.models import Params
from trips_mcp.contract.trips import CreateTrip, Trip, UpdateTrip
from trips_mcp.settings import Settings

LISTS = {"legs": LegItem, "mapPins": MapPinItem, "actionItems": ActionItemItem}


def plan_of(saved: Plan, title: str | None) -> Plan:
    """The plan for import_trip.py. Items without clientRef get their old id as one."""
    trip = only(CreateTrip, saved["trip"])
    sync = {name: [only(item, row) | ref_of(row) for row in saved[name]] for name, item in LISTS.items()}
    for item in sync["actionItems"]:
        item.pop("owner", None)
    refs = {row["_id"]: ref_of(row)["clientRef"] for name in LISTS for row in saved[name]}
    return {
        "trip": {"title": title or f"{trip['title'][:180]} (restored)", **without(trip, "groupId", "title")},
        "sync": sync,
        "commitments": [
            without(only(CreateCommitment, row), "tripId", "legId", "mapPinId")
            | {"leg": refs.get(row.get("legId")), "mapPin": refs.get(row.get("mapPinId"))}
            for row in saved["commitments"]
        ],
        "events": [only(CreateEvent, row) for row in saved["events"]],
    }


def only(model: type[Params], row: dict[str, Any]) -> dict[str, Any]:
    """The fields that the model accepts."""
    names = {field.alias or name for name, field in model.model_fields.items()}
    return {name: value for name, value in row.items() if name in names}


def without(row: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in names}


def ref_of(row: dict[str, Any]) -> dict[str, str]:
    return {"clientRef": row.get("clientRef") or row["_id"]}


async def finish(client: TripsClient, trip: Trip, saved: Plan) -> None:
    """Updates after the import, as a new trip can have neither a status nor completed items."""
    status = saved["trip"].get("status", trip.status)
    if status != trip.status:
        await client.trips.update(checked(UpdateTrip, {"tripId": trip.id, "status": status}))
    ticked = {ref_of(row)["clientRef"] for row in saved["actionItems"] if row.get("completed")}
    async for item in client.iterate_action_items(trip.id):
        if item.client_ref in ticked and not item.completed:
            await client.action_items.update(UpdateActionItem(trip_id=trip.id, item_id=item.id, completed=True))


def main() -> int:
    parser = argparse.ArgumentParser(description="Bring a saved trip back, beside what is there now.")
    parser.add_argument("file", type=Path)
    parser.add_argument("--title", help="else the one it had, with (restored)")
    given = parser.parse_args()

    async def work(settings: Settings) -> int:
        saved = read_plan(given.file, "trip", *LISTS, "commitments", "events")
        async with connect(settings) as client:
            done = await import_trip(client, settings, plan_of(saved, given.title))
            await finish(client, done.trip, saved)
        return tell([f"{done.trip.title} ({done.trip.id})", *done.said], done.refused)

    return exit_code(work)


if __name__ == "__main__":
    sys.exit(main())
