"""The app on a socket in this process, clients that write HTTP by hand, and a service that the tests control."""

import asyncio
import json
import os
import shutil
import socket
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from subprocess import DEVNULL
from typing import Any, Final, Self

import anyio
import anyio.lowlevel
import httpx
import httpx2
import pytest
import uvicorn
import uvicorn.server
from anyio.abc import Process, SocketStream
from mcp import Client
from mcp.client.extension import advertise
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamable_http_client
from mcp.server.apps import APP_MIME_TYPE, EXTENSION_ID
from mcp.shared.dispatcher import ProgressFnT
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp

from tests.forks import Forked, ForkServer
from tests.no_tls import NO_TLS
from trips_mcp.backend import create_key
from trips_mcp.scopes import BASE_SCOPES, Scope
from trips_mcp.server.http.app import App
from trips_mcp.server.http.factory import app_for_callers, app_for_this_computer
from trips_mcp.server.http.protocol import TimeoutProtocol
from trips_mcp.server.http.settings import HttpSettings, settings_of_callers
from trips_mcp.settings import Settings

SECONDS: Final = 30
"""The most that any wait may take; only what hangs needs it."""
ENVELOPE: Final[dict[str, Any]] = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
}
HEADERS: Final = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}


def doing(agent: Client, hear: ProgressFnT | None = None) -> Callable[..., Awaitable[dict[str, Any]]]:
    """Calls a tool that is to succeed, for its structured answer."""

    async def do(tool: str, /, **arguments: Any) -> dict[str, Any]:
        result = await agent.call_tool(tool, arguments, progress_callback=hear)
        assert not result.is_error, result.content
        assert result.structured_content is not None
        return result.structured_content

    return do


@dataclass
class Served:
    """An app that is being served."""

    address: str
    """Host and port."""
    lines: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    """What it has logged, a line a request."""
    app: App | None = None
    """None where it is another process's."""

    @property
    def base(self) -> str:
        return f"http://{self.address}"

    @property
    def url(self) -> str:
        return f"{self.base}/mcp"

    async def request(self, method: str, path: str, **more: Any) -> httpx.Response:
        async with httpx.AsyncClient(timeout=SECONDS, verify=NO_TLS) as http:
            return await http.request(method, self.base + path, **more)

    async def ask(
        self, method: str = "tools/list", key: str | None = None, headers: dict[str, str] | None = None, **params: Any
    ) -> httpx.Response:
        """One request of the older era."""
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        bearer = {} if key is None else {"Authorization": f"Bearer {key}"}
        return await self.request("POST", "/mcp", headers={**HEADERS, **bearer, **(headers or {})}, json=body)

    async def ask_modern(
        self, method: str = "tools/list", key: str | None = None, headers: dict[str, str] | None = None, **params: Any
    ) -> httpx.Response:
        """One request of the newer era, with the headers it has to have."""
        routing = {"MCP-Protocol-Version": "2026-07-28", "Mcp-Method": method}
        if "name" in params:
            routing["Mcp-Name"] = params["name"]
        return await self.ask(method, key, {**routing, **(headers or {})}, **params, _meta=ENVELOPE)

    async def call(self, tool: str, key: str | None = None, /, **arguments: Any) -> dict[str, Any]:
        """The result of a tool."""
        answer = await self.ask("tools/call", key, name=tool, arguments=arguments)
        assert answer.status_code == 200, answer.text
        return answer.json()["result"]

    @asynccontextmanager
    async def raw(self, local_host: str | None = None) -> AsyncGenerator[SocketStream]:
        """A connection, for what no HTTP client would send; from this address of this computer."""
        host, port = self.address.rsplit(":", 1)
        with anyio.fail_after(SECONDS):
            async with await anyio.connect_tcp(host, int(port), local_host=local_host) as stream:
                yield stream

    @asynccontextmanager
    async def agent(
        self, transport: str = "http", key: str | None = None, mode: Any = "auto", draws: bool = False, **headers: str
    ) -> AsyncGenerator[Client]:
        """The SDK's client, over `http` or `sse`. `draws`: as a host with MCP Apps."""
        if key is not None:
            headers = {**headers, "Authorization": f"Bearer {key}"}
        async with AsyncExitStack() as stack:
            stack.enter_context(anyio.fail_after(2 * SECONDS))
            streams: Any = sse_client(f"{self.base}/sse", headers=headers)
            if transport == "http":
                http = await stack.enter_async_context(
                    httpx2.AsyncClient(headers=headers, timeout=SECONDS, verify=NO_TLS)
                )
                streams = streamable_http_client(self.url, http_client=http)
            apps = [advertise(EXTENSION_ID, {"mimeTypes": [APP_MIME_TYPE]})] if draws else None
            client = Client(streams, mode=mode, cache=None, read_timeout_seconds=SECONDS, extensions=apps)
            yield await stack.enter_async_context(client)


Serve = Callable[..., AbstractAsyncContextManager[Served]]


