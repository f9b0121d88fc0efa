"""Whether enough is known of a trip to say for certain that something is not in it."""

from trips_mcp.itinerary.check.flights import arrives_too_early
from trips_mcp.itinerary.journey import Journey, Stay
from trips_mcp.itinerary.local_time import read_moment


def all_dated(journey: Journey) -> bool:
    """Whether each leg, stay and flight says when it is; else one of those that don't may fill any hole."""
    return (
        all(leg.starts and leg.ends and leg.starts <= leg.ends for leg in journey.stretches)
        and all(stay.first and stay.end and stay.first <= stay.end for stay in journey.stays)
        and all(move.days and not arrives_too_early(move) for move in journey.moves)
    )


def is_dated(stay: Stay) -> bool:
    """Whether it says itself from when to when."""
    return all(read_moment(text, None) for text in (stay.source.check_in, stay.source.check_out))
