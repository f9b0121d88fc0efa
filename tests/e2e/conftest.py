"""Real processes: the command, the backend as a service, the MCP server driven by a real client over stdio."""

import os
import subprocess
import sys
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    ExitStack,
    asynccontextmanager,
    contextmanager,
)
from functools import partial
from pathlib import Path

import pytest
from mcp import Client, StdioServerParameters

from trips_mcp.backend import create_key
from trips_mcp.scopes import Scope

COLD = (sys.executable, "-m", "trips_mcp")
"""The command as it is started elsewhere; the others need not import what it does."""
SECONDS = 60
"""The most that any wait may take; only a hanging process needs it."""
LIFETIME = 1200
"""Seconds that a service shared by many tests may live."""

Run = Callable[..., subprocess.CompletedProcess[str]]
Serve = Callable[..., AbstractContextManager[str]]
Connect = Callable[..., AbstractAsyncContextManager[Client]]
KeyFor = Callable[..., Awaitable[str]]


def environment_with(**settings: str) -> dict[str, str]:
    """This process's, so that coverage reaches the children, but with none of our settings except these."""
    ours = ("OSOTO_", "TRAVELMODE_", "TRIPS_MCP_")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)} | settings


@pytest.fixture(scope="session")
def run(command: list[str]) -> Run:
    """`trips-mcp` with these words, to its end."""

    def run(*words: str, stdin: str = "", cold: bool = False, **settings: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*(COLD if cold else command), *words],
            input=stdin,
            env=environment_with(**settings),
            capture_output=True,
            encoding="utf-8",
            timeout=SECONDS,
            check=False,
        )

    return run


@contextmanager
def started(command: list[str], seconds: float = SECONDS, **settings: str) -> Generator[subprocess.Popen[str]]:
    """The command with these settings, while the block lasts, and no longer than this."""
    process = subprocess.Popen(command, env=environment_with(**settings), stderr=subprocess.PIPE, encoding="utf-8")
    last_resort = threading.Timer(seconds, process.kill)  # a line that never comes then ends in a failure
    last_resort.start()
    with process:
        try:
            yield process
        finally:
            last_resort.cancel()
            process.kill()


@contextmanager
def served(command: list[str], database: Path, rate_limit: str) -> Generator[str]:
    """The address of a `backend serve` on a free port, which ends cleanly with the block."""
    words = ("backend", "serve", "--port", "0", "--database", str(database), "--rate-limit", rate_limit)
    with started([*command, *words], LIFETIME) as process:
        assert process.stderr is not None
        line = process.stderr.readline()
        assert line.startswith("Serving http://127.0.0.1:"), line + process.stderr.read()
        yield line.split()[1].removesuffix("/api/v1")
        process.terminate()
        said = process.stderr.read()
        if sys.platform != "win32":  # there, to terminate is to kill
            assert (process.wait(), said) == (0, "")


@pytest.fixture
def start(command: list[str]) -> Generator[Callable[..., subprocess.Popen[str]]]:
    """Starts `trips-mcp` with these words; it is ended with the test."""
    with ExitStack() as stack:
        yield lambda *words, **settings: stack.enter_context(started([*command, *words], **settings))


@pytest.fixture(scope="session")
def serve(command: list[str]) -> Serve:
    return partial(served, command)


@pytest.fixture(scope="session")
def connect(command: list[str]) -> Connect:
    """A client of an MCP server process with these settings."""

    @asynccontextmanager
    async def connect(**settings: str) -> AsyncGenerator[Client]:
        server = StdioServerParameters(command=command[0], args=command[1:], env=environment_with(**settings))
        async with Client(server, read_timeout_seconds=SECONDS) as client:
            yield client

    return connect


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("backend") / "trips.db"


@pytest.fixture(scope="session")
def base(command: list[str], database: Path) -> Generator[str]:
    """Where a backend listens that has no rate limit. All share it: who needs an empty one is a user of their own."""
    with served(command, database, "off") as address:
        yield address


@pytest.fixture(scope="session")
def key_for(database: Path) -> KeyFor:
    """A key of a user; in this process, as `backend create-key` takes a second to start."""

    async def key_for(user: str, *scopes: str, group: str | None = None) -> str:
        return await create_key(str(database), [Scope.parse(scope) for scope in scopes], user, group=group)

    return key_for


@pytest.fixture(scope="session")
def environment() -> Callable[..., dict[str, str]]:
    return environment_with
