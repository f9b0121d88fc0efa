"""One record per booking, whatever said it how often and in which order: its identity, and what all sources say."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Any, Final

from trips_mcp.bookings.model import Booking, BookingTime
from trips_mcp.places.tables import fold

_STATUS_RANKS: Final = {"cancelled": 0, "changed": 1, "confirmed": 2}
_FILLED: Final = ("ends", "provider", "number", "name", "confirmation_number", "price", "source_id")


def identity(one: Booking) -> tuple[str, ...]:
    """What makes it this booking: a flight is its number and day, a stay its name and first day, for any travellers."""
    day = str(one.starts.day) if one.starts else ""
    ends = (fold(one.origin.label), fold(one.destination.label))
    if one.kind == "flight":
        return (one.kind, one.number, day) if one.number else (one.kind, *ends, day)
    if one.is_ride:
        return (one.kind, fold(one.number), *ends, day)
    return (one.kind, fold(one.name), day)


def client_ref(one: Booking) -> str:
    """The same for every import of this booking, and no word of it."""
    return f"import-{sha256(chr(0).join(identity(one)).encode()).hexdigest()[:20]}"


def combined(bookings: Iterable[Booking]) -> list[Booking]:
    """One record per identity, by start. The result is the same for every order and repetition."""
    groups: dict[tuple[str, ...], list[Booking]] = {}
    for one in bookings:
        groups.setdefault(identity(one), []).append(one)
    found = [_combined(sorted(set(group), key=_rank)) for group in _by_departure(groups)]
    return sorted(found, key=lambda one: (_moment(one.starts), identity(one)))


def all_of(*lists: str) -> str:
    """The parts of lists such as `12C, 12D`, each once and in order."""
    return ", ".join(sorted({part for one in lists for part in one.split(", ") if part}))


def digits_of(one: Booking) -> str:
    """Of its number, without the name of its kind of train."""
    return "".join(mark for mark in one.number if mark.isdecimal()).lstrip("0")


def departure(one: Booking) -> tuple[str, ...] | None:
    """Of a numbered ride: its digits, day and time. Sources spell the stations of one ride in several ways."""
    digits = digits_of(one)
    if one.kind == "flight" or not one.is_ride or not digits or one.starts is None or one.starts.clock is None:
        return None
    return (one.kind, digits, one.starts.at)


def _by_departure(groups: Mapping[tuple[str, ...], Sequence[Booking]]) -> list[list[Booking]]:
    """The groups, in a fixed order; those of one departure are joined."""
    found: dict[tuple[str, ...], list[Booking]] = {}
    for key, group in sorted(groups.items()):
        exact = sorted({known for one in group if (known := departure(one)) is not None})
        found.setdefault(exact[0] if exact else key, []).extend(group)
    return list(found.values())


def contradictions(bookings: Iterable[Booking]) -> list[tuple[Booking, tuple[str, ...]]]:
    """Bookings of one identity and status for which the sources name different times of departure."""
    groups: dict[tuple[str, ...], list[Booking]] = {}
    for one in bookings:
        if one.starts and one.starts.clock:
            groups.setdefault((*identity(one), one.status), []).append(one)
    found: list[tuple[Booking, tuple[str, ...]]] = []
    for _, group in sorted(groups.items()):
        times = tuple(sorted({one.starts.at for one in group if one.starts}))
        if len(times) > 1:
            found.append((group[0], times))
    return found


def _combined(ranked: Sequence[Booking]) -> Booking:
    """The first by rank, completed by the others."""
    first = ranked[0]
    filled: dict[str, Any] = {
        name: next((value for one in ranked if (value := getattr(one, name))), getattr(first, name)) for name in _FILLED
    }
    exact = next((one.starts for one in ranked if one.starts and one.starts.clock), first.starts)
    if first.kind != "car":  # travellers may have a number each, and an agency and a hotel each their own
        filled["confirmation_number"] = all_of(*(one.confirmation_number for one in ranked))
    travellers = [name for one in ranked for name in one.travellers]
    origin = max((one.origin for one in ranked), key=lambda place: (bool(place.zone), len(place.address), repr(place)))
    destination = max((one.destination for one in ranked), key=lambda place: (bool(place.zone), repr(place)))
    return replace(
        first,
        **filled,
        starts=exact,
        origin=origin,
        destination=destination,
        seat=all_of(*(one.seat for one in ranked)),
        travellers=tuple(sorted(dict.fromkeys(travellers))),
    )


def _rank(one: Booking) -> tuple[Any, ...]:
    """Cancelled before changed before confirmed, then the more complete, then any fixed order."""
    missing = sum(not getattr(one, name) for name in _FILLED)
    return _STATUS_RANKS[one.status], one.starts is None or one.starts.clock is None, missing, repr(one)


def _moment(time: BookingTime | None) -> str:
    return time.at if time else ""
