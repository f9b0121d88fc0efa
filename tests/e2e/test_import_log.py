"""What an import leaves in the log, at its most talkative: that calls were made, and nothing of what was booked."""

import base64
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client

from tests.bookings.made_up import FLIGHT, HOTEL, mail, page

pytestmark = pytest.mark.anyio

PRIVATE = ("Ada", "QX7L2M", "HTL-4471", "LH715", "0715", "Ryokan", "Gion", "PNR-4711", "12C", "MUC", "bookings.eml")
BROKEN = {**FLIGHT, "reservationNumber": "PNR-4711", "reservationFor": {**FLIGHT["reservationFor"], "arrivalTime": "x"}}
LETTER = mail(page(FLIGHT, HOTEL, BROKEN), "Dear Ada, your code is PNR-4711.")


def settings_in(folder: Path) -> dict[str, str]:
    files = {name: str(folder / f"{name}.db") for name in ("database", "journal", "history")}
    return {f"TRIPS_MCP_{name.upper()}": file for name, file in files.items()} | {"TRIPS_MCP_LOG": "debug"}


async def take_in(client: Client) -> None:
    """A mail with good and bad bookings, damaged ones, and text without any; then the plan of the first."""

    async def call(tool: str, **arguments: Any) -> dict[str, Any]:
        return (await client.call_tool(tool, arguments)).structured_content or {}

    preview = await call("plan_import", content=base64.b64encode(LETTER).decode())
    for damaged in (
        LETTER[:1500],
        LETTER.replace(b"Content-Type", b"X"),
        b"PK\x03\x04" + LETTER,
        b"Dear Ada, PNR-4711",
    ):
        await call("plan_import", content=base64.b64encode(damaged).decode())
    await call("plan_import", content="data:message/rfc822;base64,%Ada%QX7L2M")
    await call("plan_import", content="PNR-4711", path="bookings.eml", tripId="Ada")
    report = await call("apply_plan", planId=preview["plan"]["planId"])
    assert report["state"] == "applied"


def assert_private(log: str) -> None:
    assert "POST" in log  # it is the log of a server that wrote something
    told = re.sub(r"request req_[0-9a-f-]{36}", "", log)  # random digits may spell a flight's number
    assert "req_" not in told
    assert [word for word in PRIVATE if word in told] == []


async def test_over_stdio_nothing_of_a_booking_is_logged(
    command: list[str], environment: Callable[..., dict[str, str]], tmp_path: Path
) -> None:
    log = tmp_path / "stderr"
    env = environment(**settings_in(tmp_path))
    with log.open("w", encoding="utf-8") as errlog:
        server = StdioServerParameters(command=command[0], args=command[1:], env=env)
        async with Client(stdio_client(server, errlog), read_timeout_seconds=60) as client:
            await take_in(client)

    assert_private(log.read_text("utf-8"))


async def test_over_http_nothing_of_a_booking_is_logged(
    start: Callable[..., "subprocess.Popen[str]"], tmp_path: Path
) -> None:
    process = start("serve", "--transport", "http", "--port", "0", "--auth", "none", **settings_in(tmp_path))
    assert process.stderr is not None
    told: list[str] = []
    while not told or not told[-1].startswith("Serving "):
        told.append(process.stderr.readline())
    async with Client(streamable_http_client(told[-1].split()[1]), read_timeout_seconds=60) as client:
        await take_in(client)
    process.terminate()

    assert_private("".join(told) + process.stderr.read())
