"""Forks server processes for tests, from one that has imported everything: its imports take a second.

A request is a message on the socket that is stdin: the words of the command as JSON, the environment, and four
descriptors: stdin, stdout, stderr, and a pipe that is told how the process ended. The answer is its id.
A first word `stub` stands for the script of tests/server, every other one for `trips-mcp`.
"""

import gc
import json
import os
import runpy
import signal
import socket
import sys
from importlib import import_module
from pathlib import Path

from trips_mcp import cli

PRELOADED = (
    "mcp.server.lowlevel",
    "trips_mcp.server.stdio.session",
    "trips_mcp.server.handlers",
    "trips_mcp.tools.registry",
    "trips_mcp.connect",
    "trips_mcp.backend.factory",
    "trips_mcp.backend.twin",
    "trips_mcp.client.journal",
    "trips_mcp.history.sqlite",
    "trips_mcp.cli.commands",
    "trips_mcp.cli.serve_http",
    "trips_mcp.server.http.run",
)
STUB = Path(__file__).with_name("server") / "stub.py"
LARGEST_REQUEST = 1 << 17


def reap(*_: object) -> None:
    """Tells how each process that has ended did."""
    while endings:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if not pid:
            return
        ending = endings.pop(pid)
        os.write(ending, str(os.waitstatus_to_exitcode(status)).encode())
        os.close(ending)


def become(words: list[str], environment: dict[str, str], streams: list[int]) -> int:
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
    if words[:1] == ["stub"]:
        sys.argv = [str(STUB), *words[1:]]
        runpy.run_path(str(STUB), run_name="__main__")
        return 0
    sys.argv = ["trips-mcp", *words]
    return cli.main()


endings: dict[int, int] = {}
"""The pipe of each process, by its id."""

for module in PRELOADED:
    import_module(module)
gc.collect()
gc.freeze()
signal.signal(signal.SIGCHLD, reap)
control = socket.socket(fileno=os.dup(0))
while True:
    request, descriptors, _, _ = socket.recv_fds(control, LARGEST_REQUEST, 4)
    if not request:  # the tests have ended
        sys.exit()
    *streams, ending = descriptors
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])
    pid = os.fork()
    if not pid:
        break
    endings[pid] = ending
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGCHLD])
    for stream in streams:
        os.close(stream)
    control.send(str(pid).encode())

control.close()
os.close(ending)
for inherited in endings.values():
    os.close(inherited)
signal.signal(signal.SIGCHLD, signal.SIG_DFL)
signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGCHLD])
sys.exit(become(**json.loads(request), streams=streams))
