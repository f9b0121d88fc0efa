"""SQLAlchemy Core tables for SQLite and PostgreSQL; a change here needs a migration.

Every table has an ever-growing `seq` besides its public `id`, for a stable order and for cursors.
"""

from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from trips_mcp.backend.store.connection import Number

metadata = MetaData()

_Big = BigInteger().with_variant(Integer(), "sqlite")
_Text = Text().with_variant(Text(collation="C"), "postgresql")
"""Compared and sorted by bytes, as in SQLite, whatever the locale of the server."""
_Json = JSON(none_as_null=True)


def _seq() -> Column[int]:
    return Column("seq", _Big, primary_key=True, autoincrement=True)


def _id() -> Column[str]:
    return Column("id", _Text, nullable=False, unique=True)


def _text(name: str) -> Column[str]:
    return Column(name, _Text, nullable=False)


def _maybe(name: str) -> Column[str | None]:
    return Column(name, _Text)


def _of(table: str, name: str, **how: Any) -> Column[str]:
    """A required reference to `table`; the row is deleted with the referenced one."""
    return Column(name, _Text, ForeignKey(f"{table}.id", ondelete="CASCADE"), nullable=False, **how)


def _link(table: str, column: str, *, name: str | None = None) -> Column[str | None]:
    """An optional reference to `table`, set to null when the referenced row is deleted.

    `name`: of the constraint; to add one to a table that is there, Alembic needs it on SQLite.
    """
    return Column(column, _Text, ForeignKey(f"{table}.id", name=name, ondelete="SET NULL"), index=True)


def _table(name: str, *columns: Column[Any] | UniqueConstraint | Index) -> Table:
    return Table(name, metadata, _seq(), *columns, sqlite_autoincrement=True)


users = _table(
    "users",
    _id(),
    Column("name", _Text, nullable=False, unique=True),  # for administrators
    _maybe("email"),
    _maybe("phone"),
    _maybe("display_name"),  # for other users; the default is the name
)
groups = _table("groups", _id(), Column("name", _Text, nullable=False, unique=True))
group_members = _table(
    "group_members",
    _of("groups", "group_id"),
    _of("users", "user_id", index=True),
    _text("role"),
    UniqueConstraint("group_id", "user_id"),
)
api_keys = _table(
    "api_keys",
    _id(),
    Column("digest", _Text, nullable=False, unique=True),
    _of("users", "user_id"),
    Column("scopes", _Json, nullable=False),
    _text("created_at"),
    _maybe("label"),
    _link("groups", "group_id", name="api_keys_group_id_fkey"),  # the default group of new trips
    _maybe("last_used_at"),
)
trips = _table(
    "trips",
    _id(),
    _of("groups", "group_id", index=True),
    _of("users", "creator_id"),
    _text("title"),
    _text("start_date"),
    _text("end_date"),
    _text("status"),
    Column("itinerary_revision", Integer, nullable=False, server_default=text("0")),
)
legs = _table(
    "legs",
    _id(),
    _of("trips", "trip_id"),
    Column("order", Number, nullable=False),
    _text("title"),
    _text("destination"),
    _text("start_date"),
    _text("end_date"),
    _text("timezone"),
    Column("accommodation", _Json),
    Column("flights", _Json),
    Column("rental_car", _Json),
    _maybe("client_ref"),
    UniqueConstraint("trip_id", "client_ref"),
    Index("legs_in_order", "trip_id", "order", "seq"),
)
action_items = _table(
    "action_items",
    _id(),
    _of("trips", "trip_id"),
    _text("text"),
    _text("urgency"),
    _link("users", "owner"),
    Column("completed", Boolean, nullable=False),
    _maybe("client_ref"),
    UniqueConstraint("trip_id", "client_ref"),
)
map_pins = _table(
    "map_pins",
    _id(),
    _of("trips", "trip_id"),
    _text("name"),
    Column("lat", Number, nullable=False),
    Column("lng", Number, nullable=False),
    _maybe("category"),
    _maybe("notes"),
    _maybe("client_ref"),
    UniqueConstraint("trip_id", "client_ref"),
)
commitments = _table(
    "commitments",
    _id(),
    _of("trips", "trip_id"),
    _text("title"),
    _text("start_date"),
    _maybe("start_time"),
    _maybe("end_time"),
    Column("is_all_day", Boolean),
    _maybe("timezone"),
    _text("category"),
    _link("legs", "leg_id"),
    _link("map_pins", "map_pin_id"),
    _maybe("notes"),
    Index("commitments_by_date", "trip_id", "start_date"),
)
channels = _table("channels", _id(), _of("trips", "trip_id", index=True), _text("name"))
messages = _table(
    "messages",
    _id(),
    _of("channels", "channel_id"),
    _of("users", "author_id"),
    _text("content"),
    _link("messages", "parent_id"),
    _text("created_at"),
    Index("messages_in_channel", "channel_id", "seq"),
)
share_tokens = _table(
    "share_tokens",
    _of("trips", "trip_id", unique=True),
    Column("digest", _Text, nullable=False, unique=True),
    _text("created_at"),
)
events = _table(
    "events",
    _text("type"),
    _text("title"),
    _text("date"),
    _maybe("time"),
    _maybe("description"),
    _maybe("location"),
    _maybe("importance"),
    _of("users", "planner_id"),
    Column("revision", Integer, nullable=False),
    _maybe("deleted_at"),
)
event_trips = Table(
    "event_trips",
    metadata,
    Column("event", _Big, ForeignKey("events.seq", ondelete="CASCADE"), primary_key=True),
    Column("trip", _Big, ForeignKey("trips.seq", ondelete="CASCADE"), primary_key=True, index=True),
)
idempotency = Table(
    "idempotency",
    metadata,
    Column("caller", _Text, primary_key=True),
    Column("key", _Text, primary_key=True),
    _text("fingerprint"),
    _text("request_id"),
    Column("status", Integer),
    Column("body", LargeBinary),
    Column("expires_at", Float, nullable=False, index=True),
)
rate_windows = Table(
    "rate_windows",
    metadata,
    Column("bucket", _Text, primary_key=True),
    Column("started", Float, nullable=False, index=True),
    Column("count", Integer, nullable=False),
)
