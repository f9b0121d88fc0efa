"""The HTTP server process: uvicorn on a socket, until a signal ends it."""

import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Final

import uvicorn
from typing_extensions import override

from trips_mcp.server.http.app import App
from trips_mcp.server.http.protocol import TimeoutProtocol
from trips_mcp.server.http.settings import HttpSettings
from trips_mcp.server.logs import log_to_stderr

_SECONDS_TO_SWITCH: Final = 0.0005
"""Thread switch interval. The journal writes in a thread; Python's 5 ms would delay each step on a busy loop."""
_DRAIN_SECONDS: Final = 3
"""Seconds for running requests; slightly more than calls get (`limits.py`)."""
_GONE_SECONDS: Final = 4.8
"""Seconds from a signal to a forced exit, whatever is still running."""


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, app: App) -> None:
        super().__init__(config)
        self._app = app

    @override
    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        at_the_latest = threading.Timer(_GONE_SECONDS, os._exit, (0,))
        at_the_latest.daemon = True
        at_the_latest.start()
        self._app.end()
        await super().shutdown(sockets)


async def serve(
    opening: AbstractAsyncContextManager[App],
    http: HttpSettings,
    listener: socket.socket,
    log: str,
    announce: Callable[[], None],
) -> None:
    """`announce` is called once the app is ready. Raises: CannotConnectError."""
    log_to_stderr(log)
    sys.setswitchinterval(_SECONDS_TO_SWITCH)
    async with opening as app:
        config = uvicorn.Config(
            app,
            http=_protocol_of(http),
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=_DRAIN_SECONDS,
        )
        server = _Server(config, app)
        # uvicorn raises the signal again once it is down: to this handler, so the exit code stays 0
        for ending in (signal.SIGINT, signal.SIGTERM):
            signal.signal(ending, server.handle_exit)
        announce()
        await server.serve(sockets=[listener])


def _protocol_of(http: HttpSettings) -> type[TimeoutProtocol]:
    class Protocol(TimeoutProtocol):
        most_per_address = http.max_connections_per_address
        trusted_proxies = http.trusted_proxies

    return Protocol


def log_request(line: str) -> None:
    """Writes the line at every log level, because operators need the access log."""
    sys.stderr.write(line + "\n")
