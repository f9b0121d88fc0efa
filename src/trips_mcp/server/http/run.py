"""The HTTP server process: uvicorn on a socket, until a signal ends it."""

import asyncio
import gc
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, suppress
from logging import getLogger
from math import ceil
from typing import Final

import uvicorn
from typing_extensions import override

from trips_mcp.server.http.app import App
from trips_mcp.server.http.protocol import TimeoutProtocol
from trips_mcp.server.http.settings import HttpSettings
from trips_mcp.server.http.workers import Worker
from trips_mcp.server.logs import log_to_stderr

_SECONDS_TO_SWITCH: Final = 0.0005
"""Thread switch interval. The journal writes in a thread; Python's 5 ms would delay each step on a busy loop."""
_OBJECTS_PER_COLLECTION: Final = 20_000
"""New objects until garbage is collected. With Python's 700 it takes 9 % of the time of a busy server."""
_DRAIN_SECONDS: Final = 3
"""Seconds for running requests; slightly more than calls get (`limits.py`)."""
_GONE_SECONDS: Final = 4.8
"""Seconds from a signal to a forced exit, whatever is still running."""
_PAUSE_SECONDS: Final = 1
"""Seconds after a connection could not be accepted, as without free descriptors."""

logger = getLogger(__name__)


class _Server(uvicorn.Server):
    def __init__(
        self, config: uvicorn.Config, app: App, protocol: type[TimeoutProtocol], worker: Worker | None
    ) -> None:
        super().__init__(config)
        self._app = app
        self._protocol = protocol
        self._worker = worker
        self._accepting: asyncio.Task[None] | None = None

    @override
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self._worker is not None:
            self._accepting = asyncio.create_task(self._accept(self._worker))

    @override
    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        at_the_latest = threading.Timer(_GONE_SECONDS, os._exit, (0,))
        at_the_latest.daemon = True
        at_the_latest.start()
        self._app.end()
        if self._worker is not None and self._accepting is not None:
            self._accepting.cancel()
            with suppress(asyncio.CancelledError):
                await self._accepting
            self._worker.close()
        await super().shutdown(sockets)

    async def _accept(self, worker: Worker) -> None:
        """Accepts a few connections at a time, because asyncio's own loop takes all that wait before others can."""
        while True:
            try:
                await asyncio.gather(*map(self._connect, await worker.accept()))
            except OSError as error:
                logger.warning("A connection cannot be accepted (%s).", error.strerror)
                await asyncio.sleep(_PAUSE_SECONDS)

    async def _connect(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        await asyncio.get_running_loop().connect_accepted_socket(
            lambda: self._protocol(self.config, self.server_state, {}), connection
        )


async def serve(
    opening: AbstractAsyncContextManager[App],
    http: HttpSettings,
    listener: socket.socket,
    log: str,
    announce: Callable[[], None],
    worker: Worker | None = None,
) -> None:
    """`announce` is called once the app is ready. `worker`: this process, if it is one of several.

    Raises: CannotConnectError.
    """
    log_to_stderr(log)
    sys.setswitchinterval(_SECONDS_TO_SWITCH)
    gc.set_threshold(_OBJECTS_PER_COLLECTION)
    async with opening as app:
        protocol = _protocol_of(http, worker)
        config = uvicorn.Config(
            app,
            http=protocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=_DRAIN_SECONDS,
        )
        server = _Server(config, app, protocol, worker)
        # uvicorn raises the signal again once it is down: to this handler, so the exit code stays 0
        for ending in (signal.SIGINT, signal.SIGTERM):
            signal.signal(ending, server.handle_exit)
        announce()
        await server.serve(sockets=[listener] if worker is None else [])


def _protocol_of(http: HttpSettings, worker: Worker | None) -> type[TimeoutProtocol]:
    """Each worker takes its share of the connections."""

    class Protocol(TimeoutProtocol):
        most_connections = ceil(TimeoutProtocol.most_connections / http.workers)
        most_per_address = ceil(http.max_connections_per_address / http.workers)
        trusted_proxies = http.trusted_proxies

    if worker is None:
        return Protocol

    class WorkerProtocol(Protocol):
        @override
        def connection_made(self, transport: asyncio.Transport) -> None:
            super().connection_made(transport)
            worker.count(len(self.connections))

        @override
        def connection_lost(self, exc: Exception | None) -> None:
            super().connection_lost(exc)
            worker.count(len(self.connections))

    return WorkerProtocol


def log_request(line: str) -> None:
    """Writes the line at every log level, because operators need the access log."""
    sys.stderr.write(line + "\n")
