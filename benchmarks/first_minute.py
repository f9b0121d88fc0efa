"""A newcomer's first minute: from nothing to the first result of a tool, with the wheel, as a client starts it.

    python benchmarks/first_minute.py [--runs 3] [--check]

Builds the wheel, has `uvx --from WHEEL trips-mcp install claude-desktop --print --from WHEEL` print what belongs in the
client's file (which fills an empty cache), and has the SDK's client start that entry. Then the same start with another
empty cache, which is what a client waits for that was set up by hand, and with a full one, as on every day after. The
package comes from the wheel, its dependencies from the registry; Python is the one that is installed.

`--check` exits with 1 where the first result takes more than a minute; without a registry the exit code is 75.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Final, NamedTuple

import anyio
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client

ROOT: Final = Path(__file__).parent.parent
BOUND: Final = 60.0
PATIENCE: Final = 300.0
NOT_RUN: Final = 75
"""The exit code of a temporary failure (EX_TEMPFAIL)."""
DROPPED: Final = ("OSOTO_", "TRAVELMODE_", "TRIPS_MCP_", "VIRTUAL_ENV", "PYTHON", "UV_CACHE_DIR", "UV_OFFLINE")
ROWS: Final = ("install --print", "initialize", "tools/list", "first result")


class Start(NamedTuple):
    """Seconds since the client started the process."""

    initialize: float
    tools_list: float
    first_result: float


class Uv:
    """uv with its own cache, in the environment of a user without settings."""

    def __init__(self, folder: Path) -> None:
        self.env = {name: text for name, text in os.environ.items() if not name.startswith(DROPPED)}
        self.env |= {"UV_CACHE_DIR": str(folder / "cache"), "UV_NO_PROGRESS": "1"}
        self.env |= {
            "TRIPS_MCP_DATABASE": str(folder / "trips.db"),
            "TRIPS_MCP_JOURNAL": str(folder / "journal.db"),
            "TRIPS_MCP_HISTORY": str(folder / "history.db"),
        }

    def run(self, *words: str) -> str:
        ended = subprocess.run(
            words, env=self.env, cwd=ROOT, capture_output=True, encoding="utf-8", timeout=PATIENCE, check=True
        )
        return ended.stdout

    async def start(self, command: str, *arguments: str) -> Start:
        server = StdioServerParameters(command=command, args=list(arguments), env=self.env)
        with open(os.devnull, "w", encoding="utf-8") as unheard, anyio.fail_after(PATIENCE):  # noqa: ASYNC230, PTH123
            started = time.perf_counter()
            transport = stdio_client(server, errlog=unheard)
            async with Client(transport, mode="legacy", read_timeout_seconds=PATIENCE) as client:
                initialized = time.perf_counter() - started
                assert (await client.list_tools()).tools
                listed = time.perf_counter() - started
                result = await client.call_tool("list_trips", {})
                assert not result.is_error, result.content
                return Start(initialized, listed, time.perf_counter() - started)


def main() -> int:
    parser = argparse.ArgumentParser(description="The seconds from nothing to the first result of a tool.")
    parser.add_argument("--runs", type=int, default=3, help="starts with a full cache")
    parser.add_argument("--check", action="store_true", help="exit with 1 beyond the limit")
    given = parser.parse_args()
    uvx = shutil.which("uvx")
    if uvx is None:
        print("The first minute was not timed: there is no uvx; install uv.")
        return NOT_RUN
    with tempfile.TemporaryDirectory() as folder:
        try:
            slowest = timed(Path(folder), uvx, given.runs)
        except subprocess.CalledProcessError as error:
            return not_run(error)
    return 1 if given.check and slowest > BOUND else 0


def timed(folder: Path, uvx: str, runs: int) -> float:
    """Prints the table, and gives how long the slower of the two beginnings took."""
    started = time.perf_counter()
    Uv(folder / "build").run(str(Path(uvx).with_name("uv")), "build", "--wheel", "--out-dir", str(folder))
    built = time.perf_counter() - started
    from_wheel = ("--from", str(next(folder.glob("*.whl"))), "trips-mcp")

    helped = Uv(folder / "helped")
    started = time.perf_counter()
    printed = helped.run(uvx, *from_wheel, "install", "claude-desktop", "--print", "--from", from_wheel[1])
    installed = time.perf_counter() - started
    entry = json.loads(printed)["mcpServers"]["trips"]
    after_install = anyio.run(helped.start, entry["command"], *entry["args"])

    by_hand = Uv(folder / "by-hand")
    nothing = anyio.run(by_hand.start, uvx, *from_wheel)
    cached = [anyio.run(by_hand.start, uvx, *from_wheel) for _ in range(runs)]
    everything = Start(*(median(times) for times in zip(*cached, strict=True)))

    print(f"The first minute, in seconds (the wheel was built in {built:.1f})")
    print(f"  {'':22}{'nothing cached':>16}{'after install':>16}{'all cached':>16}")
    columns = ((None, *nothing), (installed, *after_install), (None, *everything))
    for title, *cells in zip(ROWS, *columns, strict=True):
        shown = ("" if cell is None else f"{cell:.2f}" for cell in cells)
        print(f"  {title:22}{''.join(f'{cell:>16}' for cell in shown)}")
    waits = (nothing.first_result, installed + after_install.first_result)
    print(f"  {'in all':22}{waits[0]:16.2f}{waits[1]:16.2f}{everything.first_result:16.2f}   bound {BOUND:.0f}")
    return max(waits)


def not_run(error: subprocess.CalledProcessError) -> int:
    said = str(error.stderr)
    if "fetch" in said.lower():
        print("The first minute was not timed: the package registry cannot be reached.")
        return NOT_RUN
    print(f"The first minute was not timed: {said.strip().splitlines()[-1]}")
    return 1


if __name__ == "__main__":
    sys.exit(main())
