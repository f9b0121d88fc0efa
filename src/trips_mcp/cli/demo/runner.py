"""The demo's runner, which plays the conversation against a new server process and prints it."""

import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from textwrap import wrap
from time import perf_counter

from mcp import Client, MCPError, StdioServerParameters
from mcp_types import TextContent, TextResourceContents

from trips_mcp.cli.demo.steps import TURNS, Caller, Exchange, Fields, Sample, Scene, StepFailedError
from trips_mcp.cli.output import Colour, Painted, columns, say

_SECONDS_A_CALL = 30
_INDENT = " " * 8
_INTRODUCTION = (
    "What you ask, the tools that an agent calls for it, and what it answers. The calls are real: an MCP "
    "client drives a trips-mcp process on a throw-away database, without an account or network."
)
_SETTINGS = ("OSOTO_", "TRAVELMODE_", "TRIPS_MCP_")


async def play_on_a_throw_away_database() -> bool:
    for line in wrap(_INTRODUCTION, columns()):
        say(line)
    # on Windows a folder cannot be removed while an ending process still has a file in it open
    with tempfile.TemporaryDirectory(prefix="trips-mcp-demo-", ignore_cleanup_errors=True) as folder:
        page = await _play_with_a_server(Path(folder))
    say()
    held = page is not None
    if page is not None:
        say("Every answer was checked, and all of it is gone again.")
        _show_page(page)
        say("Next: the same command with `install CLIENT` instead of `demo` puts it into your own client.")
    else:
        say("The demo stopped at the turn that failed.")
    return held


async def play(scene: Scene, turns: Sequence[Exchange]) -> bool:
    """Stops at the first turn that fails, because later turns build on it."""
    for turn in turns:
        say()
        _show("You", Colour.NAME, turn.asked)
        scene.called.clear()
        try:
            answer = await turn.answer(scene)
        except (StepFailedError, MCPError) as error:
            _show("FAILED", Colour.BAD, str(error))
            return False
        except (KeyError, IndexError, TypeError) as error:  # an answer without an expected field
            _show("FAILED", Colour.BAD, f"the answer is not of the contract ({error!r})")
            return False
        _show("", Colour.DIM, Painted(", ".join(scene.called), Colour.DIM))
        _show("Agent", Colour.GOOD, answer)
    return True


async def _play_with_a_server(folder: Path) -> str | None:
    """The trip's page; None if a turn failed."""
    started = perf_counter()
    server = StdioServerParameters(
        command=sys.executable, args=["-m", "trips_mcp"], env=_environment(os.environ, folder)
    )
    page: str | None = None
    try:
        async with Client(server, read_timeout_seconds=_SECONDS_A_CALL) as client:
            tools = (await client.list_tools()).tools
            milliseconds = round((perf_counter() - started) * 1000)
            version, count = client.protocol_version, len(tools)
            say(f"Connected: protocol {version}, {count} tools, {milliseconds} ms from start to tools/list.")
            scene = Scene(call=_caller(client), sample=Sample.load())
            if await play(scene, TURNS):
                (content,) = (await client.read_resource(f"trips://{scene.trip['_id']}/page.html")).contents
                page = content.text if isinstance(content, TextResourceContents) else None
    except* (MCPError, OSError):
        _show("FAILED", Colour.BAD, "the server process does not answer; what it had to say stands above")
        page = None
    return page


def _show_page(page: str) -> None:
    """Writes the page where the user can look at it. A full disk is no fault of the demo."""
    try:
        handle, path = tempfile.mkstemp(prefix="trips-mcp-demo-", suffix=".html")
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(page)
    except OSError:
        return
    say("The trip as a page, to open in a browser:")
    say(path)


def _environment(ours: Mapping[str, str], folder: Path) -> dict[str, str]:
    """Without the user's keys, so that the demo never touches their trips."""
    kept = {name: value for name, value in ours.items() if not name.startswith(_SETTINGS)}
    return kept | {
        "TRIPS_MCP_DATABASE": str(folder / "demo.db"),
        "TRIPS_MCP_JOURNAL": str(folder / "journal.db"),
        "TRIPS_MCP_HISTORY": str(folder / "history.db"),
        "TRIPS_MCP_MASK_SECRETS": "on",
    }


def _caller(client: Client) -> Caller:
    async def call(tool: str, arguments: Fields) -> tuple[bool, str, Fields]:
        result = await client.call_tool(tool, arguments)
        text = "".join(block.text for block in result.content if isinstance(block, TextContent))
        return result.is_error, text, result.structured_content or {}

    return call


def _show(who: str, colour: Colour, text: str) -> None:
    """Prints a speaker's name, and their text in the second column."""
    width = columns() - len(_INDENT)
    head: str = Painted(f"{who:<{len(_INDENT)}}", colour)
    for number, line in enumerate(text.splitlines()):
        hanging = "  " if number else ""  # of a list below the first line
        for part in wrap(line, width, subsequent_indent=hanging, break_on_hyphens=False):
            say(head, Painted(part, text.colour) if isinstance(text, Painted) else part)
            head = _INDENT
