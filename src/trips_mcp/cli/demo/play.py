"""Runs the demo's steps against a server process of its own and says how each one went."""

import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from textwrap import wrap
from time import perf_counter

from mcp import Client, MCPError, StdioServerParameters
from mcp_types import TextContent

from trips_mcp.cli.demo.sample import Fields, Sample
from trips_mcp.cli.demo.scene import Caller, Scene, StepFailedError
from trips_mcp.cli.demo.steps import STEPS, Step
from trips_mcp.cli.output import say

_SECONDS_A_CALL = 30
_COLUMNS = 100
_INDENT = " " * 10
_SETTINGS = ("OSOTO_", "TRAVELMODE_", "TRIPS_MCP_")


async def play_on_a_throw_away_database() -> bool:
    say("A real MCP client drives a real trips-mcp process. No account, no network, a throw-away database.")
    say()
    # on Windows a folder cannot go while a process that is just ending still holds a file in it
    with tempfile.TemporaryDirectory(prefix="trips-mcp-demo-", ignore_cleanup_errors=True) as folder:
        held = await _play_with_a_server(Path(folder))
    say()
    if held:
        say("Every step held, and all of it is gone again. Next: point your MCP client at `uvx trips-mcp`.")
    else:
        say("The demo stopped at the step that failed.")
    return held


async def play(scene: Scene, steps: Sequence[Step]) -> bool:
    """Goes on until a step does not hold: the later ones build on it."""
    for step in steps:
        try:
            _show("ok", await step(scene))
        except (StepFailedError, MCPError) as error:
            _show("FAILED", f"{_title(step)}: {error}")
            return False
        except (KeyError, IndexError, TypeError) as error:  # an answer without what the step came for
            _show("FAILED", f"{_title(step)}: the answer is not of the contract ({error!r})")
            return False
    return True


async def _play_with_a_server(folder: Path) -> bool:
    started = perf_counter()
    server = StdioServerParameters(
        command=sys.executable, args=["-m", "trips_mcp"], env=_environment(os.environ, folder)
    )
    held = False
    try:
        async with Client(server, read_timeout_seconds=_SECONDS_A_CALL) as client:
            tools = (await client.list_tools()).tools
            milliseconds = round((perf_counter() - started) * 1000)
            version, count = client.protocol_version, len(tools)
            _show("ok", f"connected: protocol {version}, {count} tools, {milliseconds} ms from start to tools/list")
            held = await play(Scene(call=_caller(client), sample=Sample.load()), STEPS)
    except* (MCPError, OSError):
        _show("FAILED", "the server process does not answer; what it had to say stands above")
        held = False
    return held


def _environment(ours: Mapping[str, str], folder: Path) -> dict[str, str]:
    """Without the user's keys: whatever they have set up, the demo never touches their trips."""
    kept = {name: value for name, value in ours.items() if not name.startswith(_SETTINGS)}
    return kept | {"TRIPS_MCP_DATABASE": str(folder / "demo.db"), "TRIPS_MCP_JOURNAL": str(folder / "journal.db")}


def _caller(client: Client) -> Caller:
    async def call(tool: str, arguments: Fields) -> tuple[bool, str, Fields]:
        result = await client.call_tool(tool, arguments)
        text = "".join(block.text for block in result.content if isinstance(block, TextContent))
        return result.is_error, text, result.structured_content or {}

    return call


def _show(mark: str, text: str) -> None:
    first, *more = text.splitlines()
    for line in wrap(first, _COLUMNS, initial_indent=f"{mark:>6}  ", subsequent_indent=_INDENT):
        say(line)
    for line in more:
        say(_INDENT + line)


def _title(step: Step) -> str:
    return getattr(step, "__name__", "step").replace("_", " ")
