"""How long a host waits for a new server, compared with a bare low-level server of the same SDK.

    python benchmarks/cold_start.py [--runs 9] [--check]

The two take turns, so that whatever else the machine does hits both. Memory is also read with the SDK
loaded, as ours answers tools/list before it is.
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from wire import BARE, TRIPS_MCP, Session

TO_LIST = 1.15
TO_RESULT = 1.75
MEMORY = 1.15


@dataclass(frozen=True, slots=True)
class Start:
    """Milliseconds since the spawn, and MiB."""

    initialize: float
    tools_list: float
    first_result: float
    rss_listed: float
    rss_loaded: float
    peak_loaded: float


def start(command: Sequence[str], tool: str) -> Start:
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder) / "trips.db"
        with Session(command, database) as session:
            session.open()
            initialized = session.elapsed
            session.ask("tools/list")
            listed = session.elapsed
            rss = session.memory("VmRSS")
            session.call(tool)
            result = session.elapsed
        with Session(command, database) as session:
            session.open()
            session.ask("tools/list")
            session.ask("logging/setLevel", level="info")  # not offered, so it is the SDK that says so
            return Start(initialized, listed, result, rss, session.memory("VmRSS"), session.memory("VmHWM"))


def table(ours: list[Start], bare: list[Start]) -> dict[str, float]:
    """Prints the medians, and gives the ratios that have a limit."""
    print(f"{'':34}{'trips-mcp':>12}{'bare':>12}{'ratio':>8}")

    def row(title: str, mine: list[float], yours: list[float]) -> float:
        ratio = median(my / your for my, your in zip(mine, yours, strict=True))  # of pairs, as the load changes
        print(f"{title:34}{median(mine):12.1f}{median(yours):12.1f}{ratio:8.2f}")
        return ratio

    def column(starts: list[Start], name: str) -> list[float]:
        return [getattr(each, name) for each in starts]

    listed = column(bare, "tools_list")
    row("spawn -> initialize, ms", column(ours, "initialize"), column(bare, "initialize"))
    return {
        "spawn -> tools/list": row("spawn -> tools/list, ms", column(ours, "tools_list"), listed),
        "spawn -> first result": row("spawn -> first result / list, ms", column(ours, "first_result"), listed),
        "memory": row("RSS after tools/list, MiB", column(ours, "rss_listed"), column(bare, "rss_listed")),
        "memory, SDK loaded": row("RSS, SDK loaded, MiB", column(ours, "rss_loaded"), column(bare, "rss_loaded")),
        "peak memory": row("peak RSS, SDK loaded, MiB", column(ours, "peak_loaded"), column(bare, "peak_loaded")),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description="Cold start beside a bare low-level MCP server.")
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--check", action="store_true", help="exit with 1 beyond the limits")
    given = parser.parse_args()
    ours: list[Start] = []
    bare: list[Start] = []
    start(TRIPS_MCP, "get_me")  # compiles
    start(BARE, "get_me")
    for _ in range(given.runs):
        ours.append(start(TRIPS_MCP, "get_me"))
        bare.append(start(BARE, "get_me"))
    ratios = table(ours, bare)
    limits = {"spawn -> tools/list": TO_LIST, "spawn -> first result": TO_RESULT}
    over = [name for name, ratio in ratios.items() if ratio > limits.get(name, MEMORY)]
    print(*(f"{name} is beyond {limits.get(name, MEMORY)}" for name in over), sep="\n", end="\n" if over else "")
    return 1 if over and given.check else 0


if __name__ == "__main__":
    sys.exit(main())
