"""`serve --workers`: several processes behind one port are one server to its callers."""

import os
import re
import signal
import socket
import sys
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final

import anyio
import anyio.lowlevel
import httpx
import pytest

from trips_mcp.cli.commands import run

from .conftest import HEADERS, NO_TLS, SECONDS

Start = Callable[..., Awaitable[Any]]
KeyFor = Callable[..., Awaitable[str]]

WORKERS: Final = ("serve", "--transport", "http", "--port", "0", "--workers", "2")
TRIP: Final = {"title": "Kyoto", "startDate": "2027-05-01", "endDate": "2027-05-09"}

linux = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
pytestmark = linux


def workers_of(replica: Any) -> set[int]:
    pid = replica.process.pid
    return {int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}


def is_gone(pid: int) -> bool:
    """Also if nobody has asked yet how it ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return True


def accepted_by(replica: Any, clients_port: int) -> int | None:
    """The worker that accepted the connection from this port; None if none has yet."""
    here = f"{int(replica.address.rpartition(':')[2]):04X}"
    inode = ""
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[1].endswith(f":{here}") and fields[2].endswith(f":{clients_port:04X}"):
            inode = fields[9]
    for pid in workers_of(replica):
        if f"socket:[{inode}]" in open_files(pid):
            return pid
    return None


def open_files(pid: int) -> list[str]:
    found: list[str] = []
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        try:
            found.append(str(descriptor.readlink()))
        except OSError:  # closed meanwhile
            continue
    return found


async def until(holds: Callable[[], bool]) -> None:
    with anyio.fail_after(SECONDS):
        while not holds():  # noqa: ASYNC110 - processes do not tell
            await anyio.sleep(0.01)


class Line:
    """A caller with one connection, which stays with the worker that accepted it."""

    def __init__(self, replica: Any, http: httpx.AsyncClient, key: str | None) -> None:
        self.worker = 0
        self._replica = replica
        self._http = http
        self._key = key

    async def ask(self, method: str, **params: Any) -> httpx.Response:
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        bearer = {} if self._key is None else {"Authorization": f"Bearer {self._key}"}
        answer = await self._http.post(self._replica.url, headers={**HEADERS, **bearer}, json=body)
        if not self.worker:
            port = answer.extensions["network_stream"].get_extra_info("client_addr")[1]
            self.worker = accepted_by(self._replica, port) or 0
        return answer

    async def do(self, tool: str, **arguments: Any) -> dict[str, Any]:
        answer = await self.ask("tools/call", name=tool, arguments=arguments)
        result = answer.json()["result"]
        assert not result["isError"], result
        return result["structuredContent"]


async def line_to_each(replica: Any, stack: AsyncExitStack, key: str | None = None) -> list[Line]:
    """A caller at each worker."""
    lines: dict[int, Line] = {}
    with anyio.fail_after(SECONDS):
        while len(lines) < 2:
            http = await stack.enter_async_context(httpx.AsyncClient(timeout=SECONDS, verify=NO_TLS))
            line = Line(replica, http, key)
            await line.ask("ping")
            lines[line.worker] = line
    assert lines.keys() == workers_of(replica)
    return list(lines.values())


async def test_all_workers_serve_and_their_connections_are_spread(
    start: Start, key_for: KeyFor, tmp_path: Path
) -> None:
    key = await key_for("me")
    replica = await start(*WORKERS, "--auth", "key", TRIPS_MCP_DATABASE=str(tmp_path / "team.db"))
    await replica.serves()
    lines: list[Line] = []
    async with AsyncExitStack() as stack:
        while min(Counter(line.worker for line in lines).values(), default=0) < 5 or len(lines) < 10:
            assert len(lines) < 100, "one worker gets them all"
            http = await stack.enter_async_context(httpx.AsyncClient(timeout=SECONDS, verify=NO_TLS))
            lines.append(Line(replica, http, key))
            assert (await lines[-1].ask("tools/list")).status_code == 200
        ready = await replica.request("GET", "/readyz")
        sse = await replica.request("GET", "/sse")
        workers = workers_of(replica)
    replica.process.terminate()

    assert await replica.ended() == 0
    assert {line.worker for line in lines} == workers
    assert ready.status_code == 200
    assert sse.status_code == 404
    assert "/mcp" in sse.text
    requests = [line["request"] for line in replica.logged]
    assert len(set(requests)) == len(requests) == len(lines) + 2
    assert [line for line in replica.said.splitlines() if line.startswith("Serving")] == [
        f"Serving http://{replica.address}/mcp; each call needs a key, from trips-mcp backend create-key, as "
        "Authorization: Bearer."
    ]
    assert all(map(is_gone, workers))
    assert "Traceback" not in replica.said


async def test_many_connections_at_once_are_spread_too(start: Start) -> None:
    replica = await start(*WORKERS, "--auth", "none")
    await replica.serves()
    lines: list[Line] = []
    async with AsyncExitStack() as stack:
        while min(Counter(line.worker for line in lines).values(), default=0) < 30 or len(lines) < 60:
            assert len(lines) < 400, "one worker gets nearly all of them"
            https = [httpx.AsyncClient(timeout=SECONDS, verify=NO_TLS) for _ in range(40)]
            at_once = [Line(replica, await stack.enter_async_context(http), None) for http in https]
            async with anyio.create_task_group() as tasks:
                for line in at_once:
                    tasks.start_soon(line.ask, "tools/list")
            lines += at_once
        again = [(await line.ask("tools/list")).status_code for line in lines]
    replica.process.terminate()

    assert await replica.ended() == 0
    assert again == [200] * len(lines)
    assert all(line.worker for line in lines)
    assert "cannot be accepted" not in replica.said


async def test_what_one_worker_wrote_another_lists_and_undoes(start: Start, key_for: KeyFor, tmp_path: Path) -> None:
    key = await key_for("me")
    database = str(tmp_path / "team.db")
    replica = await start(*WORKERS, "--auth", "key", TRIPS_MCP_DATABASE=database, TRIPS_MCP_HISTORY="")
    await replica.serves()
    async with AsyncExitStack() as stack:
        one, other = await line_to_each(replica, stack, key)
        group = (await one.do("get_me"))["defaultGroupId"]
        trip = (await one.do("create_trip", groupId=group, **TRIP))["_id"]
        await one.do("update_trip", tripId=trip, title="Nara")
        changes = (await other.do("list_changes", tripId=trip))["items"]
        undo = (await other.do("plan_undo", changeId=changes[0]["id"]))["planId"]
        await one.do("apply_plan", planId=undo)
        title = (await other.do("get_trip", tripId=trip))["title"]
        files = {name for pid in workers_of(replica) for name in open_files(pid)}
        [folder] = {Path(name).parent for name in files if Path(name).name == "history"}
        workers = workers_of(replica)
        assert (one.worker, other.worker) == (*sorted(workers, key=lambda pid: pid != one.worker),)
        assert folder.stat().st_mode & 0o777 == 0o700

        replica.process.kill()
        await until(lambda: all(map(is_gone, workers)))

    assert [change["tool"] for change in changes] == ["update_trip", "create_trip"]
    assert title == "Kyoto"
    assert not folder.exists(), "nothing stays, although the parent was killed"
    assert "Traceback" not in replica.said


@pytest.mark.soak
async def test_a_plan_of_one_worker_is_applied_by_another_also_with_the_history_off(
    start: Start, tmp_path: Path
) -> None:
    replica = await start(*WORKERS, TRIPS_MCP_DATABASE=str(tmp_path / "trips.db"), TRIPS_MCP_HISTORY="off")
    await replica.serves()
    async with AsyncExitStack() as stack:
        one, other = await line_to_each(replica, stack)
        group = (await one.do("get_me"))["defaultGroupId"]
        trip = (await one.do("create_trip", groupId=group, **TRIP))["_id"]
        changes = [{"tool": "update_trip", "arguments": {"title": "Nara"}}]
        plan = (await one.do("plan_changes", tripId=trip, changes=changes))["planId"]
        await other.do("apply_plan", planId=plan)
        title = (await one.do("get_trip", tripId=trip))["title"]
        refused = await other.ask("tools/call", name="list_changes", arguments={"tripId": trip})

    assert title == "Nara"
    assert refused.json()["result"]["isError"], "nothing is recorded"


async def test_a_killed_worker_is_replaced_and_the_other_finishes_its_call(
    start: Start, service: Any, tmp_path: Path
) -> None:
    """Also with the journal off, which then lasts as long as the server."""
    service.keys = {"osk_a": None}
    urls = {"OSOTO_BASE_URL": f"{service.address}/api/v1", "TRIPS_MCP_JOURNAL": "off"}
    replica = await start(*WORKERS, "--auth", "key", **urls)
    await replica.serves()
    write = {"name": "create_action_item", "arguments": {"tripId": "jx7", "text": "Pack", "urgency": "now"}}
    async with AsyncExitStack() as stack:
        one, other = await line_to_each(replica, stack, "osk_a")
        killed = one.worker
        service.gate = anyio.Event()
        async with anyio.create_task_group() as tasks:

            async def call() -> None:
                with pytest.raises(httpx.TransportError):
                    await one.ask("tools/call", **write)

            tasks.start_soon(call)
            await service.holds(1)
            os.kill(killed, signal.SIGKILL)
        service.gate.set()
        await other.ask("tools/call", **write)
        await until(lambda: len(workers_of(replica)) == 2)
        for _ in range(8):
            assert (await replica.ask("ping", "osk_a")).status_code == 200
    replica.process.terminate()

    assert await replica.ended() == 0
    first, second = service.writes
    assert first == second, "the same key for the second request of one write"
    assert re.search(rf"Worker {killed} was ended by SIGKILL\. Another starts in 0\.1 s\.", replica.said)
    assert "Traceback" not in replica.said


async def test_running_calls_of_all_workers_are_answered_before_it_ends(start: Start, service: Any) -> None:
    service.keys = {"osk_a": None}
    service.gate = anyio.Event()
    replica = await start(*WORKERS, "--auth", "key", OSOTO_BASE_URL=f"{service.address}/api/v1")
    await replica.serves()
    workers = workers_of(replica)
    answers: list[httpx.Response] = []
    async with AsyncExitStack() as stack:
        lines = await line_to_each(replica, stack, "osk_a")
        async with anyio.create_task_group() as tasks:

            async def call(line: Line) -> None:
                answers.append(await line.ask("tools/call", name="list_members", arguments={"tripId": "jx7"}))

            for line in lines:
                tasks.start_soon(call, line)
            await service.holds(2)
            replica.process.terminate()
            with anyio.fail_after(SECONDS):
                while await _connects(replica):
                    await anyio.lowlevel.checkpoint()
            service.gate.set()

    assert await replica.ended() == 0
    assert [answer.json()["result"]["isError"] for answer in answers] == [False, False]
    assert all(map(is_gone, workers))


async def _connects(replica: Any) -> bool:
    try:
        async with replica.raw():
            return True
    except OSError:
        return False


async def test_a_callers_limit_holds_for_all_workers_together(start: Start, service: Any) -> None:
    service.keys = {"osk_a": None, "osk_b": None}
    replica = await start(
        *(*WORKERS, "--auth", "key", "--max-calls-per-caller", "3", "--max-connections-per-address", "40"),
        OSOTO_BASE_URL=f"{service.address}/api/v1",
    )
    await replica.serves()
    members = {"name": "list_members", "arguments": {"tripId": "jx7"}}
    async with AsyncExitStack() as stack:
        one, other = await line_to_each(replica, stack, "osk_a")
        service.gate = anyio.Event()
        held: list[httpx.Response] = []
        over: list[int] = []
        others: list[int] = []
        async with anyio.create_task_group() as tasks:

            async def call(line: Line | None = None) -> None:
                asked = (
                    replica.ask("tools/call", "osk_a", **members) if line is None else line.ask("tools/call", **members)
                )
                held.append(await asked)

            for line in (one, other, None):
                tasks.start_soon(call, line)
            await service.holds(3)
            over += [(await replica.ask("ping", "osk_a")).status_code for _ in range(6)]
            others += [(await replica.ask("ping", "osk_b")).status_code for _ in range(6)]
            service.gate.set()
        after = (await replica.ask("ping", "osk_a")).status_code

    assert over == [429] * 6
    assert others == [200] * 6
    assert [answer.status_code for answer in held] == [200] * 3
    assert after == 200


async def test_the_connections_of_an_address_are_limited_in_all(start: Start, tmp_path: Path) -> None:
    database = str(tmp_path / "trips.db")
    replica = await start(*WORKERS, "--max-connections-per-address", "6", TRIPS_MCP_DATABASE=database)
    await replica.serves()
    codes: list[bytes] = []
    async with AsyncExitStack() as stack:
        for _ in range(12):
            connection = await stack.enter_async_context(replica.raw())
            await connection.send(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            codes.append((await connection.receive())[9:12])

    assert codes.count(b"200") == 6
    assert codes.count(b"503") == 6


async def test_a_server_that_cannot_start_says_why_once(start: Start) -> None:
    replica = await start(*WORKERS, "--auth", "key", TRIPS_MCP_DATABASE="/dev/null/trips.db")

    assert await replica.ended() == 2
    assert replica.said.startswith("trips-mcp: The database /dev/null/trips.db cannot be made")
    assert len(replica.said.splitlines()) == 1


@pytest.mark.soak
async def test_it_ends_when_no_worker_can_be_replaced(start: Start, tmp_path: Path) -> None:
    database = tmp_path / "trips.db"
    replica = await start(*WORKERS, "--auth", "key", TRIPS_MCP_DATABASE=str(database))
    await replica.serves()
    one, other = workers_of(replica)
    database.unlink()
    database.write_bytes(b"no database " * 1000)

    os.kill(one, signal.SIGKILL)
    await until(lambda: "cannot start: " in replica.said)
    assert (await replica.request("GET", "/healthz")).status_code == 200
    os.kill(other, signal.SIGKILL)

    assert await replica.ended() == 2
    assert replica.said.splitlines()[-1].startswith("trips-mcp: ")
    assert "Traceback" not in replica.said


def test_a_port_in_use_is_refused_as_with_one_process(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        code = run(["serve", "--transport", "http", "--workers", "2", "--port", port])

    assert code == 2
    assert f"cannot listen on 127.0.0.1 port {port} (Address already in use" in capsys.readouterr().err
