"""No call goes on for ever, and none is left without an answer when the server ends."""

from typing import Any, Final

import anyio
import mcp_types as types
from mcp import MCPError
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext

LAST_SECONDS: Final = 2.5
"""What calls still get that are under way when the server is told to end."""

_UNKNOWN = "Whether it took effect is unknown; calling again with the same arguments finishes it, and does it once."


class Deadlines:
    """A middleware of the SDK's server, so that every transport answers in its own form."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._under_way = set[anyio.CancelScope]()
        self._ending: float | None = None

    async def __call__(self, ctx: ServerRequestContext[Any], call_next: CallNext) -> HandlerResult:
        with anyio.CancelScope(deadline=self._latest()) as scope:
            self._under_way.add(scope)
            try:
                return await call_next(ctx)
            finally:
                self._under_way.discard(scope)
        why = "The server is shutting down" if self._ending is not None else f"No answer within {self._seconds:g} s"
        raise MCPError(types.INTERNAL_ERROR, f"{why}. {_UNKNOWN}")

    def end(self) -> None:
        self._ending = anyio.current_time() + LAST_SECONDS
        for scope in self._under_way:
            scope.deadline = min(scope.deadline, self._ending)

    def _latest(self) -> float:
        latest = anyio.current_time() + self._seconds
        return latest if self._ending is None else min(latest, self._ending)
