"""Processes of ours that need no imports of their own: the tests' side of fork_server.py."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from secrets import token_hex
from select import select
from subprocess import DEVNULL, PIPE
from typing import Final

import anyio
from anyio.abc import ByteReceiveStream, ByteSendStream
from typing_extensions import override

SECONDS: Final = 60
"""The limit of any wait; only a hanging process reaches it."""
HERE: Final = Path(__file__).parent
FORKS: Final = sys.platform == "linux"
"""Elsewhere there are no messages with descriptors, or it is not safe to fork."""


class Forked:
    """A process, with what the tests use of anyio's `Process`, and `join` for who waits without a loop."""

    def __init__(self, pid: int, control: socket.socket, stdin: "Sink | None", stdout: "Source | None") -> None:
        self.pid = pid
        self.stdin = stdin
        self.stdout = stdout
        self._control = control
        self._code: int | None = None

    @property
    def returncode(self) -> int | None:
        if self._code is None and select([self._control], [], [], 0)[0]:
            self._code = int(self._control.recv(16))
        return self._code

    async def wait(self) -> int:
        while self.returncode is None:
            await anyio.wait_readable(self._control)
        assert self._code is not None
        return self._code

    def join(self) -> int:
        if self._code is None:
            self._code = int(self._control.recv(16))
        self._control.close()
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
        self._control.close()


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
        address = f"trips-mcp-tests-{token_hex()}"
        self._address = f"\0{address}"
        self.command = [sys.executable, "-I", "-S", str(HERE / "forked.py"), address]
        """What stands for `trips-mcp`, for who starts a process by its command."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
            listener.bind(self._address)
            listener.listen()
            self._process = subprocess.Popen(
                [sys.executable, str(HERE / "fork_server.py"), str(listener.fileno())],
                stdin=PIPE,
                stdout=DEVNULL,
                pass_fds=[listener.fileno()],
            )

    def start(
        self, words: list[str], environment: Mapping[str, str], *, stdin: int = PIPE, stdout: int = PIPE, stderr: int
    ) -> Forked:
        """Streams are descriptors, or PIPE or DEVNULL of `subprocess`."""
        theirs: list[int] = []

        def null(mode: int) -> int:
            theirs.append(os.open(os.devnull, mode))
            return theirs[-1]

        def pipe(end: int) -> tuple[int, int]:
            ends = os.pipe()
            theirs.append(ends[end])
            return ends[end], ends[not end]

        source, to = pipe(0) if stdin == PIPE else (null(os.O_RDONLY) if stdin == DEVNULL else stdin, None)
        sink, out = pipe(1) if stdout == PIPE else (stdout, None)
        errors = null(os.O_WRONLY) if stderr == DEVNULL else stderr
        control = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        control.settimeout(SECONDS)
        control.connect(self._address)
        request = {"words": words, "environment": dict(environment), "folder": str(Path.cwd())}
        socket.send_fds(control, [json.dumps(request).encode()], [source, sink, errors])
        pid = int(control.recv(32))
        for descriptor in theirs:
            os.close(descriptor)
        return Forked(pid, control, None if to is None else Sink(to), None if out is None else Source(out))

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(SECONDS)
