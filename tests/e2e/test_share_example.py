"""The example that reads a share: over a real network, without a key."""

import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import anyio

from trips_mcp.client import Endpoint, TripsClient
from trips_mcp.contract.trips import CreateTrip

EXAMPLE = Path(__file__).parents[2] / "examples/read_a_share.py"


async def test_a_shared_trip_is_read_without_a_key(
    base: str, key_for: Callable[..., Awaitable[str]], environment: Callable[..., dict[str, str]]
) -> None:
    url = f"{base}/api/v1"
    key = await key_for("a host", "trips:read", "trips:write")
    async with TripsClient(trips=Endpoint(url, key), events=None) as client:
        group = (await client.me()).default_group_id or ""
        trip = CreateTrip(group_id=group, title="Kyoto", start_date="2027-04-01", end_date="2027-04-09")
        token = (await client.shares.create((await client.trips.create(trip)).id)).token

    with anyio.fail_after(60):
        ended = await anyio.run_process([sys.executable, str(EXAMPLE), url, token], env=environment(), check=False)

    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.decode() == "Kyoto, 2027-04-01 to 2027-04-09\n"
