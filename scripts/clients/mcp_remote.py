"""mcp-remote: the example for Claude Desktop as it stands, driven by the Python SDK's client in the app's place."""

import json
from pathlib import Path
from typing import Any, Final

import anyio
from mcp import Client, StdioServerParameters
from mcp.client import Transport
from mcp.client.stdio import stdio_client
from registries import NODE

from clients.desk import desk
from clients.our_server import Planned, Served, offered_over_http
from clients.tally import Tally

EXAMPLE: Final = Path(__file__).parents[2] / "examples/clients/claude-desktop-http.json"
_SECONDS: Final = 60


def check(modules: Path, served: Served, tally: Tally) -> None:
    entry = json.loads(EXAMPLE.read_text("utf-8"))["mcpServers"]["trips"]
    args = [served.url if word.startswith("http://") else word for word in entry["args"]]
    key = served.key()
    env = {name: value.replace("${OSOTO_API_KEY}", key) for name, value in entry["env"].items()}
    with desk() as at:
        at.program("npx", NODE / "node", modules / "mcp-remote/dist/proxy.js", instead_of=["-y", "mcp-remote"])
        server = StdioServerParameters(
            command=at.find(entry["command"]), args=args, env=at.environment(env), cwd=at.home
        )
        with (at.home / "log").open("w", encoding="utf-8") as log:
            anyio.run(_drive, stdio_client(server, log), served.planned, tally)


async def _drive(server: Transport, planned: Planned, tally: Tally) -> None:
    offer = offered_over_http()
    with anyio.fail_after(_SECONDS):
        async with Client(server, read_timeout_seconds=_SECONDS) as client:
            tools = [tool.name for tool in (await client.list_tools()).tools]
            same = tools == [listing["name"] for listing in offer.listing]
            tally.claim(f"{EXAMPLE.name}'s own words: lists our {len(tools)} tools over HTTP", same, tools)
            day = await client.call_tool("get_day", {"tripId": planned.trip, "date": planned.first_day})
            structured: dict[str, Any] = day.structured_content or {}
            tally.claim("a tool answers", structured.get("date") == planned.first_day, day)
            wrong = await client.call_tool("get_day", {"tripId": "none", "date": "today"})
            tally.claim("a tool says what is wrong", wrong.is_error and "no such trip" in str(wrong.content), wrong)
            prompts = [prompt.name for prompt in (await client.list_prompts()).prompts]
            tally.claim("the prompts are there", prompts == [prompt.name for prompt in offer.prompts], prompts)
            read = await client.read_resource(f"trips://{planned.trip}")
            tally.claim("a trip is read as a resource", "Umbrella Stand" in str(read.contents), read)
