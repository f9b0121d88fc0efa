"""Itinerary event tools."""

from trips_mcp.contract.events import CREATE_EVENT, DELETE_EVENT, GET_EVENT, LIST_TRIP_EVENTS, UPDATE_EVENT, Event
from trips_mcp.tools.tool import tool
from trips_mcp.tools.views import Listed

EVENTS = Listed(item=Event, within="events", id="event_id", known=frozenset(), brief=("title", "date", "time"))

create_event = tool(
    CREATE_EVENT,
    title="Create event",
    description="Put an event on the shared itinerary of one or more trips. The trip_ids are the integer number of "
    "list_trips. For things on a single trip that only its members plan, prefer create_commitment.",
    apart="Put an event on the shared itinerary of one or more trips. The trip_ids are numbers of the Events API, "
    "from the user or another event. For things on a single trip that only its members plan, prefer "
    "create_commitment.",
    lookup="list_trip_events",
)
get_event = tool(
    GET_EVENT,
    title="Get event",
    description="Read one itinerary event. All of a trip are in list_trip_events.",
    lookup="list_trip_events",
    open_world=True,
)
update_event = tool(
    UPDATE_EVENT,
    title="Update event",
    description="Change an itinerary event you planned. Omitted fields stay; trip_ids replaces the whole set of "
    "trips. To call it off use delete_event.",
    lookup="get_event",
)
delete_event = tool(
    DELETE_EVENT,
    title="Delete event",
    description="Delete an itinerary event you planned, from all its trips. To take it off one trip use update_event.",
    lookup="list_trip_events",
)
list_trip_events = tool(
    LIST_TRIP_EVENTS,
    title="List trip events",
    description="List a trip's itinerary events by start. The trip_id is the integer number of list_trips. "
    "Commitments and flights of legs are in export_trip.",
    apart="List a trip's itinerary events by start. The trip_id is a number of the Events API, from the user or an "
    "event. Commitments and flights of legs are in export_trip.",
    lookup="list_trips",
    open_world=True,
    view=EVENTS,
)
