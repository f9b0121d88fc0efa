"""The client in one minute: creates a trip with a leg, and reads them.

    uv run examples/plan_a_trip.py

Goes where the settings point: the services of OSOTO_API_KEY, or the embedded backend on this computer.
"""

import argparse
import os
import sys

import anyio

from trips_mcp.client import TripsClient, TripsError
from trips_mcp.connect import connect
from trips_mcp.contract.legs import Accommodation, CreateLeg, UpdateLeg
from trips_mcp.contract.trips import CreateTrip
from trips_mcp.settings import Settings


async def plan(client: TripsClient) -> None:
    me = await client.me()
    group = me.default_group_id or me.groups[0].id
    trip = await client.trips.create(
        CreateTrip(group_id=group, title="Kyoto", start_date="2027-04-01", end_date="2027-04-09")
    )
    leg = await client.legs.create(
        CreateLeg(
            trip_id=trip.id,
            order=1,
            title="Gion",
            destination="Kyoto",
            start_date="2027-04-01",
            end_date="2027-04-05",
            timezone="Asia/Tokyo",
            accommodation=Accommodation(name="Ryokan Hana", door_code="4711"),
        )
    )
    # What is left out stays, also inside the accommodation; what is cleared is gone.
    moved = await client.legs.update(
        UpdateLeg(trip_id=trip.id, leg_id=leg.id, end_date="2027-04-06", clear=["accommodation.doorCode"])
    )
    stay = moved.accommodation
    print(f"{moved.title} until {moved.end_date}, at {stay.name if stay else 'no place yet'}", flush=True)


async def main() -> None:
    async with connect(Settings.from_env(os.environ)) as client:
        await plan(client)


if __name__ == "__main__":
    argparse.ArgumentParser(description="Create a trip to Kyoto with one leg, and change it.").parse_args()
    try:
        anyio.run(main)
    except (TripsError, ValueError, OSError) as error:
        sys.exit(str(error))
