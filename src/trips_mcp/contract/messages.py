"""Channels and messages between travellers: /trips/{tripId}/channels (docs/contract.md)."""

from typing import Annotated, ClassVar

from pydantic import Field
from pydantic_core import MISSING

from trips_mcp.contract.fields import OTHERS, WHOLE, Cursor, Id, SaidText
from trips_mcp.contract.models import OfTrip, Page, Resource
from trips_mcp.contract.operation import Operation


class Channel(Resource):
    own_names: ClassVar = ("channel",)

    trip_id: str | None = None
    name: str | None = None


class ChannelPage(Page[Channel]):
    plural_names: ClassVar = ("channels",)


class Message(Resource):
    own_names: ClassVar = ("message",)

    channel_id: str | None = None
    author_id: str | None = None
    author_name: Annotated[str | None, OTHERS] = None
    content: Annotated[str | None, OTHERS] = None
    parent_id: str | None = None
    created_at: str | None = None
    """UTC, ISO 8601."""


class MessagePage(Page[Message]):
    plural_names: ClassVar = ("messages",)


class ListChannels(OfTrip):
    pass


class ListMessages(OfTrip):
    channel_id: Id
    limit: Annotated[int, Field(ge=1, le=100, description="1-100"), WHOLE] | MISSING = MISSING
    cursor: Cursor | MISSING = MISSING


class SendMessage(OfTrip):
    channel_id: Id
    content: SaidText
    parent_id: Annotated[Id, Field(description="Message to reply to")] | MISSING = MISSING


LIST_CHANNELS = Operation(
    "list_channels", "GET", "/trips/{tripId}/channels", "messages:read", ListChannels, ChannelPage
)
LIST_MESSAGES = Operation(
    "list_messages",
    "GET",
    "/trips/{tripId}/channels/{channelId}/messages",
    "messages:read",
    ListMessages,
    MessagePage,
)
SEND_MESSAGE = Operation(
    "send_message",
    "POST",
    "/trips/{tripId}/channels/{channelId}/messages",
    "messages:write",
    SendMessage,
    Message,
    201,
)
