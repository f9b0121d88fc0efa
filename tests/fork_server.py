"""Forks `trips-mcp` processes for tests, from one that has imported everything: its imports take a second.

It has also made once what every process makes first: the parsers, the listing, the statements, the certificates.

Each process has a connection of its own to the listening socket whose descriptor is the first argument. What is sent
on it is a message: the words of the command, the environment and the folder as JSON, and the descriptors of stdin,
stdout and stderr. The answers are the process's id and, later, its exit code. Who hangs up kills the process.
A first word `stub` stands for the script of tests/server, every other one for `trips-mcp`. It ends with its stdin.
"""

import asyncio
import atexit
import gc
import json
import os
import runpy
import signal
import socket
import sys
import threading
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from selectors import EVENT_READ, DefaultSelector

from trips_mcp import cli
from trips_mcp.settings import Settings

PRELOADED = (
    "concurrent.futures.thread",
    "ctypes",
    "encodings.idna",
    "encodings.utf_8_sig",
    "httpcore",
    "mcp.server.lowlevel",
    "trips_mcp.server.stdio.session",
    "trips_mcp.server.handlers",
    "trips_mcp.tools.registry",
    "anyio._backends._asyncio",
    "trips_mcp.connect",
    "trips_mcp.in_process",
    "trips_mcp.backend.app",
    "trips_mcp.backend.twin",
    "trips_mcp.backend.admin",
    "trips_mcp.client.journal",
    "trips_mcp.client.journal_store",
    "trips_mcp.history.sqlite",
    "trips_mcp.cli.backend_http",
    "trips_mcp.cli.commands",
    "trips_mcp.cli.serve_http",
    "trips_mcp.server.http.factory",
    "trips_mcp.server.http.run",
    "uvicorn.lifespan.off",
    "uvloop",
)
STUB = Path(__file__).with_name("server") / "stub.py"
LARGEST_REQUEST = 1 << 17


class Process:
    """One that was forked, and the connection of who asked for it."""

    def __init__(self, pid: int, connection: socket.socket) -> None:
        self.pid = pid
        self.connection = connection
        self.ending = os.pidfd_open(pid)

    def kill(self) -> None:
        if self in running:
            selector.unregister(self.connection)
            os.kill(self.pid, signal.SIGKILL)

    def tell_how_it_ended(self) -> None:
        _, status = os.waitpid(self.pid, 0)
        with suppress(BrokenPipeError):
            self.connection.send(str(os.waitstatus_to_exitcode(status)).encode())
        with suppress(KeyError):  # who asked has hung up
            selector.unregister(self.connection)
        selector.unregister(self.ending)
        running.remove(self)
        self.close()

    def close(self) -> None:
        self.connection.close()
        os.close(self.ending)


def become(words: list[str], environment: dict[str, str], folder: str, streams: list[int]) -> int:
    """Runs the command in this process, on these streams."""
    for place, stream in enumerate(streams):
        os.dup2(stream, place)
        os.close(stream)
    sys.stdin, sys.stdout, sys.stderr = (
        open(place, mode, closefd=False, buffering=1, encoding="utf-8")  # noqa: SIM115
        for place, mode in enumerate("rww")
    )
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    if words[:1] == ["stub"]:
        sys.argv = [str(STUB), *words[1:]]
        runpy.run_path(str(STUB), run_name="__main__")
        return 0
    sys.argv = ["trips-mcp", *words]
    return cli.main()


def leave(code: object) -> None:
    """Exits as the interpreter does, but frees no modules, which would copy the memory shared with the parent."""
    if not isinstance(code, int | None):
        print(code, file=sys.stderr)  # noqa: T201
    # the interpreter's own two steps before it frees the modules; there are no public functions for them
    threading._shutdown()  # type: ignore[attr-defined]  # noqa: SLF001
    atexit._run_exitfuncs()  # noqa: SLF001
    for stream in (sys.stdout, sys.stderr):
        if not stream.closed:
            stream.flush()
    os._exit(code if isinstance(code, int) else int(code is not None))


async def one_call() -> None:
    from trips_mcp.connect import connect

    nowhere = {"TRIPS_MCP_DATABASE": ":memory:", "TRIPS_MCP_JOURNAL": "off", "TRIPS_MCP_HISTORY": "off"}
    async with connect(Settings.from_env(nowhere)) as client:
        await client.me()


def make_what_is_kept() -> None:
    from trips_mcp.cli.commands import flags_with_value
    from trips_mcp.client.session import trusted
    from trips_mcp.tools.listing import entries

    flags_with_value()
    entries()
    trusted("https://trips.example")
    asyncio.run(one_call())


for module in PRELOADED:
    import_module(module)
make_what_is_kept()
gc.collect()
gc.freeze()
running: list[Process] = []
selector = DefaultSelector()
selector.register(0, EVENT_READ, sys.exit)
listener = socket.socket(fileno=int(sys.argv[1]))
selector.register(listener, EVENT_READ)
while True:
    ready = [key for key, _ in selector.select()]
    for key in ready:
        if key.data is not None:
            key.data()
    if not any(key.fileobj is listener for key in ready):
        continue
    connection, _ = listener.accept()
    request, streams, _, _ = socket.recv_fds(connection, LARGEST_REQUEST, 3)
    if not request:  # who asks has ended
        connection.close()
        continue
    pid = os.fork()
    if not pid:
        break
    for stream in streams:
        os.close(stream)
    process = Process(pid, connection)
    running.append(process)
    selector.register(connection, EVENT_READ, process.kill)
    selector.register(process.ending, EVENT_READ, process.tell_how_it_ended)
    connection.send(str(pid).encode())

selector.close()
listener.close()
connection.close()
for process in running:
    process.close()
try:
    code: object = become(**json.loads(request), streams=streams)
except SystemExit as ended:
    code = ended.code
leave(code)
