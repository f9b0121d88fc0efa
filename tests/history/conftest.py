"""Fixtures for both histories, on a clock that only the tests move."""

from collections.abc import AsyncGenerator, Callable
from pathlib import Path

import pytest

from trips_mcp.history import History
from trips_mcp.history.memory import MemoryHistory
from trips_mcp.history.persistent import SqliteHistory

OnFile = Callable[..., SqliteHistory]


class Clock:
    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "state" / "history.db"


@pytest.fixture
async def on_file(file: Path, clock: Clock) -> AsyncGenerator[OnFile]:
    """Opens the file as another process would."""
    opened: list[SqliteHistory] = []

    def on_file(**settings: int) -> SqliteHistory:
        opened.append(SqliteHistory(file, clock=clock, timer=clock, largest=settings.get("largest")))
        return opened[-1]

    yield on_file

    for history in opened:
        await history.aclose()


@pytest.fixture(params=["memory", "file"])
def history(request: pytest.FixtureRequest, clock: Clock, on_file: OnFile) -> History:
    return MemoryHistory(clock=clock) if request.param == "memory" else on_file()
