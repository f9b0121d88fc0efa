"""Meaning of an event's type, and of a ride's title. Both are free text, so spellings vary."""

import re
from datetime import date, time, timedelta
from typing import Final

from trips_mcp.itinerary.model import DAWN, Appointment
from trips_mcp.places.tables import fold

_TRAVEL: Final = frozenset(
    {"flight", "train", "bus", "ferry", "boat", "cruise", "drive", "transport", "transit", "travel"}
)
_STAYS: Final = frozenset({"accommodation", "stay", "hotel", "lodging"})
_FREE: Final = frozenset({"free_block", "free", "free_time"})
_EVENING: Final = time(17)
_RIDES: Final = frozenset(
    [
        *(
            "train",
            "shinkansen",
            "bus",
            "coach",
            "ferry",
            "boat",
            "ship",
            "cruise",
            "drive",
            "transfer",
            "flight",
            "taxi",
        ),
        *(
            "sleeper",
            "railway",
            "tram",
            "hike",
            "trek",
            "ride",
            "sail",
            "roadtrip",
            "tgv",
            "ice",
            "nightjet",
            "eurostar",
        ),
        *("zug", "nachtzug", "fahre", "faehre", "schiff", "fahrt", "abfahrt", "flug", "wanderung"),
        *("traversier", "bateau", "trajet", "vol", "randonnee", "tren", "autobus", "barco", "vuelo", "traslado"),
        *("treno", "traghetto", "nave", "volo", "trasferimento", "trem", "comboio", "balsa", "voo", "onibus"),
        *("trein", "veerboot", "boot", "vlucht", "rit", "電車", "列車", "新幹線", "バス", "フェリー", "船"),
    ]
)
"""Words of titles after which a traveller may be in another place."""
_SPACELESS_RIDES: Final = tuple(word for word in _RIDES if not word.isascii())
"""Words of languages that put no spaces between them."""
_ARROW: Final = re.compile("→|->|➔|⇒")


def is_ride(one: Appointment) -> bool:
    """Whether the event may end in a different place: travel, or a plan whose title says so."""
    if is_travel(one) or _ARROW.search(one.title):
        return True
    title = fold(one.title)
    return not _RIDES.isdisjoint(title.split()) or any(word in title for word in _SPACELESS_RIDES)


def is_travel(one: Appointment) -> bool:
    """Whether the event may replace a bed for the night or connect two legs."""
    return one.kind == "event" and _type(one) in _TRAVEL


def night_under_way(travel: Appointment) -> date | None:
    """The night that an evening or after-midnight journey without an end may take.

    A journey by day may arrive before the night.
    """
    if travel.starts is None or travel.starts.time is None or travel.ends is not None:
        return None
    day = travel.starts.day
    if travel.starts.time < DAWN:
        return day - timedelta(days=1)
    return day if travel.starts.time >= _EVENING else None


def is_stay(one: Appointment) -> bool:
    """Whether the event is an accommodation."""
    return one.kind == "event" and _type(one) in _STAYS


def is_free(one: Appointment) -> bool:
    """Whether the event only marks free time."""
    return one.kind == "event" and _type(one) in _FREE


def _type(one: Appointment) -> str:
    return one.category.strip().casefold().replace(" ", "_").replace("-", "_")
