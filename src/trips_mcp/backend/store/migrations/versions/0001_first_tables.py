"""The first tables, as in SQLite files from before Alembic and in the first PostgreSQL version."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
JSON = sa.JSON(none_as_null=True)


def upgrade() -> None:
    _table("users", _id(), sa.Column("name", TEXT, nullable=False, unique=True), _maybe("email"), _maybe("phone"))
    _table("groups", _id(), sa.Column("name", TEXT, nullable=False, unique=True))
    _table(
        "group_members",
        _of("groups", "group_id"),
        _of("users", "user_id", index=True),
        _text("role"),
        sa.UniqueConstraint("group_id", "user_id"),
    )
    _table(
        "api_keys",
        _id(),
        sa.Column("digest", TEXT, nullable=False, unique=True),
        _of("users", "user_id"),
        sa.Column("scopes", JSON, nullable=False),
        _text("created_at"),
    )
    _table(
        "trips",
        _id(),
        _of("groups", "group_id", index=True),
        _of("users", "creator_id"),
        _text("title"),
        _text("start_date"),
        _text("end_date"),
        _text("status"),
        sa.Column("itinerary_revision", sa.Integer(), nullable=False, server_default=sa.text("0")),
    )
    _table(
        "legs",
        _id(),
        _of("trips", "trip_id"),
        sa.Column("order", sa.Float(), nullable=False),
        _text("title"),
        _text("destination"),
        _text("start_date"),
        _text("end_date"),
        _text("timezone"),
        sa.Column("accommodation", JSON),
        sa.Column("flights", JSON),
        sa.Column("rental_car", JSON),
        _maybe("client_ref"),
        sa.UniqueConstraint("trip_id", "client_ref"),
    )
    op.create_index("legs_in_order", "legs", ["trip_id", "order", "seq"])
    _table(
        "action_items",
        _id(),
        _of("trips", "trip_id"),
        _text("text"),
        _text("urgency"),
        _link("users", "owner"),
        sa.Column("completed", sa.Boolean(), nullable=False),
        _maybe("client_ref"),
        sa.UniqueConstraint("trip_id", "client_ref"),
    )
    _table(
        "map_pins",
        _id(),
        _of("trips", "trip_id"),
        _text("name"),
        sa.Column("lat", sa.Float(), nullable=False),
        sa.Column("lng", sa.Float(), nullable=False),
        _maybe("category"),
        _maybe("notes"),
        _maybe("client_ref"),
        sa.UniqueConstraint("trip_id", "client_ref"),
    )
    _table(
        "commitments",
        _id(),
        _of("trips", "trip_id"),
        _text("title"),
        _text("start_date"),
        _maybe("start_time"),
        _maybe("end_time"),
        sa.Column("is_all_day", sa.Boolean()),
        _maybe("timezone"),
        _text("category"),
        _link("legs", "leg_id"),
        _link("map_pins", "map_pin_id"),
        _maybe("notes"),
    )
    op.create_index("commitments_by_date", "commitments", ["trip_id", "start_date"])
    _table("channels", _id(), _of("trips", "trip_id", index=True), _text("name"))
    _table(
        "messages",
        _id(),
        _of("channels", "channel_id"),
        _of("users", "author_id"),
        _text("content"),
        _link("messages", "parent_id"),
        _text("created_at"),
    )
    op.create_index("messages_in_channel", "messages", ["channel_id", "seq"])
    _table(
        "share_tokens",
        _of("trips", "trip_id", unique=True),
        sa.Column("digest", TEXT, nullable=False, unique=True),
        _text("created_at"),
    )
    _table(
        "events",
        _text("type"),
        _text("title"),
        _text("date"),
        _maybe("time"),
        _maybe("description"),
        _maybe("location"),
        _maybe("importance"),
        _of("users", "planner_id"),
        sa.Column("revision", sa.Integer(), nullable=False),
        _maybe("deleted_at"),
    )
    op.create_table(
        "event_trips",
        sa.Column("event", BIG, sa.ForeignKey("events.seq", ondelete="CASCADE"), primary_key=True),
        sa.Column("trip", BIG, sa.ForeignKey("trips.seq", ondelete="CASCADE"), primary_key=True, index=True),
    )
    op.create_table(
        "idempotency",
        sa.Column("caller", TEXT, primary_key=True),
        sa.Column("key", TEXT, primary_key=True),
        _text("fingerprint"),
        _text("request_id"),
        sa.Column("status", sa.Integer()),
        sa.Column("body", sa.LargeBinary()),
        sa.Column("expires_at", sa.Float(), nullable=False, index=True),
    )
    op.create_table(
        "rate_windows",
        sa.Column("bucket", TEXT, primary_key=True),
        sa.Column("started", sa.Float(), nullable=False, index=True),
        sa.Column("count", sa.Integer(), nullable=False),
    )
    if op.get_context().dialect.name == "postgresql":
        # every request writes here: UNLOGGED avoids the wait for the disk, and a crash only resets the windows
        op.execute("ALTER TABLE rate_windows SET UNLOGGED")


def _table(name: str, *columns: sa.schema.SchemaItem) -> None:
    op.create_table(
        name, sa.Column("seq", BIG, primary_key=True, autoincrement=True), *columns, sqlite_autoincrement=True
    )


def _id() -> sa.Column[str]:
    return sa.Column("id", TEXT, nullable=False, unique=True)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, TEXT, nullable=False)


def _maybe(name: str) -> sa.Column[str]:
    return sa.Column(name, TEXT)


def _of(table: str, name: str, *, index: bool = False, unique: bool = False) -> sa.Column[str]:
    key = sa.ForeignKey(f"{table}.id", ondelete="CASCADE")
    return sa.Column(name, TEXT, key, nullable=False, index=index or None, unique=unique or None)


def _link(table: str, name: str) -> sa.Column[str]:
    return sa.Column(name, TEXT, sa.ForeignKey(f"{table}.id", ondelete="SET NULL"), index=True)
