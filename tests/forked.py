"""A process that stands for one of a fork server: its streams, its signals, its exit code.

Arguments: the server's address, then the words of the command. It needs none of the interpreter's site packages.
"""

import json
import os
import signal
import socket
import sys

STREAMS = (0, 1, 2)

control = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
control.connect(f"\0{sys.argv[1]}")
request = {"words": sys.argv[2:], "environment": dict(os.environ), "folder": os.getcwd()}  # noqa: PTH109 - pathlib takes longer than all else here
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT, signal.SIGTERM])
socket.send_fds(control, [json.dumps(request).encode()], STREAMS)
pid = int(control.recv(32))
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, lambda number, _: os.kill(pid, number))
signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT, signal.SIGTERM])
for stream in STREAMS:
    os.close(stream)
code = int(control.recv(32))
if code < 0:
    signal.signal(-code, signal.SIG_DFL)
    os.kill(os.getpid(), -code)
os._exit(code)
