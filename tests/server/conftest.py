"""Server processes, driven line by line by a client without an SDK, and a service that the tests control."""

import json
import os
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from subprocess import PIPE
from typing import Any
from urllib.parse import unquote

import anyio
import anyio.lowlevel
import httpx
import pytest
from anyio.abc import Process
from anyio.streams.buffered import BufferedByteReceiveStream

from tests.forks import Forked, ForkServer
from trips_mcp.client import Endpoint, TripsClient
from trips_mcp.server.offer import Offer, offer
from trips_mcp.settings import Settings

STUB = Path(__file__).with_name("stub.py")
SECONDS = 30
LONGEST_ANSWER = 64 * 1024 * 1024

Message = dict[str, Any]


class Child:
    """One process; every wait for it is bounded."""

    def __init__(self, process: Process | Forked, stderr: Path) -> None:
        self.process = process
        self._stderr = stderr
        self._lines = BufferedByteReceiveStream(process.stdout) if process.stdout else None
        self._others: list[Message] = []

    async def write(self, *lines: bytes) -> None:
        assert self.process.stdin is not None
        with anyio.fail_after(SECONDS):
            await self.process.stdin.send(b"".join(lines))

    async def end_input(self) -> None:
        assert self.process.stdin is not None
        await self.process.stdin.aclose()

    async def send(self, request_id: object, method: str, /, **params: Any) -> None:
        await self._message({"id": request_id, "method": method, "params": params})

    async def notify(self, method: str, /, **params: Any) -> None:
        await self._message({"method": method, "params": params})

    async def call(self, request_id: object, tool: str, /, **arguments: Any) -> None:
        await self.send(request_id, "tools/call", name=tool, arguments=arguments)

    async def open(self) -> Message:
        """The handshake of the older protocols."""
        await self.knock()
        return await self.answer("open")

    async def knock(self) -> None:
        await self.send(
            "open",
            "initialize",
            protocolVersion="2025-11-25",
            capabilities={},
            clientInfo={"name": "test", "version": "1"},
        )
        await self.notify("notifications/initialized")

    async def receive(self) -> Message:
        assert self._lines is not None
        with anyio.fail_after(SECONDS):
            line = await self._lines.receive_until(b"\n", LONGEST_ANSWER)
        return json.loads(line)

    async def answer(self, request_id: object) -> Message:
        """The answer to that request; what comes before it is kept for `rest`."""
        for message in self._others:
            if _answers(message, request_id):
                self._others.remove(message)
                return message
        while not _answers(message := await self.receive(), request_id):
            self._others.append(message)
        return message

    async def text(self, request_id: object) -> str:
        """What a tool that was called said."""
        answer = await self.answer(request_id)
        return answer["result"]["content"][0]["text"]

    async def rest(self) -> list[Message]:
        """All else it has said, and says until it is gone."""
        found = self._others
        while True:
            try:
                found.append(await self.receive())
            except (anyio.EndOfStream, anyio.IncompleteRead):
                return found

    async def exit_code(self) -> int:
        with anyio.fail_after(SECONDS):
            return await self.process.wait()

    @property
    def most_memory(self) -> int:
        """The most it has had at once so far, in MiB; 0 on systems that don't tell."""
        status = Path(f"/proc/{self.process.pid}/status")
        lines = status.read_text().splitlines() if status.exists() else []
        return next((int(line.split()[1]) // 1024 for line in lines if line.startswith("VmHWM")), 0)

    @property
    def log(self) -> str:
        return self._stderr.read_text()

    async def logged(self, text: str) -> None:
        with anyio.fail_after(SECONDS):
            while text not in self.log:  # noqa: ASYNC110 - a file tells nobody that it grows
                await anyio.sleep(0.01)

    async def _message(self, message: Message) -> None:
        await self.write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")


def _answers(message: Message, request_id: object) -> bool:
    return "method" not in message and message["id"] == request_id


Start = Callable[..., Awaitable[Child]]


@pytest.fixture
async def start(tmp_path: Path, fork_server: ForkServer | None) -> AsyncGenerator[Start]:
    """Starts the stub with these words, or with `real=True` the command with these arguments.

    With `cold=True` it imports what it needs itself, which takes a second.
    """
    children: list[Child] = []
    files = {
        "TRIPS_MCP_DATABASE": str(tmp_path / "trips.db"),
        "TRIPS_MCP_JOURNAL": str(tmp_path / "journal.db"),
        "TRIPS_MCP_HISTORY": str(tmp_path / "history.db"),
    }

    async def start(
        *words: str,
        real: bool = False,
        cold: bool = False,
        stdin: int = PIPE,
        stdout: int = PIPE,
        **env: str,
    ) -> Child:
        stderr = tmp_path / f"stderr-{len(children)}"
        environment = {**os.environ, **files, **env}
        with stderr.open("wb") as sink:
            if fork_server is None or cold:
                process = await anyio.open_process(
                    [sys.executable, *(("-m", "trips_mcp") if real else (str(STUB),)), *words],
                    stdin=stdin,
                    stdout=stdout,
                    stderr=sink,
                    env=environment,
                )
            else:
                whole = list(words) if real else ["stub", *words]
                process = fork_server.start(whole, environment, stdin=stdin, stdout=stdout, stderr=sink.fileno())
        children.append(Child(process, stderr))
        return children[-1]

    yield start

    for child in children:
        if child.process.returncode is None:
            child.process.kill()
        await child.process.aclose()


class Service:
    """A Trips API of these trips, in this process, that counts what it is asked, and can be told to fail."""

    def __init__(self) -> None:
        self.trips: list[Message] = []
        self.asked: list[str] = []
        self.status = 200
        self._now = 1000.0

    def offer(self, **env: str) -> Offer:
        """Of a server that speaks to it."""
        return replace(offer(Settings.from_env({"OSOTO_API_KEY": "osk_x", **env})), connect=self._connect)

    @asynccontextmanager
    async def _connect(self) -> AsyncGenerator[TripsClient]:
        endpoint = Endpoint("http://trips.test/api/v1", "osk_x", httpx.MockTransport(self._answer))
        async with TripsClient(trips=endpoint, events=None, clock=lambda: self._now, sleep=self._sleep) as client:
            yield client

    def _answer(self, request: httpx.Request) -> httpx.Response:
        *_, last = request.url.path.split("/")
        self.asked.append(last)
        if self.status != 200:
            return httpx.Response(self.status, text="<html>database at 10.0.0.7 is down</html>")
        if last == "me":
            return httpx.Response(200, json={"user": {"_id": "usr"}, "groups": [], "defaultGroupId": "grp"})
        if last == "trips":
            return httpx.Response(200, json={"items": self.trips})
        named = {trip["_id"]: trip for trip in self.trips}.get(unquote(request.url.raw_path.decode().split("/")[4]))
        if named is None:
            return httpx.Response(404, json={"error": {"code": "NOT_FOUND", "message": "No such trip."}})
        return httpx.Response(200, json=named if last != "export" else {"trip": named, "legs": []})

    async def _sleep(self, seconds: float) -> None:
        """Nobody waits for it: the client's time is what passes."""
        await anyio.lowlevel.checkpoint()
        self._now += seconds


@pytest.fixture
def service() -> Service:
    return Service()
