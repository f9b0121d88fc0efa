"""A journal that lasts as long as its process."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from uuid import uuid4

from trips_mcp.client.journal import Intent

KEPT: Final = 24 * 3600.0 - 60
"""Seconds. The service keeps a key for 24 hours from the first request; the last one still has to get there."""


@dataclass(slots=True)
class _Entry:
    key: str
    note: str
    noted_at: float
    unknown: bool = False


class MemoryJournal:
    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._entries: dict[str, list[_Entry]] = {}
        """By digest, the oldest first."""

    async def begin(self, digest: str, operation: str, note: str = "") -> Intent:
        self._forget_expired()
        for entry in self._entries.get(digest, ()):
            if entry.unknown:
                entry.unknown = False
                return Intent(entry.key, True, entry.note)
        fresh = Intent(uuid4().hex, False, note)
        self._entries.setdefault(digest, []).append(_Entry(fresh.key, note, self._clock()))
        return fresh

    async def settle(self, intent: Intent) -> None:
        self._keep(lambda entry: entry.key != intent.key)

    async def leave_unknown(self, intent: Intent) -> None:
        for entries in self._entries.values():
            for entry in entries:
                entry.unknown = entry.unknown or entry.key == intent.key

    async def aclose(self) -> None:
        self._entries.clear()

    def take_over(self, intent: Intent, digest: str, noted_at: float) -> None:
        """Remembers as unknown what another journal could not keep."""
        self._entries.setdefault(digest, []).append(_Entry(intent.key, intent.note, noted_at, unknown=True))

    def holds(self, intent: Intent) -> bool:
        return any(entry.key == intent.key for entries in self._entries.values() for entry in entries)

    def has_unknown(self, digest: str) -> bool:
        self._forget_expired()
        return any(entry.unknown for entry in self._entries.get(digest, ()))

    def _forget_expired(self) -> None:
        now = self._clock()
        self._keep(lambda entry: abs(now - entry.noted_at) < KEPT)

    def _keep(self, wanted: Callable[[_Entry], bool]) -> None:
        kept = {digest: [entry for entry in entries if wanted(entry)] for digest, entries in self._entries.items()}
        self._entries = {digest: entries for digest, entries in kept.items() if entries}
