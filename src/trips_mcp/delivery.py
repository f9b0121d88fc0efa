"""Delivery tracking: whether a call's response has reached its caller.

Until then only this process knows the outcome of the call's writes. A server begins a delivery for each call, and
confirms or abandons it once it knows whether the response arrived. Without a server, the caller has the result as
soon as the call returns.
"""

from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar

Action = Callable[[], Awaitable[None]]


class Delivery:
    """Pending actions for the writes of one call. It ends once; ending it again does nothing."""

    def __init__(self) -> None:
        self._writes: list[tuple[Action, Action]] = []

    @property
    def pending(self) -> bool:
        """Whether any write waits for the delivery; false for calls that wrote nothing."""
        return bool(self._writes)

    def add(self, on_confirmed: Action, on_abandoned: Action) -> None:
        self._writes.append((on_confirmed, on_abandoned))

    async def confirm(self) -> None:
        """The response has reached the caller."""
        for on_confirmed, _ in self._take():
            await on_confirmed()

    async def abandon(self) -> None:
        """The response has not reached the caller and never will."""
        for _, on_abandoned in self._take():
            await on_abandoned()

    def _take(self) -> list[tuple[Action, Action]]:
        writes, self._writes = self._writes, []
        return writes


_current: ContextVar[Delivery | None] = ContextVar("delivery", default=None)


def current() -> Delivery | None:
    """The delivery of the call that this task runs; None without a server."""
    return _current.get()


def begin() -> Delivery:
    """Begins a delivery for the rest of this task, for transports that run each call in its own task."""
    delivery = Delivery()
    _current.set(delivery)
    return delivery


@contextmanager
def delivering() -> Generator[Delivery]:
    """Tracks a delivery for the duration of the block."""
    delivery = Delivery()
    token = _current.set(delivery)
    try:
        yield delivery
    finally:
        _current.reset(token)
