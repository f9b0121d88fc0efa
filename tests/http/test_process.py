"""`trips-mcp serve` as a process: how it starts, when it refuses to start, and how it ends."""

import signal
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import httpx
import pytest

from trips_mcp.cli.commands import run

Serve = Callable[..., AbstractAsyncContextManager[Any]]
Start = Callable[..., Awaitable[Any]]
KeyFor = Callable[..., Awaitable[str]]

HTTP = ("serve", "--transport", "http", "--port", "0")
posix = pytest.mark.skipif(sys.platform == "win32", reason="to terminate is to kill there")


def local(folder: Path) -> dict[str, str]:
    return {"TRIPS_MCP_DATABASE": str(folder / "trips.db")}


@pytest.mark.parametrize("how", ["flags", pytest.param("variables", marks=pytest.mark.soak)])
async def test_it_serves_this_computer_without_a_key_until_it_is_terminated(
    how: str, start: Start, tmp_path: Path
) -> None:
    variables = {"TRIPS_MCP_TRANSPORT": "http", "TRIPS_MCP_PORT": "0"}

    replica = await (
        start(*HTTP, **local(tmp_path)) if how == "flags" else start("serve", **local(tmp_path), **variables)
    )
    await replica.serves()
    async with replica.agent() as agent:
        me = await agent.call_tool("get_me", {})
    ready = await replica.request("GET", "/readyz")
    replica.process.terminate()  # the last line is in the log when it has ended
    code = await replica.ended()

    assert not me.is_error
    if sys.platform != "win32":  # to terminate is to kill there
        assert code == 0
    assert "Traceback" not in replica.said
    assert ready.status_code == 200
    assert replica.address.startswith("127.0.0.1:")
    assert "anybody on this computer may call" in replica.said
    assert {line["path"] for line in replica.logged} >= {"/mcp"}


async def test_it_serves_a_team_with_the_backends_keys_and_never_with_its_own(
    start: Start, key_for: KeyFor, tmp_path: Path
) -> None:
    key = await key_for("a colleague", "trips:read")

    replica = await start(
        *HTTP, "--auth", "key", TRIPS_MCP_DATABASE=str(tmp_path / "team.db"), OSOTO_API_KEY=await key_for("the server")
    )
    await replica.serves()
    without = await replica.ask()
    me = await replica.call("get_me", key)
    names = [tool["name"] for tool in (await replica.ask("tools/list", key)).json()["result"]["tools"]]

    assert without.status_code == 401
    assert me["structuredContent"]["user"]["name"] == "a colleague"
    assert "create_trip" not in names
    assert "from trips-mcp backend create-key" in replica.said
    assert "OSOTO_API_KEY is not used here" in replica.said


async def test_on_every_address_it_requires_a_key_and_a_host_name(
    start: Start, key_for: KeyFor, tmp_path: Path
) -> None:
    key = await key_for("me")
    flags = ("--host", "0.0.0.0", "--allowed-host", "trips.example.com")  # noqa: S104 - on purpose

    replica = await start(*HTTP, *flags, TRIPS_MCP_DATABASE=str(tmp_path / "team.db"))
    await replica.serves()
    replica.address = replica.address.replace("0.0.0.0", "127.0.0.1")  # noqa: S104
    answers = [
        (await replica.ask("ping", bearer, {"Host": host})).status_code
        for bearer in (key, None)
        for host in ("trips.example.com", "evil.example")
    ]

    assert answers == [200, 421, 401, 421]
    assert "unencrypted" in replica.said


