"""Whether a call's answer has reached its caller. Until then the outcome of its writes is known on this side alone.

A server begins a delivery with each call, and confirms or abandons it once it knows what became of the answer. A
caller without a server has the answer when the call returns.
"""

from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar

Action = Callable[[], Awaitable[None]]


class Delivery:
    """What is left to do for the writes of one call. Ends once; whatever ends it later does nothing."""

    def __init__(self) -> None:
        self._writes: list[tuple[Action, Action]] = []

    @property
    def pending(self) -> bool:
        """Whether anything depends on the answer: false for calls that wrote nothing."""
        return bool(self._writes)

    def add(self, on_confirmed: Action, on_abandoned: Action) -> None:
        self._writes.append((on_confirmed, on_abandoned))

    async def confirm(self) -> None:
        """The answer has reached the caller."""
        for on_confirmed, _ in self._take():
            await on_confirmed()

    async def abandon(self) -> None:
        """The answer has not reached the caller, and will not."""
        for _, on_abandoned in self._take():
            await on_abandoned()

    def _take(self) -> list[tuple[Action, Action]]:
        writes, self._writes = self._writes, []
        return writes


_current: ContextVar[Delivery | None] = ContextVar("delivery", default=None)


def current() -> Delivery | None:
    """The delivery of the call that this task carries out; None without a server."""
    return _current.get()


def begin() -> Delivery:
    """For this task, until its end: of a transport that runs each call in a task of its own."""
    delivery = Delivery()
    _current.set(delivery)
    return delivery


@contextmanager
def delivering() -> Generator[Delivery]:
    """For the block."""
    delivery = Delivery()
    token = _current.set(delivery)
    try:
        yield delivery
    finally:
        _current.reset(token)
