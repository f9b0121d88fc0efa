"""Checklist items that are due on a day.

Items have an urgency instead of a date. `now` is due today, or on the first day of a trip that has not begun.
`before_trip` is due on the first day, `nice_to_have` never.
"""

from datetime import date
from typing import Final

from trips_mcp.contract.action_items import ActionItem
from trips_mcp.itinerary.formatting import short
from trips_mcp.itinerary.journey import Journey
from trips_mcp.itinerary.results import Due

_TEXT: Final = 120


def due_on(journey: Journey, day: date, today: date | None) -> list[ActionItem]:
    """`today` is None if unknown or not a day of the trip; the trip then counts as ahead."""
    days = journey.dates
    is_start = days is not None and day <= days.first and (today is None or today <= day)
    urgencies = ("now", "before_trip") if is_start else ("now",) if day == today else ()
    return [item for urgency in urgencies for item in journey.todos if item.urgency == urgency and not item.completed]


def due_results(items: list[ActionItem], most: int) -> list[Due]:
    return [
        Due(item_id=item.id, text=short(item.text, _TEXT), urgency=item.urgency, owner=item.owner)
        for item in items[:most]
    ]
