"""Reads a trip that someone has shared. Needs no key, and sends none.

uv run examples/read_a_share.py https://host/api/v1 TOKEN
"""

import argparse
import sys

from whole_trip import exit_code

from trips_mcp.client import Endpoint, TripsClient


async def main(base_url: str, token: str) -> None:
    async with TripsClient(trips=Endpoint(base_url), events=None) as client:
        shared = await client.shares.export(token)
    if shared.trip is not None:
        print(f"{shared.trip.title}, {shared.trip.start_date} to {shared.trip.end_date}")
    for leg in shared.legs:
        print(f"  {leg.start_date}  {leg.destination}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Print a trip that someone has shared.")
    parser.add_argument("base_url", help="of the Trips API, as https://host/api/v1")
    parser.add_argument("token", help="of the share link")
    words = sys.argv[1:]
    given = parser.parse_args(["--", *words] if len(words) == 2 else words)  # a token may begin with a hyphen
    sys.exit(exit_code(lambda _: main(given.base_url, given.token)))
