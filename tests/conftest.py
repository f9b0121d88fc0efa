"""The stack, bottom up: a fresh embedded backend behind a client."""

import asyncio
import gc
import os
import shutil
import sys
from collections.abc import AsyncGenerator, Generator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.forks import FORKS, ForkServer
from trips_mcp.backend import open_backend
from trips_mcp.client import TripsClient
from trips_mcp.connect import connect
from trips_mcp.settings import Settings

_IN_MEMORY = Path("/dev/shm")  # noqa: S108
_BYTES_IN_MEMORY = 4 * 1024**3

# A busy machine is slow, which is no fault of the code under test.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")


def pytest_configure() -> None:
    """Keeps the tests' files in memory on systems that can: a transaction waits for a disk several times."""
    if _IN_MEMORY.is_dir() and shutil.disk_usage(_IN_MEMORY).free > _BYTES_IN_MEMORY:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(_IN_MEMORY))
    gc.disable()


def pytest_collection_finish() -> None:
    """The garbage collector need not look through thousands of tests."""
    gc.freeze()
    gc.enable()


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session", autouse=True)
def nobodys_folders(tmp_path_factory: pytest.TempPathFactory) -> Generator[None]:
    """What no test names a place for, and the processes it starts, goes here and not among the user's own files."""
    folder = str(tmp_path_factory.mktemp("user"))
    with pytest.MonkeyPatch.context() as environment:
        for name in ("XDG_STATE_HOME", "XDG_DATA_HOME", "WIN_PD_OVERRIDE_LOCAL_APPDATA"):
            environment.setenv(name, folder)
        # every process that a test starts would compile the whole dependency tree again
        environment.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
        yield


@pytest.fixture(scope="session")
def fork_server(nobodys_folders: None) -> Generator[ForkServer | None]:
    """Starts processes of ours without their imports; None on systems where it cannot."""
    if not FORKS:
        yield None
        return
    with closing(ForkServer()) as server:
        yield server


@pytest.fixture(scope="session")
def command(fork_server: ForkServer | None) -> list[str]:
    """What starts `trips-mcp`, without its imports where that can be, for tests that are not of its start."""
    return [sys.executable, "-m", "trips_mcp"] if fork_server is None else fork_server.command


@pytest.fixture(scope="session")
def new_database(tmp_path_factory: pytest.TempPathFactory) -> Generator[Path]:
    """A database as it is made, once for all: making it takes longer than most tests do. Tests use copies of it."""
    file = tmp_path_factory.mktemp("database") / "trips.db"

    async def make() -> None:
        async with open_backend(str(file), require_keys=False):
            pass

    asyncio.run(make())
    made = file.read_bytes()
    yield file
    assert (file.read_bytes(), list(file.parent.iterdir())) == (made, [file]), "a test used the original"


@pytest.fixture
async def trips(new_database: Path, tmp_path: Path) -> AsyncGenerator[TripsClient]:
    settings = Settings.from_env(
        {
            "TRIPS_MCP_DATABASE": str(shutil.copy(new_database, tmp_path / "trips.db")),
            "TRIPS_MCP_JOURNAL": str(tmp_path / "journal.db"),
            "TRIPS_MCP_HISTORY": str(tmp_path / "history.db"),
        }
    )
    async with connect(settings) as client:
        yield client
