"""The stdio session with the SDK, which runs until the input ends or a signal arrives."""

import asyncio
import os
import signal
import threading
from contextlib import suppress
from types import FrameType

import anyio

from trips_mcp.server.logs import log_to_stderr
from trips_mcp.server.offer import Offer
from trips_mcp.server.server import build_server
from trips_mcp.server.stdio.descriptors import POSIX, ProtocolDescriptors
from trips_mcp.server.stdio.jsonrpc import Inbox
from trips_mcp.server.stdio.pipes import input_of, output_of
from trips_mcp.server.stdio.sdk_streams import converse

LEAVING_SECONDS = 0.8
"""Seconds from a signal to a forced exit, whatever is still running."""

LAST_WRITE_SECONDS = 5


def serve(offer: Offer, wire: ProtocolDescriptors, inbox: Inbox, log: str) -> None:
    log_to_stderr(log)
    asyncio.run(_serve(offer, wire, inbox))


async def _serve(offer: Offer, wire: ProtocolDescriptors, inbox: Inbox) -> None:
    server = build_server(offer)
    with anyio.CancelScope() as session:
        _end_on_signals(session)
        output = output_of(wire, on_broken=session.cancel)
        await converse(server, inbox, input_of(wire), output)
        with anyio.move_on_after(LAST_WRITE_SECONDS):
            await output.written()
    if POSIX:
        os.set_blocking(wire.writing, True)  # restore it for other processes that share the pipe


def _end_on_signals(session: anyio.CancelScope) -> None:
    loop = asyncio.get_running_loop()

    def end(_: int, __: FrameType | None) -> None:
        at_the_latest = threading.Timer(LEAVING_SECONDS, os._exit, (0,))
        at_the_latest.daemon = True
        at_the_latest.start()
        with suppress(RuntimeError):  # the loop has just ended by itself
            loop.call_soon_threadsafe(session.cancel)

    # Not the event loop's signal handling, which Windows lacks.
    signal.signal(signal.SIGINT, end)
    signal.signal(signal.SIGTERM, end)
