"""Label, group and last use of keys, display names of users, and encrypted stored responses."""

import sqlalchemy as sa
from alembic import op

from trips_mcp.backend.idempotency import key_digest, sealed

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    with op.batch_alter_table("api_keys") as batch_op:
        batch_op.add_column(sa.Column("label", _text()))
        batch_op.add_column(
            sa.Column(
                "group_id", _text(), sa.ForeignKey("groups.id", name="api_keys_group_id_fkey", ondelete="SET NULL")
            )
        )
        batch_op.add_column(sa.Column("last_used_at", _text()))
        batch_op.create_index(batch_op.f("ix_api_keys_group_id"), ["group_id"])
    with op.batch_alter_table("users") as batch_op:
        batch_op.add_column(sa.Column("display_name", _text()))
    _seal_kept_answers()


def _text() -> sa.Text:
    return sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def _seal_kept_answers() -> None:
    """Encrypts stored responses, so that a retry from before the migration still gets the first response."""
    db = op.get_bind()
    texts = (sa.column(name, sa.Text) for name in ("caller", "key", "request_id"))
    kept = sa.table("idempotency", *texts, sa.column("body", sa.LargeBinary))
    for row in db.execute(sa.select(kept)).mappings().all():
        key: str = row["key"]
        now = {"key": key_digest(row["caller"], key), "body": sealed(row["body"] or b"", key, row["request_id"])}
        db.execute(kept.update().where(kept.c.caller == row["caller"], kept.c.key == key).values(now))
