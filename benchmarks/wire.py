"""A server process and a client that does nothing but write and read lines: it adds no time of its own."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

HANDSHAKE = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "benchmark", "version": "1"}}
TRIPS_MCP = (sys.executable, "-m", "trips_mcp")
BARE = (sys.executable, str(Path(__file__).with_name("bare_server.py")))


def environment(database: Path) -> dict[str, str]:
    """Ours, but compiled once and kept, and with the embedded backend on this file alone."""
    dropped = ("PYTHONDONTWRITEBYTECODE", "OSOTO_", "TRAVELMODE_", "TRIPS_MCP_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
    return {
        **kept,
        "TRIPS_MCP_DATABASE": str(database),
        "TRIPS_MCP_JOURNAL": f"{database}.journal",
        "TRIPS_MCP_HISTORY": f"{database}.history",
    }


class Session:
    """A process from its spawn to its end; `elapsed` is the milliseconds since the spawn."""

    def __init__(self, command: Sequence[str], database: Path) -> None:
        self._spawned = time.perf_counter()
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
            env=environment(database),
        )
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self._to = self.process.stdin
        self._from = os.fdopen(os.dup(self.process.stdout.fileno()), "rb", 1 << 20)
        self._last = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc_val: BaseException | None, exc_tb: TracebackType | None
    ) -> None:
        self._to.close()
        try:
            self.process.wait(timeout=30)
        finally:
            self.process.kill()
            self._from.close()
            if self.process.stdout is not None:
                self.process.stdout.close()

    @property
    def elapsed(self) -> float:
        return (time.perf_counter() - self._spawned) * 1000

    def ask(self, method: str, **params: Any) -> dict[str, Any]:
        """The whole answer, error or not."""
        self._last += 1
        self._write({"jsonrpc": "2.0", "id": self._last, "method": method, "params": params})
        while line := self._from.readline():
            message = json.loads(line)
            if message.get("id") == self._last:
                return message
        raise EOFError(f"no answer to {method}")

    def open(self) -> None:
        self.ask("initialize", **HANDSHAKE)
        self._write({"jsonrpc": "2.0", "method": "notifications/initialized"})

    def call(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """The result of a call that must succeed."""
        result = self.ask("tools/call", name=tool, arguments=arguments)["result"]
        assert not result.get("isError"), result
        return result

    def memory(self, what: str) -> float:
        """MiB of VmRSS or VmHWM (the most so far), as Linux tells it."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith(what + ":"):
                return int(line.split()[1]) / 1024
        raise LookupError(what)

    def _write(self, message: dict[str, Any]) -> None:
        self._to.write(json.dumps(message).encode() + b"\n")
