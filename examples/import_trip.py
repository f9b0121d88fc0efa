"""Imports a trip from a JSON file with the client library. Repeated runs write nothing twice.

    uv run examples/import_trip.py examples/kyoto.json [--dry-run]

Goes where the settings point: the services of OSOTO_API_KEY, or the embedded backend on this computer. Legs, pins and
action items are known again by their clientRef, commitments and events by their title, date and time.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from pydantic import ValidationError
from whole_trip import exit_code, find_trip, number_of

from trips_mcp.client import TripsClient
from trips_mcp.connect import connect
from trips_mcp.contract.commitments import CreateCommitment
from trips_mcp.contract.errors import faults, in_words
from trips_mcp.contract.events import CreateEvent
from trips_mcp.contract.models import Params
from trips_mcp.contract.trips import CreateTrip, SyncReport, SyncTrip, Trip
from trips_mcp.json_values import is_object
from trips_mcp.settings import Settings

Plan = dict[str, Any]
P = TypeVar("P", bound=Params)


class Imported(NamedTuple):
    trip: Trip
    said: list[str]
    refused: list[str]


async def import_trip(client: TripsClient, settings: Settings, plan: Plan, *, dry_run: bool = False) -> Imported:
    """Raises: TripsError; ValueError if the plan is invalid."""
    trip = await find_or_create(client, plan["trip"])
    report = await client.trips.sync(checked(SyncTrip, {"tripId": trip.id, "dryRun": dry_run, **plan["sync"]}))
    said = [*counts(report), await add_commitments(client, trip, plan.get("commitments", []), dry_run=dry_run)]
    number, events = number_of(settings, trip), plan.get("events", []) + ([plan["event"]] if "event" in plan else [])
    if number is not None:
        said.append(await add_events(client, number, events, dry_run=dry_run))
    elif events:
        said.append("events: left out, as the Events API does not know the trip")
    return Imported(trip, said, list(refusals(report)))


async def find_or_create(client: TripsClient, wanted: Plan) -> Trip:
    """The trip with this title. Trips have no clientRef, so a second run finds the trip by its title."""
    if trip := await find_trip(client, wanted.get("title", "")):
        return trip
    me = await client.me()
    return await client.trips.create(checked(CreateTrip, {"groupId": me.default_group_id, **wanted}))


async def add_commitments(client: TripsClient, trip: Trip, wanted: list[Plan], *, dry_run: bool) -> str:
    """Their `leg` and `mapPin` are clientRefs."""
    legs = {leg.client_ref: leg.id async for leg in client.iterate_legs(trip.id)}
    pins = {pin.client_ref: pin.id async for pin in client.iterate_map_pins(trip.id)}
    there = {(one.title, one.start_date, one.start_time) async for one in client.iterate_commitments(trip.id)}
    new: list[CreateCommitment] = []
    for one in wanted:
        if (one.get("title"), one.get("startDate"), one.get("startTime")) not in there:
            fields = {name: value for name, value in one.items() if name not in ("leg", "mapPin")}
            links = {"legId": legs.get(one.get("leg")), "mapPinId": pins.get(one.get("mapPin"))}
            fields |= {name: link for name, link in links.items() if link}
            new.append(checked(CreateCommitment, {"tripId": trip.id, **fields}))
    for commitment in [] if dry_run else new:
        await client.commitments.create(commitment)
    return f"commitments: {len(new)} created, {len(wanted) - len(new)} unchanged"


async def add_events(client: TripsClient, number: int, wanted: list[Plan], *, dry_run: bool) -> str:
    """`number`: the trip's number in the Events API."""
    there = {(one.title, one.date, one.time) async for one in client.iterate_trip_events(number)}
    new = [one for one in wanted if (one.get("title"), one.get("date"), one.get("time")) not in there]
    for event in [checked(CreateEvent, {"trip_ids": [number], **one}) for one in new]:
        if not dry_run:
            await client.events.create(event)
    return f"events: {len(new)} created, {len(wanted) - len(new)} unchanged"


def checked(model: type[P], fields: Plan) -> P:
    try:
        return model.model_validate(fields, strict=True)
    except ValidationError as error:
        raise ValueError(in_words(faults(error, model))) from None


def counts(report: SyncReport) -> Iterator[str]:
    for what, each in (("legs", report.legs), ("pins", report.map_pins), ("action items", report.action_items)):
        if each is None:
            yield f"{what}: none"
        else:
            done = f"{each.created} created, {each.updated} updated, {each.unchanged} unchanged"
            yield f"{what}: {done}, {each.errors} refused"


def refusals(report: SyncReport) -> Iterator[str]:
    for what, each in (("leg", report.legs), ("pin", report.map_pins), ("action item", report.action_items)):
        for one in each.results if each else []:
            if one.error:
                yield f"{what} {one.client_ref}: {one.error.message}"


def tell(said: list[str], refused: list[str]) -> int:
    print("\n".join(said))
    sys.stderr.writelines(f"{sentence}\n" for sentence in refused)
    return 1 if refused else 0


def read_plan(file: Path, *needed: str) -> Plan:
    """Raises: OSError; ValueError if it is not such a file."""
    try:
        plan = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{file} is not JSON in UTF-8: {error}.") from None
    lacking = [name for name in needed if name not in plan]
    if lacking or not is_object(plan):
        raise ValueError(f"{file} is none of the files that this takes: it lacks {', '.join(lacking)}.")
    return plan


def main() -> int:
    parser = argparse.ArgumentParser(description="Import a trip from a JSON file.")
    parser.add_argument("file", type=Path)
    parser.add_argument("--dry-run", action="store_true", help="show what would change, and write nothing")
    given = parser.parse_args()

    async def work(settings: Settings) -> int:
        plan = read_plan(given.file, "trip", "sync")
        async with connect(settings) as client:
            if given.dry_run and await find_trip(client, plan["trip"].get("title", "")) is None:
                print("There is no such trip yet: all of it would be created.")
                return 0
            done = await import_trip(client, settings, plan, dry_run=given.dry_run)
        return tell(done.said, done.refused)

    return exit_code(work)


if __name__ == "__main__":
    sys.exit(main())
