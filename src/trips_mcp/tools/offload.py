"""Long work on a large trip, done beside the event loop: over HTTP many others wait for that.

Small trips are worked on where one stands, as a thread would take longer than the work. One large trip after the
other, for threads take turns anyway.
"""

from collections.abc import Callable
from typing import Final, ParamSpec, TypeVar

import anyio.to_thread
from anyio import CapacityLimiter
from anyio.lowlevel import RunVar

T = TypeVar("T")
G = ParamSpec("G")

_LARGE: Final = 500
_turns: RunVar[CapacityLimiter] = RunVar("_turns")


async def aside(things: int, work: Callable[G, T], *given: G.args, **named: G.kwargs) -> T:
    """What the work comes to, on so many things. Whoever is cancelled meanwhile does not wait for it to end."""
    if things < _LARGE:
        return work(*given, **named)
    try:
        turns = _turns.get()
    except LookupError:
        turns = CapacityLimiter(1)
        _turns.set(turns)
    return await anyio.to_thread.run_sync(lambda: work(*given, **named), abandon_on_cancel=True, limiter=turns)
