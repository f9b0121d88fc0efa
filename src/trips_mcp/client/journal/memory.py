"""The journal in memory, which lasts as long as its process."""

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from math import inf
from typing import Final
from uuid import uuid4

from trips_mcp.client.journal import Intent

KEPT: Final = 24 * 3600.0 - 60
"""Seconds. The service keeps a key for 24 hours after the first request; the last request needs time to arrive."""


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
        """By digest, oldest first."""
        self._written: dict[str, float] = {}
        """When an answered write last changed each resource."""

    async def begin(self, digest: str, operation: str, note: str = "", target: str | None = None) -> Intent:
        self._forget_expired()
        for entry in self._entries.get(digest, ()):
            if entry.unknown:
                entry.unknown = False
                superseded = target is not None and self._is_written_since(target, entry.noted_at)
                return Intent(entry.key, True, entry.note, superseded, entry.noted_at)
        fresh = Intent(uuid4().hex, False, note, noted_at=self._clock())
        self._entries.setdefault(digest, []).append(_Entry(fresh.key, note, fresh.noted_at))
        return fresh

    async def annotate(self, intent: Intent, note: str) -> None:
        for entries in self._entries.values():
            for entry in entries:
                if entry.key == intent.key:
                    entry.note = note

    async def settle(self, intent: Intent, written: Collection[str] = ()) -> None:
        self._keep(lambda entry: entry.key != intent.key)
        self.remember(written)

    async def leave_unknown(self, intent: Intent) -> None:
        for entries in self._entries.values():
            for entry in entries:
                entry.unknown = entry.unknown or entry.key == intent.key

    async def written_since(self, intent: Intent, targets: Collection[str]) -> set[str]:
        return {target for target in targets if self._is_written_since(target, intent.noted_at)}

    async def aclose(self) -> None:
        self._entries.clear()
        self._written.clear()

    def remember(self, written: Collection[str]) -> None:
        """Remembers the resources while any note is open; without notes nobody asks for them."""
        if self._entries:
            self._written.update(dict.fromkeys(written, self._clock()))
        else:
            self._written.clear()

    def _is_written_since(self, target: str, noted_at: float) -> bool:
        return self._written.get(target, -inf) >= noted_at

    def take_over(self, intent: Intent, digest: str) -> None:
        """Keeps an unknown intent that another journal could not store."""
        self._entries.setdefault(digest, []).append(_Entry(intent.key, intent.note, intent.noted_at, unknown=True))

    def has_unknown(self, digest: str) -> bool:
        self._forget_expired()
        return any(entry.unknown for entry in self._entries.get(digest, ()))

    def _forget_expired(self) -> None:
        now = self._clock()
        self._keep(lambda entry: abs(now - entry.noted_at) < KEPT)

    def _keep(self, wanted: Callable[[_Entry], bool]) -> None:
        kept = {digest: [entry for entry in entries if wanted(entry)] for digest, entries in self._entries.items()}
        self._entries = {digest: entries for digest, entries in kept.items() if entries}
