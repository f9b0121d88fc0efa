"""The source files that one tool call passes through: `update_leg` over stdio, and `get_day` over HTTP.

    python benchmarks/files_on_the_way.py [--functions] [--check]

Both on the embedded backend, and after the first calls, so that nothing is opened or imported on the way. `calls` are
the entries into functions of a file; a coroutine that waits is entered again. `--functions` lists the functions, too.
`--check` exits 1 where a path has more files than its limit. Needs signals, so not Windows.
"""

import argparse
import json
import os
import signal
import sys
import tempfile
import threading
import time
import urllib.request
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any, Final

from over_http import started
from wire import Session

SOURCE: Final = Path(__file__).parent.parent / "src" / "trips_mcp"
LIMITS: Final = {"update_leg over stdio": 40, "get_day over HTTP": 65}
CALLS_BEFORE: Final = 3
SECONDS: Final = 30
REPORT: Final = "TRIPS_REPORT"
"""Name of the variable with the path of the child's report, which it writes on SIGUSR2."""

Entries = Counter[tuple[str, str]]
"""How often each (file, function) was entered."""


def run_profiled(words: list[str]) -> int:
    """The command with these words; SIGUSR1 starts counting, SIGUSR2 writes what was counted."""
    report = Path(os.environ[REPORT])
    entries: Entries = Counter()
    counting = False

    def profile(frame: FrameType, event: str, _: object) -> None:
        if counting and event == "call":
            entries[frame.f_code.co_filename, frame.f_code.co_qualname] += 1

    def start(_: int, __: FrameType | None) -> None:
        nonlocal counting
        entries.clear()
        counting = True
        _write(report, "[]")

    def end(_: int, __: FrameType | None) -> None:
        nonlocal counting
        counting = False
        _write(report, json.dumps([[*where, times] for where, times in entries.items()]))

    signal.signal(signal.SIGUSR1, start)
    signal.signal(signal.SIGUSR2, end)
    threading.setprofile(profile)
    sys.setprofile(profile)
    sys.argv[1:] = words
    from trips_mcp.cli import main

    return main()


def _write(report: Path, text: str) -> None:
    part = report.with_suffix(".part")
    part.write_text(text)
    part.replace(report)


def signalled(pid: int, number: signal.Signals, report: Path) -> str:
    """The report that the child writes on this signal."""
    report.unlink(missing_ok=True)
    os.kill(pid, number)
    last = time.monotonic() + SECONDS
    while time.monotonic() < last:
        if report.exists():
            return report.read_text()
        time.sleep(0.01)
    raise TimeoutError(number.name)


def counted(pid: int, call: Callable[[], object], report: Path) -> Entries:
    for _ in range(CALLS_BEFORE):
        call()
    signalled(pid, signal.SIGUSR1, report)
    call()
    ours = str(SOURCE) + os.sep
    entries = json.loads(signalled(pid, signal.SIGUSR2, report))
    return Counter({(file.removeprefix(ours), name): times for file, name, times in entries if file.startswith(ours)})


Call = Callable[..., dict[str, Any]]
"""A call of a tool, by its name and arguments, for its structured content."""


def with_a_leg(call: Call) -> dict[str, str]:
    """The ids of a new trip and its leg."""
    group = call("get_me")["defaultGroupId"]
    dates = {"startDate": "2027-04-01", "endDate": "2027-04-09"}
    trip = call("create_trip", groupId=group, title="Japan", **dates)["_id"]
    leg = call("create_leg", tripId=trip, title="Tokyo", destination="Tokyo", order=1, timezone="Asia/Tokyo", **dates)[
        "_id"
    ]
    return {"tripId": trip, "legId": leg}


def over_stdio(report: Path) -> Entries:
    command = (sys.executable, __file__, "--profiled")
    with tempfile.TemporaryDirectory() as folder, Session(command, Path(folder) / "trips.db") as session:
        session.open()

        def call(tool: str, **arguments: Any) -> dict[str, Any]:
            return session.call(tool, **arguments)["structuredContent"]

        where = with_a_leg(call)
        titles = iter(range(CALLS_BEFORE + 1))
        return counted(session.process.pid, lambda: call("update_leg", **where, title=f"Tokyo {next(titles)}"), report)


def over_http(report: Path) -> Entries:
    with started("get_day", __file__, "--profiled", "serve", "--transport", "http", "--port", "0") as server:

        def call(tool: str, **arguments: Any) -> dict[str, Any]:
            body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": tool, "arguments": arguments}}
            headers = {
                "Content-Type": "application/json",
                "Accept": "application/json, text/event-stream",
                "MCP-Protocol-Version": "2025-11-25",
            }
            request = urllib.request.Request(f"http://127.0.0.1:{server.port}/mcp", json.dumps(body).encode(), headers)
            with urllib.request.urlopen(request, timeout=SECONDS) as response:  # noqa: S310 - this computer
                answer = json.loads(response.read())
            assert not answer["result"].get("isError"), answer
            return answer["result"]["structuredContent"]

        trip = with_a_leg(call)["tripId"]
        call("create_action_item", tripId=trip, text="Buy a rail pass", urgency="now")
        return counted(server.pid, lambda: call("get_day", tripId=trip, date="2027-04-02"), report)


def lines_of(file: str) -> int:
    return len((SOURCE / file).read_text("utf-8").splitlines())


def show(what: str, entries: Entries, functions: bool) -> int:
    """Prints the files, the most called first; their number."""
    files: dict[str, Entries] = defaultdict(Counter)
    for (file, name), times in entries.items():
        files[file][file, name] += times
    calls = sum(entries.values())
    print(f"{what}: {len(files)} files, {sum(map(lines_of, files))} lines, {calls} calls")
    print(f"  {'calls':>5} {'functions':>9} {'lines':>5}")
    for file in sorted(files, key=lambda each: (-files[each].total(), each)):
        print(f"  {files[file].total():5} {len(files[file]):9} {lines_of(file):5}  {file}")
        if functions:
            for (_, name), times in files[file].most_common():
                print(f"  {times:5} {'':15}    {name}")
    return len(files)


def main() -> int:
    if sys.argv[1:2] == ["--profiled"]:
        return run_profiled(sys.argv[2:])
    parser = argparse.ArgumentParser()
    parser.add_argument("--functions", action="store_true", help="list the functions of each file")
    parser.add_argument("--check", action="store_true", help="exit 1 where a path has more files than its limit")
    arguments = parser.parse_args()
    found: dict[str, int] = {}
    for what, measure in (("update_leg over stdio", over_stdio), ("get_day over HTTP", over_http)):
        with tempfile.TemporaryDirectory() as folder:
            report = Path(folder) / "report"
            os.environ[REPORT] = str(report)
            found[what] = show(what, measure(report), arguments.functions)
    return 1 if arguments.check and any(found[what] > most for what, most in LIMITS.items()) else 0


if __name__ == "__main__":
    sys.exit(main())
