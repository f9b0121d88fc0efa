"""Server processes of one user, talked to line by line, and killed with SIGKILL."""

import io
import json
import os
import select
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, Final, Protocol

from tests.forks import ForkServer

SECONDS: Final = 60
"""The limit of any wait; only a hanging process reaches it."""
MOST_TIMES: Final = 5
"""How often the kills are repeated at most, until enough of them met the moment that the test is about."""

Fields = dict[str, Any]


class Running(Protocol):
    """A process that can be killed."""

    def kill(self) -> None: ...

    def join(self) -> object: ...


class Started(subprocess.Popen[bytes]):
    """One that imports what it needs itself."""

    def join(self) -> None:
        self.wait(SECONDS)


Launch = Callable[[int, int], Running]
"""Starts a server on these descriptors, its stdin and its stdout."""


def launcher(environment: dict[str, str], forks: ForkServer | None) -> Launch:
    """Starts each server as a host does, or forks it, which saves the time of its imports."""

    def launch(stdin: int, stdout: int) -> Running:
        command = [sys.executable, "-m", "trips_mcp"]
        return Started(command, env=environment, stdin=stdin, stdout=stdout, stderr=subprocess.DEVNULL)

    def fork(stdin: int, stdout: int) -> Running:
        assert forks is not None
        return forks.start([], environment, stdin=stdin, stdout=stdout, stderr=subprocess.DEVNULL)

    return launch if forks is None else fork


class Server:
    """A `trips-mcp` process that the test talks to line by line."""

    def __init__(self, launch: Launch, output: str = "pipe") -> None:
        """`output`: what it writes to, a `pipe` or, as hosts on Node have it, a `socket`."""
        reading, writing = os.pipe() if output == "pipe" else [end.detach() for end in socket.socketpair()]
        stdin, to = os.pipe()
        for ours in (reading, to):
            os.set_inheritable(ours, False)
        self._process = launch(stdin, writing)
        os.close(stdin)
        os.close(writing)
        self._to, self._from = io.FileIO(to, "w"), io.FileIO(reading)
        self._unread = b""
        self._last_id = 0
        self._last_resort = threading.Timer(SECONDS, self._process.kill)
        self._last_resort.start()
        face = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
        self.answer(self.send("initialize", face))
        self.notify("notifications/initialized", {})

    def call(self, tool: str, arguments: Fields) -> Fields:
        """The result of a call that must succeed."""
        result = self.answer(self.begin_call(tool, arguments))["result"]
        assert not result.get("isError"), result
        return result["structuredContent"]

    def begin_call(self, tool: str, arguments: Fields) -> int:
        return self.send("tools/call", {"name": tool, "arguments": arguments})

    def send(self, method: str, params: Fields) -> int:
        self._last_id += 1
        self._write({"id": self._last_id, "method": method, "params": params})
        return self._last_id

    def notify(self, method: str, params: Fields) -> None:
        self._write({"method": method, "params": params})

    def answer(self, request_id: int) -> Fields:
        for message in self._messages():
            if message.get("id") == request_id and "method" not in message:
                return message
        raise AssertionError("the server has ended")

    def has_said_something(self) -> bool:
        return bool(select.select([self._from], [], [], 0)[0])

    def kill(self, request_id: int) -> Fields | None:
        """The answer to that request, if it was written."""
        self._process.kill()
        self._process.join()
        found = [message for message in self._messages() if message.get("id") == request_id]
        self.close()
        return found[0] if found else None

    def close(self) -> None:
        self._last_resort.cancel()
        self._process.kill()
        self._process.join()
        with suppress(BrokenPipeError):
            self._to.close()
        self._from.close()

    def _write(self, message: Fields) -> None:
        self._to.write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")

    def _messages(self) -> Generator[Fields]:
        """Whole lines only: a truncated line tells the host nothing."""
        while True:
            while b"\n" in self._unread:
                line, self._unread = self._unread.split(b"\n", 1)
                yield json.loads(line)
            chunk = os.read(self._from.fileno(), 1 << 16)
            if not chunk:
                return
            self._unread += chunk


def until(seen: Callable[[], bool]) -> None:
    last = time.monotonic() + SECONDS
    while not seen():
        assert time.monotonic() < last, "what was waited for never came"
        time.sleep(0.0002)  # who looks without a pause keeps what is looked for from coming


def let_pass(microseconds: float) -> None:
    last = time.perf_counter() + microseconds / 1e6
    until(lambda: time.perf_counter() >= last)


def keys_noted(journal: Path) -> set[str]:
    """Also empty while the file is being created."""
    if not journal.exists():
        return set()
    with closing(sqlite3.connect(journal)) as database:
        try:
            return {key for (key,) in database.execute("SELECT key FROM writes")}
        except sqlite3.OperationalError:
            return set()


class Home:
    """The files of one user, and the server processes that work on them one after the other."""

    def __init__(self, folder: Path, settings: dict[str, str], forks: ForkServer | None) -> None:
        self.journal = folder / "journal.db"
        self.history = folder / "history.db"
        self.database = folder / "trips.db"
        ours = ("OSOTO_", "TRAVELMODE_", "TRIPS_MCP_")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        files = {
            "TRIPS_MCP_DATABASE": str(self.database),
            "TRIPS_MCP_JOURNAL": str(self.journal),
            "TRIPS_MCP_HISTORY": str(self.history),
        }
        environment = kept | files | settings
        self._launch = launcher(environment, forks)
        self.server = self.start()

    def start(self, output: str = "pipe") -> Server:
        self.server = Server(self._launch, output)
        return self.server

    def close(self) -> None:
        self.server.close()


@contextmanager
def home(folder: Path, forks: ForkServer | None, **settings: str) -> Generator[Home]:
    with closing(Home(folder, settings, forks)) as user:
        yield user
