"""Handlers of channels and messages (docs/contract.md)."""

from pydantic_core import MISSING
from sqlalchemy import bindparam, exists, select

from trips_mcp.backend.callers import SHOWN_NAME, trip_to_read, trip_to_write
from trips_mcp.backend.errors import invalid_field, not_found
from trips_mcp.backend.handler import BackendResponse, Call, new_id, serve, serve_read
from trips_mcp.backend.paging import Paging
from trips_mcp.backend.resources.trip_parts import lister
from trips_mcp.backend.rows import listed
from trips_mcp.backend.store.connection import insertion
from trips_mcp.backend.store.tables import channels, messages, users
from trips_mcp.contract.messages import (
    LIST_CHANNELS,
    LIST_MESSAGES,
    SEND_MESSAGE,
    ChannelPage,
    ListMessages,
    Message,
    MessagePage,
    SendMessage,
)

_CHANNELS = (
    select(channels.c.id.label("_id"), channels.c.trip_id.label("tripId"), channels.c.name)
    .where(channels.c.trip_id == bindparam("trip"))
    .order_by(channels.c.seq)
)
_CHANNEL = select(exists().where(channels.c.id == bindparam("channel"), channels.c.trip_id == bindparam("trip")))
_TOLD = select(
    messages.c.id.label("_id"),
    messages.c.channel_id.label("channelId"),
    messages.c.author_id.label("authorId"),
    SHOWN_NAME.label("authorName"),
    messages.c.content,
    messages.c.parent_id.label("parentId"),
    messages.c.created_at.label("createdAt"),
).join_from(messages, users, users.c.id == messages.c.author_id)
_ONE = _TOLD.where(messages.c.id == bindparam("message"))
_PARENT = select(exists().where(messages.c.id == bindparam("message"), messages.c.channel_id == bindparam("channel")))
_PAGING = Paging("messages", _TOLD, messages.c.channel_id == bindparam("owner"), {messages.c.seq: int}, backwards=True)
list_channels = lister(_CHANNELS, ChannelPage)


async def list_messages(call: Call, asked: ListMessages) -> BackendResponse[MessagePage]:
    """The first page has the newest messages; within a page the oldest is first."""
    await trip_to_read(call, asked.trip_id)
    await _check_channel(call, asked.trip_id, asked.channel_id)
    limit = 50 if asked.limit is MISSING else asked.limit
    page = await _PAGING.page(call, asked.channel_id, limit, asked.cursor)
    return BackendResponse(MessagePage, {"items": page.rows[::-1], "nextCursor": page.next_cursor})


async def send_message(call: Call, new: SendMessage) -> BackendResponse[Message]:
    await trip_to_write(call, new.trip_id)
    await _check_channel(call, new.trip_id, new.channel_id)
    if new.parent_id is not MISSING:
        await _check_parent(call, new.channel_id, new.parent_id)
    row = {
        "id": new_id("msg"),
        "channel_id": new.channel_id,
        "author_id": call.caller.user_id,
        "content": new.content,
        "parent_id": None if new.parent_id is MISSING else new.parent_id,
        "created_at": call.time,
    }
    await call.db.execute(insertion(messages), row)
    return BackendResponse(Message, (await listed(call.db, _ONE, message=row["id"]))[0])


async def _check_channel(call: Call, trip_id: str, channel_id: str) -> None:
    if not (await call.db.execute(_CHANNEL, {"trip": trip_id, "channel": channel_id})).scalar_one():
        raise not_found("channel in this trip")


async def _check_parent(call: Call, channel_id: str, parent_id: str) -> None:
    if not (await call.db.execute(_PARENT, {"message": parent_id, "channel": channel_id})).scalar_one():
        raise invalid_field("parentId", "no message of this channel has this id")


HANDLERS = (
    serve_read(LIST_CHANNELS, list_channels),
    serve_read(LIST_MESSAGES, list_messages),
    serve(SEND_MESSAGE, send_message),
)
