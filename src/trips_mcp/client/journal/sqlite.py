"""The journal that outlives its process: the notes' file, for as long as it can be used, else memory."""

import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from logging import getLogger
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

import anyio
import anyio.to_thread

from trips_mcp.client.journal import Intent
from trips_mcp.client.journal.memory import MemoryJournal

if TYPE_CHECKING:
    from trips_mcp.client.journal.notes import Notes

T = TypeVar("T")

PATIENCE: Final = 2.0
"""Seconds that a call waits for the disk; more than SQLite waits for another process."""
REST: Final = 60.0
"""Seconds for which a file that failed is left alone, so that not every write waits for it."""
GRACE: Final = 1.0
"""Seconds for which the note of a settled write stays in the file: time for the answer to reach whoever called.
If this process is killed before, they will call again, and that has to be the same write."""

logger = getLogger("trips_mcp.client.journal")


class SqliteJournal:
    """Nothing is opened, or imported, before the first write."""

    def __init__(
        self,
        file: Path,
        *,
        clock: Callable[[], float] = time.time,
        timer: Callable[[], float] = time.monotonic,
        grace: float = GRACE,
    ) -> None:
        self._file = file
        self._clock = clock
        self._timer = timer
        self._grace = grace
        self._warned = False
        self._start()

    def _start(self) -> None:
        self._process = os.getpid()
        self._notes: Notes | None = None
        self._one_at_a_time = anyio.CapacityLimiter(1)
        self._in_use = threading.Lock()
        self._resting_until = -inf
        self._memory = MemoryJournal(self._clock)
        self._under_way: dict[str, tuple[str, float]] = {}
        """What the file holds of this process: key → digest, and when it was first noted."""
        self._settled: dict[tuple[str, str], float] = {}
        """What has to go from the file, by digest and key, and since when."""
        self._removal: threading.Timer | None = None

    async def begin(self, digest: str, operation: str, note: str = "") -> Intent:
        self._leave_to_parent()
        if not self._memory.has_unknown(digest):
            # whoever makes the same call again has had the answers to those before it
            self._settled.update({write: -inf for write in list(self._settled) if write[0] == digest})
            noted = await self._in_file(lambda notes: notes.begin(digest, operation, note))
            if noted is not None:
                intent, since = noted
                self._under_way[intent.key] = digest, since
                return intent
        return await self._memory.begin(digest, operation, note)

    async def settle(self, intent: Intent) -> None:
        known = self._under_way.pop(intent.key, None)
        if known is None:
            await self._memory.settle(intent)
        else:
            self._remove_soon(known[0], intent.key)

    async def leave_unknown(self, intent: Intent) -> None:
        known = self._under_way.pop(intent.key, None)
        if known is None:
            await self._memory.leave_unknown(intent)
        elif not await self._in_file(lambda notes: notes.leave_unknown(known[0], intent.key)):
            self._memory.take_over(intent, *known)
            self._remove_soon(known[0], intent.key)

    async def aclose(self) -> None:
        self._leave_to_parent()
        if self._removal is not None:
            self._removal.cancel()
        if self._notes is not None:
            self._grace = 0.0
            await self._in_file(lambda _: None)
            with anyio.move_on_after(PATIENCE, shield=True):
                await anyio.to_thread.run_sync(self._close, abandon_on_cancel=True, limiter=self._one_at_a_time)

    async def _in_file(self, work: "Callable[[Notes], T]") -> T | None:
        """What the work gives; None where the file fails. In a thread, never interrupted, bounded all the same."""
        from trips_mcp.client.journal.notes import FAILURES

        if self._timer() < self._resting_until:
            return None
        failed = f"it took longer than {PATIENCE:.0f} seconds"
        with anyio.move_on_after(PATIENCE, shield=True):
            try:
                return await anyio.to_thread.run_sync(
                    self._work, work, abandon_on_cancel=True, limiter=self._one_at_a_time
                )
            except FAILURES as error:
                failed = str(error)
        self._rest(failed)
        return None

    def _work(self, work: "Callable[[Notes], T]") -> T:
        from trips_mcp.client.journal.notes import Notes

        with self._in_use:
            if self._notes is None:
                self._notes = Notes.open(self._file, self._clock)
            self._remove_settled(self._notes)
            return work(self._notes)

    def _close(self) -> None:
        from trips_mcp.client.journal.notes import FAILURES

        with self._in_use, suppress(*FAILURES):
            if self._notes is not None:
                self._notes.close()
                self._notes = None

    def _remove_soon(self, digest: str, key: str) -> None:
        self._settled[digest, key] = time.monotonic()
        if self._removal is None:
            self._remove_later()

    def _remove_later(self) -> None:
        self._removal = threading.Timer(self._grace, self._remove_in_time)
        self._removal.daemon = True
        self._removal.start()

    def _remove_in_time(self) -> None:
        """In a thread of its own, as there may be no other write; where it fails, the next one tries again."""
        from trips_mcp.client.journal.notes import FAILURES

        self._removal = None
        with self._in_use, suppress(*FAILURES):
            if self._notes is not None:
                self._remove_settled(self._notes)
                if self._settled:
                    self._remove_later()

    def _remove_settled(self, notes: "Notes") -> None:
        due = time.monotonic() - self._grace
        writes = [write for write, since in list(self._settled.items()) if since <= due]
        if writes:
            notes.remove(writes)
        for write in writes:
            self._settled.pop(write, None)

    def _rest(self, why: str) -> None:
        self._resting_until = self._timer() + REST
        if not self._warned:
            self._warned = True
            logger.warning(
                "The journal %s cannot be used (%s): what becomes of unfinished writes is remembered in memory only, "
                "until this process ends. Mend it, or name another file in TRIPS_MCP_JOURNAL.",
                self._file,
                why,
            )

    def _leave_to_parent(self) -> None:
        """After a fork: the open file and all that is under way are the parent's."""
        if self._process != os.getpid():
            self._not_ours_to_close = self._notes
            self._start()
