"""The migrations create the same tables as the code, on both databases."""

from collections.abc import Callable, Generator
from typing import Any, Protocol

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from anyio.from_thread import start_blocking_portal
from sqlalchemy import Connection, inspect
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from trips_mcp.backend.store.schema import REVISIONS, SCHEMA, configured, make_tables, upgrade

Make = Callable[[Connection], object]
Look = Callable[[Make, Callable[[Connection], Any]], Any]


class Servers(Protocol):
    def database(self, how: str = "") -> Any: ...


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def made(request: pytest.FixtureRequest) -> Generator[Look]:
    """Inspects a new database after its tables were created in this way."""
    with start_blocking_portal() as portal:

        async def look(url: str, make: Make, find: Callable[[Connection], Any]) -> Any:
            engine: AsyncEngine = create_async_engine(url)
            try:
                async with engine.begin() as db:
                    await db.run_sync(make)
                    return await db.run_sync(find)
            finally:
                await engine.dispose()

        def looked(make: Make, find: Callable[[Connection], Any]) -> Any:
            if request.param == "sqlite":
                return portal.call(look, "sqlite+aiosqlite://", make, find)
            servers: Servers = request.getfixturevalue("postgresql")
            with servers.database() as url:
                return portal.call(look, url, make, find)

        yield looked


def at_once(db: Connection) -> None:
    make_tables(db, SCHEMA, "it")


def step_by_step(db: Connection) -> None:
    upgrade(db, SCHEMA)


def differences(db: Connection) -> list[Any]:
    """Differences from the tables in the code, as Alembic sees them."""
    return compare_metadata(MigrationContext.configure(db, opts={"version_table": REVISIONS}), SCHEMA.metadata)


def described(db: Connection) -> dict[str, Any]:
    """The full description of the tables, which is more than Alembic compares."""
    there = inspect(db)
    looks = (
        there.get_columns,
        there.get_indexes,
        there.get_unique_constraints,
        there.get_foreign_keys,
        there.get_check_constraints,
    )
    tables = sorted(set(there.get_table_names()) - {REVISIONS})
    return {table: [sorted(map(str, look(table))) for look in looks] for table in tables}


@pytest.mark.parametrize("make", [at_once, step_by_step])
def test_what_is_made_is_what_the_code_describes(made: Look, make: Make) -> None:
    assert made(make, differences) == []


def test_the_migrations_lead_to_the_same_tables(made: Look) -> None:
    expected = made(at_once, described)

    assert set(expected) == set(SCHEMA.metadata.tables)
    assert made(step_by_step, described) == expected


def test_the_newest_migration_is_the_one_that_the_code_needs() -> None:
    scripts = ScriptDirectory.from_config(configured(SCHEMA))

    assert scripts.get_heads() == [SCHEMA.newest]
    assert [script.revision for script in scripts.walk_revisions()][-1] == "0001"