@pytest.mark.parametrize(
    ("words", "env", "why"),
    [
        (("--host", "0.0.0.0", "--auth", "none"), {}, "--auth none is for this computer alone"),  # noqa: S104
        (("--auth", "none", "--allowed-host", "trips.example.com"), {}, "and trips.example.com is a name that others"),
        (("--auth", "none"), {"TRIPS_MCP_ALLOWED_HOST": "localhost, 10.0.0.7:80"}, "and 10.0.0.7:80 is a name that"),
        (("--auth", "none", "--allowed-origin", "https://app.example.com"), {}, "https://app.example.com is a name"),
        (("--auth", "none", "--allowed-origin", "tauri://localhost"), {}, "tauri://localhost is a name that others"),
        (("--auth", "none", "--trusted-proxy", "127.0.0.1"), {}, "what a proxy passes on comes from others"),
        (("--trusted-proxy", "nginx"), {}, "--trusted-proxy must list addresses of proxies"),
        (("--max-connections-per-address", "0"), {}, "--max-connections-per-address must be a number from 1"),
        (("--auth", "maybe"), {}, "--auth must be key or none"),
        (("--port", "70000"), {}, "--port must be a number from 0 to 65535"),
        ((), {"TRIPS_MCP_MAX_CALLS": "many"}, "TRIPS_MCP_MAX_CALLS must be a number"),
        (("--rate-limit", "off"), {}, "--rate-limit is for a team on our own backend"),
        (("--max-calls", "0"), {}, "--max-calls must be a number from 1"),
        (("--allowed-host", "https://trips.example.com"), {}, "--allowed-host must list names of hosts"),
        (("--allowed-origin", "app.example.com"), {}, "--allowed-origin must list origins"),
        (("--allowed-origin", "*"), {}, "--allowed-origin must list origins"),
        (("--allowed-origin", "chrome-extension://*"), {}, "--allowed-origin must list origins"),
        (("--allowed-origin", "file://"), {}, "--allowed-origin must list origins"),
        (("--host", "no such host"), {}, "cannot listen on no such host"),
        (("--auth", "key"), {"OSOTO_BASE_URL": "http://trips.example.com/api/v1"}, "OSOTO_BASE_URL: "),
        (("--auth", "key"), {"OSOTO_BASE_URL": "https://x.example", "TRIPS_MCP_DATABASE": "x.db"}, "are both set"),
        (("--auth", "key"), {"TRIPS_MCP_DATABASE": "/dev/null/trips.db"}, "trips-mcp: "),
        (("--workers", "0"), {}, "--workers must be a number from 1 to 64."),
        (("--workers=-1",), {}, "--workers must be a number from 1 to 64."),
        (("--workers", "x"), {}, "--workers must be a number from 1 to 64."),
        (("--workers", "1000"), {}, "--workers must be a number from 1 to 64."),
        (("--workers", ""), {}, "--workers is empty"),
        ((), {"TRIPS_MCP_WORKERS": "two"}, "TRIPS_MCP_WORKERS must be a number"),
        pytest.param(("--workers", "2", "--transport", "sse"), {}, "is not for --transport sse", marks=posix),
        pytest.param(
            ("--workers", "2", "--transport", "stdio"), {}, "--workers is for a server over HTTP", marks=posix
        ),
        pytest.param(
            ("--workers", "2"),
            {"TRIPS_MCP_DATABASE": ":memory:"},
            "needs a database that processes can share",
            marks=posix,
        ),
        pytest.param(
            ("--workers", "2"),
            {"TRIPS_MCP_DATABASE": "sqlite://"},
            "needs a database that processes can share",
            marks=posix,
        ),
    ],
)
def test_an_invalid_setting_is_reported_in_one_sentence(
    words: tuple[str, ...],
    env: dict[str, str],
    why: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("TRIPS_MCP_JOURNAL", str(tmp_path / "journal.db"))
    for name, text in env.items():
        monkeypatch.setenv(name, text)

    code = run([*HTTP, *words])

    said = capsys.readouterr()
    assert code == 2
    assert said.out == ""
    assert why in said.err
    assert len(said.err.strip().splitlines()) == 1


@posix
@pytest.mark.soak
@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_it_cleanly(sent: signal.Signals, start: Start, tmp_path: Path) -> None:
    replica = await start(*HTTP, **local(tmp_path))
    await replica.serves()
    await replica.ask()

    replica.process.send_signal(sent)

    assert await replica.ended() == 0
    assert "Traceback" not in replica.said


@posix
@pytest.mark.parametrize(
    ("transport", "mode"),
    [
        ("http", "auto"),
        pytest.param("http", "legacy", marks=pytest.mark.soak),
        pytest.param("sse", "auto", marks=pytest.mark.soak),
    ],
)
async def test_running_requests_are_answered_before_it_ends(
    transport: str, mode: str, start: Start, service: Any
) -> None:
    service.keys = {"osk_a": None}
    service.gate = anyio.Event()
    answers: list[Any] = []
    replica = await start(*HTTP, "--auth", "key", OSOTO_BASE_URL=f"{service.address}/api/v1")
    await replica.serves()

    async with replica.agent(transport, "osk_a", mode=mode) as agent, anyio.create_task_group() as tasks:

        async def call() -> None:
            answers.append(await agent.call_tool("list_members", {"tripId": "jx7"}))

        await agent.list_tools()  # which the client would do after the call
        tasks.start_soon(call)
        await service.holds(1)
        replica.process.send_signal(signal.SIGTERM)
        with anyio.fail_after(30):
            while await _health(replica) is not None:  # until it takes no more connections
                await anyio.lowlevel.checkpoint()
        service.gate.set()

    assert await replica.ended() == 0
    assert [answer.is_error for answer in answers] == [False]


async def _health(replica: Any) -> int | None:
    try:
        return (await replica.request("GET", "/healthz")).status_code
    except httpx.TransportError:
        return None


@posix
async def test_it_exits_within_five_seconds_whatever_hangs(start: Start, service: Any) -> None:
    service.keys = {"osk_a": None}
    service.gate = anyio.Event()
    answers: list[httpx.Response] = []
    replica = await start(*HTTP, "--auth", "key", OSOTO_BASE_URL=f"{service.address}/api/v1")
    await replica.serves()

    async def call() -> None:
        arguments = {"tripId": "jx7"}
        answers.append(await replica.ask("tools/call", "osk_a", name="list_members", arguments=arguments))

    async with (
        replica.raw(),
        replica.raw() as half,
        replica.agent("sse", "osk_a"),
        anyio.create_task_group() as tasks,
    ):
        await half.send(b"POST /mcp HTTP/1.1\r\nHost: localhost\r\n")
        tasks.start_soon(call)
        await service.holds(1)
        replica.process.send_signal(signal.SIGTERM)
        began = time.monotonic()
        assert await replica.ended() == 0
        assert time.monotonic() - began < 5

    assert "shutting down" in answers[0].json()["error"]["message"]
    assert "Traceback" not in replica.said


async def test_stdio_loads_nothing_of_http() -> None:
    """The flags are the command's; what they are for is not."""
    said = (await anyio.run_process([sys.executable, "-X", "importtime", "-m", "trips_mcp", "serve"], input=b"")).stderr

    assert b"trips_mcp.cli.serve_http" in said
    assert b"trips_mcp.server.http" not in said
    assert b"uvicorn" not in said
