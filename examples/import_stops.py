"""Imports the stops of a trip from a spreadsheet, saved as CSV. Run it again after a change; only that changes.

    uv run examples/import_stops.py examples/stops.csv "Portugal and Galicia" [--dry-run]

A row is a leg, known again by its place; of a place that comes twice, by which visit it is. A stop with a latitude and
longitude gets a pin. Nothing is written while any row is wrong. What is taken out of the sheet stays in the trip.
"""

import argparse
import sys
from collections import Counter
from pathlib import Path

from csv_rows import rows_of
from import_trip import Plan, find_or_create, import_trip, tell
from pydantic import ValidationError
from whole_trip import exit_code, find_trip

from trips_mcp.client import TripsClient
from trips_mcp.connect import connect
from trips_mcp.contract.errors import faults
from trips_mcp.contract.legs import LegItem
from trips_mcp.contract.map_pins import MapPinItem
from trips_mcp.contract.trips import UpdateTrip
from trips_mcp.settings import Settings

LEG = {"title": "place", "destination": "place", "startDate": "arrive", "endDate": "leave", "timezone": "timezone"}
WHERE = {"name": "hotel", "address": "address", "notes": "notes"}
STAY = WHERE | {"checkIn": "check in", "checkOut": "check out", "confirmationNumber": "booking"}
PIN = {"name": "place", "lat": "latitude", "lng": "longitude"}
COLUMNS = {*LEG.values(), *STAY.values(), *PIN.values()}


def stops_of(file: Path) -> dict[str, list[Plan]]:
    """The arguments of sync_trip. Raises: ValueError with a sentence for each invalid row."""
    legs, pins, wrong, visits = list[Plan](), list[Plan](), list[str](), Counter[str]()
    for line, row in rows_of(file, ("place", "arrive", "leave", "timezone"), COLUMNS):
        place = row.get("place", "")
        visits[place] += 1
        leg, stay, pin = ({f: row[name] for f, name in names.items() if name in row} for names in (LEG, STAY, PIN))
        ref = {"clientRef": f"stop-{place[:150]}-{visits[place]}"}
        legs.append({**leg, "order": len(legs) + 1, **({"accommodation": stay} if stay else {}), **ref})
        said = faults_of(LegItem, legs[-1], LEG | STAY)
        if "lat" in pin or "lng" in pin:
            pins.append({name: value if name == "name" else degrees(value) for name, value in pin.items()} | ref)
            said += faults_of(MapPinItem, pins[-1], PIN)
        wrong += [f"Line {line}: {'; '.join(dict.fromkeys(said))}."] if said else []
    if wrong or not legs:
        raise ValueError("\n".join([*(wrong or [f"{file} has no stops."]), "Nothing was written."]))
    return {"legs": legs, "mapPins": pins}


def faults_of(model: type[LegItem | MapPinItem], fields: Plan, columns: dict[str, str]) -> list[str]:
    """The fields, by the names of their columns."""
    try:
        model.model_validate(fields, strict=True)
    except ValidationError as error:
        named = ((columns.get(one.path.split(".")[-1], one.path), one.reason) for one in faults(error, model))
        return [f"{column}: {reason.replace('startDate', 'arrive')}" for column, reason in named]
    return []


def degrees(text: str) -> float | str:
    try:
        return float(text.replace(",", "."))
    except ValueError:
        return text  # which will be told with all else that is wrong


async def import_stops(client: TripsClient, settings: Settings, title: str, stops: Plan, *, dry_run: bool) -> int:
    """Extends the trip's dates to include stops outside of them."""
    starts, ends = min(leg["startDate"] for leg in stops["legs"]), max(leg["endDate"] for leg in stops["legs"])
    if dry_run and await find_trip(client, title) is None:
        return tell([f"There is no such trip yet: it would be created with {len(stops['legs'])} stops."], [])
    trip = await find_or_create(client, {"title": title, "startDate": starts, "endDate": ends})
    starts, ends = min(starts, trip.start_date or starts), max(ends, trip.end_date or ends)
    if not dry_run and (starts, ends) != (trip.start_date, trip.end_date):
        await client.trips.update(UpdateTrip(trip_id=trip.id, start_date=starts, end_date=ends))
    done = await import_trip(client, settings, {"trip": {"title": title}, "sync": stops}, dry_run=dry_run)
    return tell(done.said[:2], done.refused)


def main() -> int:
    parser = argparse.ArgumentParser(description="Import the stops of a trip from a CSV file.")
    parser.add_argument("file", type=Path)
    parser.add_argument("title", help="of the trip; it is created if there is none of that title")
    parser.add_argument("--dry-run", action="store_true", help="show what would change, and write nothing")
    given = parser.parse_args()

    async def work(settings: Settings) -> int:
        stops = stops_of(given.file)
        async with connect(settings) as client:
            return await import_stops(client, settings, given.title, stops, dry_run=given.dry_run)

    return exit_code(work)


if __name__ == "__main__":
    sys.exit(main())
