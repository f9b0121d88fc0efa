"""What Alembic runs for every command: over the connection and the tables of trips_mcp.backend.store.migrate."""

from alembic import context

from trips_mcp.backend.store.schema import REVISIONS

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=context.config.attributes["metadata"],
    version_table=REVISIONS,
    render_as_batch=True,  # SQLite alters next to nothing: its tables are copied
)
with context.begin_transaction():
    context.run_migrations()
