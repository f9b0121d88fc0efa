"""Long work on large trips in a worker thread, so that the event loop keeps serving others.

Work on a small trip runs inline, as a thread would take longer than the work. Large trips run one at a time, since
the GIL lets only one thread run anyway.
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


async def offload(things: int, work: Callable[G, T], *given: G.args, **named: G.kwargs) -> T:
    """The result of `work` on this number of things. A cancelled caller does not wait for it to end."""
    if things < _LARGE:
        return work(*given, **named)
    try:
        turns = _turns.get()
    except LookupError:
        turns = CapacityLimiter(1)
        _turns.set(turns)
    return await anyio.to_thread.run_sync(lambda: work(*given, **named), abandon_on_cancel=True, limiter=turns)
