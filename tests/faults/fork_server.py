"""The process that forks `trips-mcp` servers: for each byte that comes with two descriptors, one that uses them.

It has imported all that a plan needs. Its stdin is the socket that the descriptors come through; it ends with it.
"""

import os
import signal
import socket
import sys
from importlib import import_module

from trips_mcp.cli import main
from trips_mcp.cli.commands import run

# the first tool call of a server loads these
run(["call", "get_me", "--json"])
for module in ("trips_mcp.server.stdio.transport", "trips_mcp.tools.registry", "trips_mcp.backend.twin"):
    import_module(module)

signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # so that nobody needs to wait for them
control = socket.socket(fileno=os.dup(0))
sys.argv = ["trips-mcp"]
while True:
    asked, descriptors, _, _ = socket.recv_fds(control, 1, 2)
    if not asked:
        break
    if pid := os.fork():
        for descriptor in descriptors:
            os.close(descriptor)
        control.send(str(pid).encode())
        continue
    control.close()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for place, descriptor in enumerate(descriptors):
        os.dup2(descriptor, place)
        os.close(descriptor)
    os._exit(main())