@asynccontextmanager
async def on_a_socket(
    app: ASGIApp, protocol: type[TimeoutProtocol] = TimeoutProtocol, host: str = "127.0.0.1"
) -> AsyncGenerator[str]:
    """The address, for as long as the block. Without uvicorn's own server, which takes its time to begin and to end."""
    config = uvicorn.Config(app, http=protocol, ws="none", lifespan="off", log_config=None)
    config.load()
    state = uvicorn.server.ServerState()
    listener = socket.create_server((host, 0))
    server = await asyncio.get_running_loop().create_server(lambda: protocol(config, state, {}), sock=listener)
    try:
        yield f"127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.close()
        for connection in list(state.connections):
            connection.transport.abort()
        with anyio.fail_after(SECONDS):
            await asyncio.gather(*state.tasks, return_exceptions=True)
            await server.wait_closed()


@asynccontextmanager
async def served(
    opening: Callable[[Callable[[str], object]], AbstractAsyncContextManager[App]],
    protocol: type[TimeoutProtocol] = TimeoutProtocol,
    host: str = "127.0.0.1",
) -> AsyncGenerator[Served]:
    lines: list[dict[str, Any]] = []
    async with opening(lambda line: lines.append(json.loads(line))) as app, on_a_socket(app, protocol, host) as address:
        yield Served(address, lines, app)


@pytest.fixture(scope="session")
def serve() -> Serve:
    """Serves whatever `opening` opens."""
    return served


@pytest.fixture(scope="session")
def on_socket() -> Callable[..., AbstractAsyncContextManager[str]]:
    return on_a_socket


@pytest.fixture(scope="session")
def serve_at() -> Callable[[str], Served]:
    """What is served at an address already."""
    return Served


@pytest.fixture
def local(new_database: Path, tmp_path: Path) -> Serve:
    """For anybody on this computer, on the embedded backend."""
    shutil.copy(new_database, tmp_path)

    def local(
        *,
        host: str = "127.0.0.1",
        protocol: type[TimeoutProtocol] = TimeoutProtocol,
        body_seconds: float = 20,
        **flags: str,
    ) -> Any:
        settings = Settings.from_env(
            {
                "TRIPS_MCP_DATABASE": str(tmp_path / "trips.db"),
                "TRIPS_MCP_JOURNAL": str(tmp_path / "journal.db"),
                "TRIPS_MCP_HISTORY": str(tmp_path / "history.db"),
            }
        )
        http = replace(http_settings(flags), body_seconds=body_seconds)
        return served(lambda log: app_for_this_computer(settings, http, host, log), protocol, host)

    return local


@pytest.fixture
def team(new_database: Path, tmp_path: Path) -> Serve:
    """For callers with keys of the embedded backend on a file."""
    shutil.copy(new_database, tmp_path / "team.db")

    def team(**flags: str) -> Any:
        return for_callers(tmp_path, {"TRIPS_MCP_DATABASE": str(tmp_path / "team.db")}, http_settings(flags))

    return team


@pytest.fixture
def callers_of(tmp_path: Path) -> Serve:
    """For callers with keys of a service that is elsewhere."""

    def callers_of(
        base: str,
        events: bool = False,
        call_seconds: float = 60,
        quiet_seconds: float = 15,
        toolsets: str = "",
        **flags: str,
    ) -> Any:
        urls = {"OSOTO_BASE_URL": f"{base}/api/v1", "TRIPS_MCP_TOOLSETS": toolsets}
        urls |= {"TRAVELMODE_BASE_URL": base} if events else {}
        http = replace(http_settings(flags), call_seconds=call_seconds, quiet_seconds=quiet_seconds)
        return for_callers(tmp_path, urls, http)

    return callers_of


def http_settings(flags: dict[str, str]) -> HttpSettings:
    return HttpSettings.from_env({}, {f"--{name.replace('_', '-')}": text for name, text in flags.items()})


def for_callers(folder: Path, env: dict[str, str], http: HttpSettings) -> AbstractAsyncContextManager[Served]:
    settings = settings_of_callers({"TRIPS_MCP_JOURNAL": str(folder / "journal.db"), **env})
    return served(lambda log: app_for_callers(settings, http, "127.0.0.1", log))


KeyFor = Callable[..., Awaitable[str]]


@pytest.fixture
def key_for(tmp_path: Path) -> KeyFor:
    """A key of the team's backend: of this user, with these scopes; all where none is named."""

    async def key_for(user: str, *scopes: str) -> str:
        return await create_key(str(tmp_path / "team.db"), [Scope.parse(each) for each in scopes or BASE_SCOPES], user)

    return key_for


