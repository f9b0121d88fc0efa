"""What on the checklist a day asks for.

Items have no dates, only an urgency. `now` is due today, and while the trip has not begun on its first day;
`before_trip` on its first day; `nice_to_have` never.
"""

from datetime import date
from typing import Final

from trips_mcp.contract.action_items import ActionItem
from trips_mcp.itinerary.formatting import short
from trips_mcp.itinerary.journey import Journey
from trips_mcp.itinerary.results import Due

_TEXT: Final = 120


def due_on(journey: Journey, day: date, today: date | None) -> list[ActionItem]:
    """`today` is None where it is not known, or no day of the trip: then the trip is taken to lie ahead."""
    days = journey.dates
    is_start = days is not None and day <= days.first and (today is None or today <= day)
    asked = ("now", "before_trip") if is_start else ("now",) if day == today else ()
    return [item for urgency in asked for item in journey.todos if item.urgency == urgency and not item.completed]


def told(items: list[ActionItem], most: int) -> list[Due]:
    return [
        Due(item_id=item.id, text=short(item.text, _TEXT), urgency=item.urgency, owner=item.owner)
        for item in items[:most]
    ]
