"""Alembic's environment, with the connection and tables from trips_mcp.backend.store.schema."""

from alembic import context

from trips_mcp.backend.store.schema import REVISIONS

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=context.config.attributes["metadata"],
    version_table=REVISIONS,
    render_as_batch=True,  # SQLite has little ALTER TABLE: Alembic copies the table
)
with context.begin_transaction():
    context.run_migrations()
