"""Reads a trip that someone has shared. Needs no key, and sends none.

uv run examples/read_a_share.py https://host/api/v1 TOKEN
"""

import sys

import anyio

from trips_mcp.client import Endpoint, TripsClient


async def main(base_url: str, token: str) -> None:
    async with TripsClient(trips=Endpoint(base_url), events=None) as client:
        shared = await client.shares.export(token)
    if shared.trip is not None:
        print(f"{shared.trip.title}, {shared.trip.start_date} to {shared.trip.end_date}")
    for leg in shared.legs:
        print(f"  {leg.start_date}  {leg.destination}")


if __name__ == "__main__":
    anyio.run(main, sys.argv[1], sys.argv[2])
