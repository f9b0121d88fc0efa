"""Fixtures for both journals, on a clock that only the tests move."""

from collections.abc import AsyncGenerator, Callable
from pathlib import Path

import pytest

from trips_mcp.client.journal import Journal, MemoryJournal, SqliteJournal


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
    return tmp_path / "state" / "journal.db"


@pytest.fixture
async def on_file(file: Path, clock: Clock) -> AsyncGenerator[Callable[[], SqliteJournal]]:
    """Opens the file as another process would: each has its own lock."""
    opened: list[SqliteJournal] = []

    def on_file() -> SqliteJournal:
        opened.append(SqliteJournal(file, clock=clock, timer=clock))
        return opened[-1]

    yield on_file

    for journal in opened:
        await journal.aclose()


@pytest.fixture(params=["memory", "file"])
def journal(request: pytest.FixtureRequest, clock: Clock, on_file: Callable[[], SqliteJournal]) -> Journal:
    return MemoryJournal(clock) if request.param == "memory" else on_file()
