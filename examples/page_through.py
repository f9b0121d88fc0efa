"""All items of all lists, over all pages.

uv run examples/page_through.py
"""

import argparse
import os
import sys

from whole_trip import exit_code

from trips_mcp.client import TripsClient
from trips_mcp.connect import connect
from trips_mcp.settings import Settings


async def overview(client: TripsClient) -> None:
    async for trip in client.iterate_trips():
        print(f"{trip.title}, {trip.start_date} to {trip.end_date} ({trip.id})")
        async for leg in client.iterate_legs(trip.id):
            print(f"  {leg.start_date}  {leg.destination}: {leg.title}")
        async for item in client.iterate_action_items(trip.id):
            print(f"  [{'x' if item.completed else ' '}] {item.text}")


async def first_page(client: TripsClient, trip_id: str) -> None:
    page = await client.legs.list(trip_id, limit=50)
    print(f"{len(page.items)} legs, {'and more' if page.next_cursor else 'all of them'}")


async def main() -> None:
    async with connect(Settings.from_env(os.environ)) as client:
        await overview(client)
        for trip in (await client.trips.list()).items:
            await first_page(client, trip.id)


if __name__ == "__main__":
    argparse.ArgumentParser(description="Print every trip with its id, legs and action items.").parse_args()
    sys.exit(exit_code(lambda _: main()))
