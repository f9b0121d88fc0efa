"""Moves a trip, or the rest of it, by some days, and lists what to rebook.

    uv run examples/move_trip.py "Kyoto in cherry blossom" --from "30 March" --days 1
    uv run examples/move_trip.py "Kyoto in cherry blossom" --from "30 March" --days 1 --apply

Without --apply it only lists the calls. Flights and what has a confirmation number stay, unless --booked.
"""

import argparse
import json
import sys
from datetime import UTC, date, datetime

from whole_trip import exit_code, find_trip, read_whole

from trips_mcp.client import TripsClient
from trips_mcp.connect import connect
from trips_mcp.contract import OPERATIONS
from trips_mcp.itinerary.day_expressions import Unclear, read_day
from trips_mcp.itinerary.journey import Journey
from trips_mcp.planning.change import Change
from trips_mcp.planning.move import move
from trips_mcp.settings import Settings

OPERATION = {operation.name: operation for operation in OPERATIONS}


def day_of(journey: Journey, asked: str) -> date:
    """Raises: ValueError if no trip, or more than one, matches."""
    found = read_day(journey, asked, datetime.now(UTC))
    if isinstance(found, Unclear):
        raise ValueError(found.why)
    return found


def line_of(change: Change) -> str:
    """Its tool and dates, without texts and flight codes."""
    dates = {name: value for name, value in change.arguments.items() if name.lower().endswith("date")}
    ids = [str(value) for name, value in change.arguments.items() if name in ("legId", "commitmentId", "event_id")]
    more = sorted(change.arguments.keys() & {"accommodation", "rentalCar", "flights"})
    return " ".join([change.tool, *ids, json.dumps(dates), *more])


async def make(client: TripsClient, change: Change) -> None:
    operation = OPERATION[change.tool]
    await client.call(operation, operation.params.model_validate(change.arguments))


def main() -> int:
    parser = argparse.ArgumentParser(description="Move a trip, or the rest of it, some days later or earlier.")
    parser.add_argument("trip", help="its title or id")
    parser.add_argument("--from", dest="first", required=True, help="the first day to move: a date, a weekday, day 3")
    parser.add_argument("--to", help="the last day to move; else all days that follow")
    parser.add_argument("--days", type=int, required=True, help="how many days later; negative is earlier")
    parser.add_argument("--booked", action="store_true", help="move flights and bookings too")
    parser.add_argument("--apply", action="store_true", help="make the calls, else only list them")
    given = parser.parse_args()

    async def work(settings: Settings) -> int:
        async with connect(settings) as client:
            trip = await find_trip(client, given.trip)
            if trip is None:
                raise ValueError(
                    "There is no trip of that title or id; examples/page_through.py shows those there are."
                )
            journey = Journey.of(*await read_whole(client, settings, trip))
            last = None if given.to is None else day_of(journey, given.to)
            draft = move(journey, day_of(journey, given.first), given.days, last, booked=given.booked)
            for change in draft.changes:
                print(line_of(change))
                if given.apply:
                    await make(client, change)
            for note in draft.notes:
                print(f"{note.kind.replace('_', ' ')}: {note.why}")
            print("Done." if given.apply else "Nothing was changed; add --apply.")
        return 0

    return exit_code(work)


if __name__ == "__main__":
    sys.exit(main())
