"""The Events API for events on the itinerary (docs/contract.md#events-api-operations).

It uses snake_case and integer ids, and no envelope.
"""

from typing import Annotated, ClassVar

from pydantic import AliasChoices, ConfigDict, Field
from pydantic_core import MISSING

from trips_mcp.contract.fields import Integer, LocalDate, LocalTime, Text, Title
from trips_mcp.contract.models import Params, Result, Update
from trips_mcp.contract.operation import Operation, Under

_PLAIN = ConfigDict(alias_generator=None)

TripNumbers = Annotated[list[Integer], Field(max_length=100, description="Integer trip numbers")]
EventType = Annotated[
    Title,
    Field(description="flight, train, accommodation, activity, food, local_transit, free_block or other"),
]
Importance = Annotated[Title, Field(description="anchor, important, optional or other")]


class Event(Result):
    model_config = _PLAIN
    own_names: ClassVar = ("event",)

    event_id: int | None = Field(default=None, validation_alias=AliasChoices("event_id", "id"))
    type: str | None = None
    title: str | None = None
    date: str | None = None
    time: str | None = None
    description: str | None = None
    location: str | None = None
    importance: str | None = None
    planner_user_id: str | None = None
    attached_trips: list[int] | None = None
    revision: int | None = None


class Itinerary(Result):
    """A trip's events by start; not a page, it is never cut."""

    model_config = _PLAIN
    own_names: ClassVar = ("itinerary",)

    trip_id: int | None = None
    revision: int | None = None
    status: str | None = None
    event_count: int | None = None
    events: list[Event] = Field(default_factory=list[Event])


class DeletedEvent(Result):
    model_config = _PLAIN

    deleted: int | None = None
    already_deleted: bool | None = None


class CreateEvent(Params):
    model_config = _PLAIN

    type: EventType
    title: Title
    date: LocalDate
    time: LocalTime | MISSING = MISSING
    description: Text | MISSING = MISSING
    location: Text | MISSING = MISSING
    importance: Importance | MISSING = MISSING
    trip_ids: Annotated[TripNumbers | MISSING, Under("attach")] = MISSING


class OneEvent(Params):
    model_config = _PLAIN

    event_id: Integer


class GetEvent(OneEvent):
    pass


class UpdateEvent(OneEvent, Update):
    model_config = _PLAIN
    creates: ClassVar = CreateEvent

    type: EventType | MISSING = MISSING
    title: Title | MISSING = MISSING
    date: LocalDate | MISSING = MISSING
    time: LocalTime | MISSING = MISSING
    description: Text | MISSING = MISSING
    location: Text | MISSING = MISSING
    importance: Importance | MISSING = MISSING
    trip_ids: Annotated[TripNumbers | MISSING, Under("attach")] = MISSING


class DeleteEvent(OneEvent):
    pass


class ListTripEvents(Params):
    model_config = _PLAIN

    trip_id: Integer


CREATE_EVENT = Operation("create_event", "POST", "/v1/events", "trips:write", CreateEvent, Event, 201, api="events")
GET_EVENT = Operation("get_event", "GET", "/v1/events/{event_id}", "trips:read", GetEvent, Event, api="events")
UPDATE_EVENT = Operation(
    "update_event", "PATCH", "/v1/events/{event_id}", "trips:write", UpdateEvent, Event, api="events"
)
DELETE_EVENT = Operation(
    "delete_event",
    "DELETE",
    "/v1/events/{event_id}",
    "trips:write",
    DeleteEvent,
    DeletedEvent,
    when_empty=lambda asked: DeletedEvent(deleted=asked.event_id),
    api="events",
)
LIST_TRIP_EVENTS = Operation(
    "list_trip_events",
    "GET",
    "/v1/trips/{trip_id}/itinerary",
    "trips:read",
    ListTripEvents,
    Itinerary,
    api="events",
)