class Service:
    """A Trips API that knows its keys, and answers them as a test wants it to."""

    def __init__(self) -> None:
        self.address = ""
        self.keys: dict[str, list[str] | None] = {}
        """The scopes of each key that is accepted; None where they are not reported."""
        self.asked: list[tuple[str, str]] = []
        """Of each request its path and the key that came with it."""
        self.writes: list[tuple[str, str]] = []
        """Of each write the key, and its Idempotency-Key."""
        self.down = False
        self.silent: anyio.Event | None = None
        """What every request waits for, if it is there."""
        self.delay: float = 0
        """Seconds before every answer."""
        self.gate: anyio.Event | None = None
        """What every request but /me waits for, if it is there."""
        self._held = 0
        self._one_more = anyio.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        request = Request(scope, receive)
        await (await self._answer(request))(scope, receive, send)

    def times_asked(self, path: str, key: str) -> int:
        return self.asked.count((path, key))

    async def holds(self, number: int) -> None:
        """Waits until so many wait at the gate."""
        with anyio.fail_after(SECONDS):
            while self._held < number:
                self._one_more = anyio.Event()
                await self._one_more.wait()

    async def was_asked(self, times: int) -> None:
        """Waits until so many requests have come."""
        with anyio.fail_after(SECONDS):
            while len(self.asked) < times:
                await anyio.lowlevel.checkpoint()

    async def _answer(self, request: Request) -> Response:
        key = request.headers.get("authorization", "").removeprefix("Bearer ")
        path = request.url.path.removeprefix("/api/v1")
        if path.endswith("/export"):  # read before a write, for the history; not what these tests count or hold up
            return JSONResponse({"error": {"code": "NOT_FOUND", "message": "No such trip."}}, 404)
        self.asked.append((path, key))
        if request.method != "GET":
            self.writes.append((key, request.headers["idempotency-key"]))
        await anyio.sleep(self.delay)
        if self.silent is not None:
            await self.silent.wait()
        if self.down:
            return JSONResponse({"error": {"code": "INTERNAL_ERROR", "message": "Down."}}, 501)
        if key not in self.keys:
            return JSONResponse({"error": {"code": "UNAUTHORIZED", "message": "No such key."}}, 401)
        if path == "/me":
            told: dict[str, Any] = {"user": {"_id": f"usr-{key}"}, "groups": [], "defaultGroupId": "grp"}
            return JSONResponse(told if self.keys[key] is None else {**told, "scopes": self.keys[key]})
        if self.gate is not None:
            self._held += 1
            self._one_more.set()
            await self.gate.wait()
            self._held -= 1
        if "/nowhere/" in path:
            return JSONResponse({"error": {"code": "NOT_FOUND", "message": "No such trip."}}, 404)
        if path.endswith(":batch"):
            rows = (await request.json())["items"]
            results = [{"index": place, "status": "created", "id": f"leg{place}"} for place in range(len(rows))]
            return JSONResponse({"results": results, "created": len(rows), "updated": 0, "unchanged": 0, "errors": 0})
        return JSONResponse({"items": [], "nextCursor": None})


@pytest.fixture
async def service(on_socket: Callable[..., AbstractAsyncContextManager[str]]) -> AsyncGenerator[Service]:
    service = Service()
    async with on_socket(service) as address:
        service.address = f"http://{address}"
        yield service
        for waited_for in (service.gate, service.silent):
            if waited_for is not None:
                waited_for.set()


class Replica(Served):
    """A whole process: `trips-mcp serve` with these words."""

    def __init__(self, process: Process | Forked, stderr: Path) -> None:
        super().__init__("")
        self.process = process
        self._stderr = stderr

    @property
    def said(self) -> str:
        return self._stderr.read_text("utf-8")

    @property
    def logged(self) -> list[dict[str, Any]]:
        """The lines of its requests."""
        return [json.loads(line) for line in self.said.splitlines() if line.startswith("{")]

    async def serves(self) -> Self:
        """Waits until it does."""
        with anyio.fail_after(SECONDS):
            while "Serving http://" not in self.said:
                assert self.process.returncode is None, self.said
                await anyio.sleep(0.01)
        self.address = self.said.partition("Serving http://")[2].partition("/")[0]
        return self

    async def ended(self) -> int:
        with anyio.fail_after(SECONDS):
            return await self.process.wait()


Start = Callable[..., Awaitable[Replica]]


@pytest.fixture
async def start(tmp_path: Path, fork_server: ForkServer | None) -> AsyncGenerator[Start]:
    """Starts `trips-mcp` with these words, which is ended with the test."""
    begun: list[Process | Forked] = []
    ours = ("OSOTO_", "TRAVELMODE_", "TRIPS_MCP_")
    rest = {name: text for name, text in os.environ.items() if not name.startswith(ours)}
    files = {"TRIPS_MCP_JOURNAL": str(tmp_path / "journal.db"), "TRIPS_MCP_HISTORY": str(tmp_path / "history.db")}

    async def start(*words: str, **env: str) -> Replica:
        stderr = tmp_path / f"stderr-{len(begun)}"
        environment = {**rest, **files, **env}
        with stderr.open("wb") as sink:
            if fork_server is None:
                command = [sys.executable, "-m", "trips_mcp", *words]
                process = await anyio.open_process(command, stdin=DEVNULL, stderr=sink, env=environment)
            else:
                process = fork_server.start(list(words), environment, stdin=DEVNULL, stderr=sink.fileno())
        begun.append(process)
        return Replica(process, stderr)

    yield start

    for process in begun:
        if process.returncode is None:
            process.kill()
        await process.aclose()
