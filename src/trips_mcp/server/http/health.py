"""For whoever watches over the process: whether it lives, and whether to send it requests. They tell nothing else."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Final

import anyio

from trips_mcp.server.http.request import Visit

_SECONDS: Final = 5
_LIVES: Final = b'{"status":"ok"}'
_READY: Final = b'{"status":"ready"}'
_NOT_READY: Final = b'{"status":"not ready"}'


async def answer_healthz(visit: Visit) -> None:
    await visit.answer(HTTPStatus.OK, _LIVES)


async def answer_readyz(visit: Visit, ready: Callable[[], Awaitable[bool]]) -> None:
    if await _within_time(ready):
        await visit.answer(HTTPStatus.OK, _READY)
    else:
        await visit.answer(HTTPStatus.SERVICE_UNAVAILABLE, _NOT_READY)


async def _within_time(ready: Callable[[], Awaitable[bool]]) -> bool:
    with anyio.move_on_after(_SECONDS):
        return await ready()
    return False
