"""How to handle each kind of failure.

uv run examples/handle_errors.py TRIP_ID
"""

import argparse
import os
import sys

from whole_trip import exit_code

from trips_mcp.client import (
    ForbiddenError,
    InvalidError,
    MissingScopeError,
    NotFoundError,
    OutcomeUnknownError,
    RateLimitedError,
    TripsClient,
    TripsError,
    UnauthorizedError,
    UnavailableError,
)
from trips_mcp.connect import connect
from trips_mcp.contract.commitments import CreateCommitment
from trips_mcp.settings import Settings


async def book_dinner(client: TripsClient, dinner: CreateCommitment) -> str:
    """The outcome in one sentence."""
    try:
        made = await client.commitments.create(dinner)
    except InvalidError as error:
        return "; ".join(f"{fault.path}: {fault.reason}" for fault in error.details) or str(error)
    except NotFoundError:
        return "There is no such trip."
    except (UnauthorizedError, ForbiddenError, MissingScopeError) as error:
        return f"The key does not allow it: {error}"
    except RateLimitedError as error:
        return f"Nothing was done; come back in {error.retry_after or 60:.0f} seconds."
    except OutcomeUnknownError as error:
        # It may have been made. The same call again finds that out, and makes it only if it was not.
        return f"Ask again later, in the same words: {error}"
    except UnavailableError as error:
        return f"Nothing was done: {error}"
    except TripsError as error:  # above all of them
        return str(error)
    return f"Booked: {made.title}, {made.start_date} {made.start_time}"


async def main(trip_id: str) -> None:
    async with connect(Settings.from_env(os.environ)) as client:
        for asked in (
            {"title": "Kaiseki", "start_time": "19:00"},
            {"title": "Tea", "leg_id": "no-such-leg"},
        ):
            fields = {"trip_id": trip_id, "start_date": "2027-04-02", "category": "dinner", **asked}
            print(await book_dinner(client, CreateCommitment.model_validate(fields)))
        nowhere = CreateCommitment(trip_id="no-such-trip", title="x", start_date="2027-04-02", category="other")
        print(await book_dinner(client, nowhere))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Book three dinners, two of which are refused, and say why.")
    parser.add_argument("trip_id", help="the id of a trip, as page_through.py shows it")
    given = parser.parse_args()
    sys.exit(exit_code(lambda _: main(given.trip_id)))
