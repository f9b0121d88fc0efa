"""How many calls may be under way at once: of one caller, and of all."""

from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager

from trips_mcp.server.http.errors import busy


class Turns:
    def __init__(self, in_all: int, per_caller: int) -> None:
        self._in_all = in_all
        self._per_caller = per_caller
        self._taken = Counter[str]()
        self._total = 0

    def take(self, caller: str) -> None:
        """Raises: RefusalError."""
        if self._taken[caller] >= self._per_caller:
            raise busy("You have")
        if self._total >= self._in_all:
            raise busy("Others have")
        self._taken[caller] += 1
        self._total += 1

    def give_back(self, caller: str) -> None:
        self._total -= 1
        self._taken[caller] -= 1
        if not self._taken[caller]:
            del self._taken[caller]

    @contextmanager
    def one(self, caller: str) -> Generator[None]:
        """Raises: RefusalError."""
        self.take(caller)
        try:
            yield
        finally:
            self.give_back(caller)
