"""A watch that ends a call, for calls that take long enough for one: most are over before it would have begun."""

import asyncio
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from typing import Final

import anyio

UNWATCHED_SECONDS: Final = 0.2


@contextmanager
def watched(watch: Callable[[], Awaitable[None]], call: anyio.CancelScope) -> Generator[None]:
    """Begins to watch after a moment; what it watches for, or its breaking, cancels the call.

    On asyncio, by a timer: a task for each call, and its cancelling, would be a twentieth of what a small one costs.
    """
    watching: asyncio.Task[None] | None = None

    async def to_its_end() -> None:
        try:
            await watch()
        finally:
            call.cancel()

    def begin() -> None:
        nonlocal watching
        watching = asyncio.get_running_loop().create_task(to_its_end())

    timer = asyncio.get_running_loop().call_later(UNWATCHED_SECONDS, begin)
    try:
        yield
    finally:
        timer.cancel()
        if watching is not None:
            watching.cancel()
