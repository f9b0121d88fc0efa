"""A fixed clock and fixed random values, for pages made from real runs."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from random import Random
from unittest.mock import patch

from trips_mcp.backend import open_backend
from trips_mcp.history import MemoryHistory

_BEGINS = datetime(2027, 2, 1, 9, 0, tzinfo=UTC)


@dataclass(slots=True)
class Clock:
    """Does not advance during a call, so that nothing depends on its duration."""

    seconds: float = _BEGINS.timestamp()

    def __call__(self) -> float:
        return self.seconds

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.seconds, UTC)


class Draws:
    """Random values from a fixed seed, one sequence for each caller."""

    def __init__(self) -> None:
        self._random = Random(2027)  # noqa: S311 - nothing here is secret

    def randbits(self, bits: int) -> int:
        return self._random.getrandbits(bits)

    def token_hex(self, size: int) -> str:
        return self._random.randbytes(size).hex()

    def token_urlsafe(self, size: int) -> str:
        return f"made-up-token-{self._random.randbytes(size // 2).hex()}"


@dataclass(frozen=True, slots=True)
class Stopped:
    """The module `time`, as far as the recorder of changes reads it."""

    clock: Clock

    def time(self) -> float:
        return self.clock()


def _in_memory(clock: Clock, _: str | None) -> MemoryHistory:
    return MemoryHistory(clock=clock)


@contextmanager
def pinned(clock: Clock) -> Generator[None]:
    with (
        patch("trips_mcp.backend.open_backend", partial(open_backend, clock=clock)),
        patch("trips_mcp.backend.callers.secrets", Draws()),
        patch("trips_mcp.backend.handler.secrets", Draws()),
        patch("trips_mcp.backend.handler._requests", Random(2027)),  # noqa: S311
        patch("trips_mcp.backend.resources.trips.secrets", Draws()),
        patch("trips_mcp.client.recorder.secrets", Draws()),
        patch("trips_mcp.client.recorder.time", Stopped(clock)),
        patch("trips_mcp.connect._history", partial(_in_memory, clock)),
        patch("trips_mcp.tools.plans.plan.secrets", Draws()),
        patch("trips_mcp.tools.plans.plan.time", Stopped(clock)),
        patch("trips_mcp.tools.plans.apply.time", clock),
        patch("trips_mcp.tools.untrusted_text.secrets", Draws()),
    ):
        yield
