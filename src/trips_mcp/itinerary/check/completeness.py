"""Checks whether a trip has enough dates to be certain that something is missing."""

from trips_mcp.itinerary.check.flights import arrives_too_early
from trips_mcp.itinerary.journey import Journey
from trips_mcp.itinerary.local_time import read_moment
from trips_mcp.itinerary.model import Stay


def all_dated(journey: Journey) -> bool:
    """Whether each leg, stay and flight is dated. One without dates may fill any gap."""
    return (
        all(leg.starts and leg.ends and leg.starts <= leg.ends for leg in journey.stretches)
        and all(stay.first and stay.end and stay.first <= stay.end for stay in journey.stays)
        and all(move.days and not arrives_too_early(move) for move in journey.moves)
    )


def is_dated(stay: Stay) -> bool:
    """Whether the stay has a check-in and a check-out that can be read."""
    return all(read_moment(text, None) for text in (stay.source.check_in, stay.source.check_out))
