"""The stack, bottom up: a fresh embedded backend behind a client."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from trips_mcp.client import TripsClient
from trips_mcp.connect import connect
from trips_mcp.settings import Settings


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def trips(tmp_path: Path) -> AsyncGenerator[TripsClient]:
    settings = Settings.from_env({"TRIPS_MCP_DATABASE": str(tmp_path / "trips.db")})
    async with connect(settings) as client:
        yield client
