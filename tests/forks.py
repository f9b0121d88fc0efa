"""Server processes that need no imports of their own: the tests' side of fork_server.py."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from select import select
from subprocess import DEVNULL, PIPE
from typing import Final

import anyio
from anyio.abc import ByteReceiveStream, ByteSendStream
from typing_extensions import override

SECONDS: Final = 60
"""The limit of any wait; only a hanging process reaches it."""
FORKS: Final = sys.platform == "linux"
"""Elsewhere there are no messages with descriptors, or it is not safe to fork."""


class Forked:
    """A process, with what the tests use of anyio's `Process`."""

    def __init__(self, pid: int, ending: int, stdin: "Sink | None", stdout: "Source | None") -> None:
        self.pid = pid
        self.stdin = stdin
        self.stdout = stdout
        self._ending = ending
        self._code: int | None = None

    @property
    def returncode(self) -> int | None:
        if self._code is None and select([self._ending], [], [], 0)[0]:
            self._code = int(os.read(self._ending, 16))
        return self._code

    async def wait(self) -> int:
        while self.returncode is None:
            await anyio.wait_readable(self._ending)
        assert self._code is not None
        return self._code

    def send_signal(self, number: signal.Signals) -> None:
        if self.returncode is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    async def aclose(self) -> None:
        for stream in (self.stdin, self.stdout):
            if stream is not None:
                await stream.aclose()
        with anyio.fail_after(SECONDS):
            await self.wait()
        os.close(self._ending)


class Sink(ByteSendStream):
    """The writing end of a pipe."""

    def __init__(self, descriptor: int) -> None:
        os.set_blocking(descriptor, False)
        self._descriptor: int | None = descriptor

    @override
    async def send(self, item: bytes) -> None:
        rest = memoryview(item)
        while rest:
            if self._descriptor is None:
                raise anyio.ClosedResourceError
            try:
                rest = rest[os.write(self._descriptor, rest) :]
            except BlockingIOError:
                await anyio.wait_writable(self._descriptor)
            except BrokenPipeError as error:
                raise anyio.BrokenResourceError from error

    @override
    async def aclose(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


class Source(ByteReceiveStream):
    """The reading end of a pipe."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor: int | None = descriptor

    @override
    async def receive(self, max_bytes: int = 65536) -> bytes:
        if self._descriptor is None:
            raise anyio.ClosedResourceError
        await anyio.wait_readable(self._descriptor)
        if data := os.read(self._descriptor, max_bytes):
            return data
        raise anyio.EndOfStream

    @override
    async def aclose(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


class ForkServer:
    def __init__(self) -> None:
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._control.settimeout(SECONDS)
        with theirs:
            script = Path(__file__).with_name("fork_server.py")
            self._process = subprocess.Popen([sys.executable, str(script)], stdin=theirs.fileno(), stdout=DEVNULL)

    def start(
        self, words: list[str], environment: Mapping[str, str], *, stdin: int = PIPE, stdout: int = PIPE, stderr: int
    ) -> Forked:
        """Streams are descriptors, or PIPE or DEVNULL of `subprocess`."""
        theirs: list[int] = []

        def pipe(end: int) -> tuple[int, int]:
            ends = os.pipe()
            theirs.append(ends[end])
            return ends[end], ends[not end]

        if stdin == DEVNULL:
            stdin = os.open(os.devnull, os.O_RDONLY)
            theirs.append(stdin)
        source, to = pipe(0) if stdin == PIPE else (stdin, None)
        sink, out = pipe(1) if stdout == PIPE else (stdout, None)
        told, ending = pipe(1)
        request = json.dumps({"words": words, "environment": dict(environment)}).encode()
        socket.send_fds(self._control, [request], [source, sink, stderr, told])
        pid = int(self._control.recv(32))
        for descriptor in theirs:
            os.close(descriptor)
        return Forked(pid, ending, None if to is None else Sink(to), None if out is None else Source(out))

    def close(self) -> None:
        self._control.close()
        self._process.wait(SECONDS)
