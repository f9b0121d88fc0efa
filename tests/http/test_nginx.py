"""A real nginx with the lines that docs/deploy.md shows: what the guide says of it holds."""

import re
import shutil
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from trips_mcp.backend import create_key, open_backend
from trips_mcp.scopes import BASE_SCOPES, Scope

from .conftest import doing
from .test_replicas import TRIP, Holding

Serve = Callable[..., AbstractAsyncContextManager[Any]]
Start = Callable[..., Awaitable[Any]]

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
DEPLOY = (Path(__file__).parents[2] / "docs/deploy.md").read_text("utf-8")
NAME = "trips.example.com"

pytestmark = [pytest.mark.soak, pytest.mark.skipif(NGINX is None, reason="there is no nginx here")]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def configuration(folder: Path, port: int, replicas: list[int]) -> str:
    """The guide's, with these replicas and without TLS, which needs a certificate."""
    shown = re.findall(r"```nginx\n(.*?)```", DEPLOY, re.DOTALL)[0]
    shown, switched = re.subn(r"listen 443 ssl;", f"listen 127.0.0.1:{port};", shown)
    without_tls = re.sub(r"\n *ssl_\w+ +[^;]+;", "", shown)
    ports = iter(replicas)
    here, replaced = re.subn(r"server 10\.0\.0\.\d+:8848", lambda _: f"server 127.0.0.1:{next(ports)}", without_tls)
    assert (switched, replaced) == (1, len(replicas))
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    paths = "\n".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds)
    return (
        f"daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;\n"
        f"events {{}}\nhttp {{\naccess_log off;\n{paths}\n{here}\n}}\n"
    )


@asynccontextmanager
async def nginx(folder: Path, replicas: list[int]) -> AsyncGenerator[str]:
    """The address of one in front of these."""
    await anyio.Path(folder).mkdir()
    port = free_port()
    (folder / "nginx.conf").write_text(configuration(folder, port, replicas), "utf-8")
    command = [str(NGINX), "-e", str(folder / "error.log"), "-p", str(folder), "-c", str(folder / "nginx.conf")]
    async with await anyio.open_process(command, stdin=None, stdout=None, stderr=None) as process:
        try:
            with anyio.fail_after(30):
                while not await answers(port):
                    assert process.returncode is None, (folder / "error.log").read_text("utf-8")
                    await anyio.sleep(0.01)
            yield f"127.0.0.1:{port}"
        finally:
            process.kill()


async def answers(port: int) -> bool:
    try:
        await (await anyio.connect_tcp("127.0.0.1", port)).aclose()
    except OSError:
        return False
    return True


async def test_what_the_guide_says_of_nginx_holds(
    start: Start, serve_at: Callable[[str], Any], on_socket: Serve, tmp_path: Path
) -> None:
    database = str(tmp_path / "trips.db")
    keys = [await create_key(database, [Scope(base) for base in BASE_SCOPES], f"user {n}") for n in range(30)]
    key = keys[0]
    ports = [free_port(), free_port()]
    async with open_backend(database, require_keys=True, rate_limit=None) as app:
        backend = Holding(app)
        async with on_socket(backend) as behind, nginx(tmp_path / "nginx", ports) as address:

            async def replica(number: int) -> Any:
                words = ("serve", "--transport", "http", "--port", str(ports[number]), "--auth", "key")
                started = await start(
                    *words,
                    *("--allowed-host", NAME),
                    OSOTO_BASE_URL=f"http://{behind}/api/v1",
                    TRIPS_MCP_JOURNAL=str(tmp_path / f"journal-{number}.db"),
                )
                return await started.serves()

            replicas = [await replica(0), await replica(1)]
            served = serve_at(address)

            for transport, mode in (("http", "auto"), ("http", "legacy"), ("sse", "auto")):
                await converse(served, key, transport, mode)
            by_name = await served.ask("ping", key, {"Host": NAME})
            by_another = await served.ask("ping", key, {"Host": "evil.example"})
            hidden = await served.request("GET", "/healthz")
            large = await served.request("POST", "/mcp", content=b"x" * (5 * 1024 * 1024))
            mine = next(number for number in (0, 1) if calls_of(replicas[number]))
            there = {number for number in (0, 1) if calls_of(replicas[number])}
            for other in keys[1:]:
                await served.call("get_me", other)
            everyone = {number for number in (0, 1) if calls_of(replicas[number])}

            group = (await served.call("get_me", key))["structuredContent"]["defaultGroupId"]
            write = {"name": "create_trip", "arguments": {"groupId": group, **TRIP, "title": "Nara"}}
            broken: list[httpx.Response] = []

            async def call() -> None:
                broken.append(await served.ask("tools/call", key, **write))

            backend.when = "after"
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(call)
                with anyio.fail_after(30):
                    await backend.held.wait()
                replicas[mine].process.kill()
                await replicas[mine].ended()
            backend.when = ""
            backend.go.set()
            meanwhile = await served.call("list_trips", key)  # the other one answers
            replicas[mine] = await replica(mine)
            again = (await served.ask("tools/call", key, **write)).json()["result"]
            trips = (await served.call("list_trips", key))["structuredContent"]["items"]

    assert by_name.status_code == 200
    assert by_another.status_code == 421
    assert hidden.status_code == 404
    assert large.status_code == 413
    assert there == {mine}
    assert everyone == {0, 1}
    assert broken[0].status_code == 502
    assert not meanwhile["isError"]
    assert again["structuredContent"]["remarks"] == ["This completed an earlier call whose answer was lost."]
    assert [trip["title"] for trip in trips].count("Nara") == 1


async def converse(served: Any, key: str, transport: str, mode: str) -> None:
    """Writes, reads what was written, and hears of progress while a call runs."""
    heard: list[float] = []

    async def hear(progress: float, total: float | None, message: str | None) -> None:
        heard.append(progress)

    async with served.agent(transport, key, mode) as agent:
        do = doing(agent, hear)
        group = (await do("get_me"))["defaultGroupId"]
        trip = (await do("create_trip", groupId=group, **TRIP))["_id"]
        rows = [{"text": f"item {number}", "urgency": "now"} for number in range(60)]
        await do("upsert_action_items", tripId=trip, items=rows)
        assert len((await do("list_action_items", tripId=trip))["items"]) == 60
        await do("archive_trip", tripId=trip)
    assert heard == [50, 60]


def calls_of(replica: Any) -> int:
    return sum(line.get("rpc") == "tools/call" for line in replica.logged)
