"""The journal's SQLite file, shared by all processes of a user; blocking, and raises `FAILURES`.

Its processes tell each other that they are alive by locks on files of their own.
"""

import os
import sqlite3
import sys
import weakref
from collections.abc import Callable, Collection, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, Self
from uuid import uuid4

from trips_mcp.client.journal import KEPT, Intent
from trips_mcp.sqlite_files import is_new, open_shared, transaction

FAILURES: Final = (sqlite3.Error, OSError, ValueError)
"""The exceptions that any method may raise; ValueError comes from an invalid path."""

_TIDIED_EVERY: Final = 3600.0

_OURS: Final = 0x74726A31
"""The file's application id, so that no other database is written to. Another schema needs another id."""
_SCHEMA: Final = """
    CREATE TABLE writes (
        digest TEXT NOT NULL,
        key TEXT NOT NULL,
        operation TEXT NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('under way', 'unknown')),
        owner TEXT NOT NULL,
        note TEXT NOT NULL,
        created_at REAL NOT NULL,
        PRIMARY KEY (digest, key)
    ) WITHOUT ROWID
"""
_WRITTEN: Final = "CREATE TABLE IF NOT EXISTS written (target TEXT PRIMARY KEY, at REAL NOT NULL) WITHOUT ROWID"
"""When an answered write last changed each resource; kept only while there are notes."""


class Notes:
    """An open journal file, used by one process."""

    def __init__(self, database: sqlite3.Connection, locks: Path, clock: Callable[[], float]) -> None:
        self._database = database
        self._locks = locks
        self._clock = clock
        self._owner = uuid4().hex
        self._tidied_at = float("-inf")
        with transaction(self._database):  # lock files are created, checked and removed only in one
            self._remove_dead_locks()
            self._hold = Hold(self._lock_of(self._owner))

    @classmethod
    def open(cls, file: Path, clock: Callable[[], float]) -> Self:
        locks = _lock_folder(file)
        locks.mkdir(mode=0o700, parents=True, exist_ok=True)
        database = open_shared(file, _is_new, _prepare)
        try:
            return cls(database, locks, clock)
        except BaseException:
            database.close()
            raise

    def begin(self, digest: str, operation: str, note: str, target: str | None) -> Intent:
        now = self._clock()
        with transaction(self._database) as database:
            self._remove_expired(now)
            found = database.execute(
                "SELECT key, state, owner, note, created_at FROM writes WHERE digest = ? AND abs(? - created_at) < ? "
                "ORDER BY created_at",
                (digest, now, KEPT),
            )
            for key, state, owner, first_note, created_at in found.fetchall():
                if state == "unknown" or not self._lives(owner):
                    database.execute(
                        "UPDATE writes SET state = 'under way', owner = ? WHERE digest = ? AND key = ?",
                        (self._owner, digest, key),
                    )
                    superseded = target is not None and self._is_written_since(target, created_at)
                    return Intent(key, True, first_note, superseded, created_at)
            fresh = Intent(uuid4().hex, False, note, noted_at=now)
            row = (digest, fresh.key, operation, "under way", self._owner, note, now)
            database.execute("INSERT INTO writes VALUES (?, ?, ?, ?, ?, ?, ?)", row)
            return fresh

    def annotate(self, digest: str, key: str, note: str) -> None:
        with transaction(self._database) as database:
            database.execute("UPDATE writes SET note = ? WHERE digest = ? AND key = ?", (note, digest, key))

    def remove(self, writes: Mapping[tuple[str, str], tuple[Collection[str], float]]) -> None:
        """`writes`: (digest, key) → the resources that it changed, and when it was answered."""
        with transaction(self._database) as database:
            database.executemany("DELETE FROM writes WHERE digest = ? AND key = ?", list(writes))
            if database.execute("SELECT EXISTS (SELECT 1 FROM writes)").fetchone()[0]:
                written = [(target, at) for targets, at in writes.values() for target in targets]
                database.executemany("INSERT OR REPLACE INTO written VALUES (?, ?)", written)
            else:
                database.execute("DELETE FROM written")

    def written_since(self, targets: Collection[str], noted_at: float) -> set[str]:
        return {target for target in targets if self._is_written_since(target, noted_at)}

    def _is_written_since(self, target: str, noted_at: float) -> bool:
        found = self._database.execute("SELECT 1 FROM written WHERE target = ? AND at >= ?", (target, noted_at))
        return found.fetchone() is not None

    def leave_unknown(self, digest: str, key: str) -> bool:
        """Whether the note existed."""
        with transaction(self._database) as database:
            done = database.execute("UPDATE writes SET state = 'unknown' WHERE digest = ? AND key = ?", (digest, key))
            return done.rowcount == 1

    @contextmanager
    def together(self) -> Generator[None]:
        """Runs the block in one transaction."""
        with transaction(self._database):
            yield

    def close(self) -> None:
        try:
            self._database.close()
        finally:
            self._hold.release()

    def _remove_expired(self, now: float) -> None:
        if abs(now - self._tidied_at) >= _TIDIED_EVERY:
            self._database.execute("DELETE FROM writes WHERE abs(? - created_at) >= ?", (now, KEPT))
            self._database.execute("DELETE FROM written WHERE abs(? - at) >= ?", (now, KEPT))
            self._tidied_at = now

    def _lives(self, owner: str) -> bool:
        return owner == self._owner or is_held(self._lock_of(owner))

    def _lock_of(self, owner: str) -> Path:
        return self._locks / f"{owner}.lock"

    def _remove_dead_locks(self) -> None:
        for lock in self._locks.glob("*.lock"):
            if not is_held(lock):
                remove(lock)


@dataclass(frozen=True, slots=True)
class NoteCount:
    unknown: int
    """Writes with unknown outcome, which an identical call would complete."""
    under_way: int
    """Writes of running processes, or of killed ones, as only taking their lock could tell."""


def count(db: sqlite3.Connection, file: Path, clock: Callable[[], float]) -> NoteCount:
    """Counts the notes without changing the file. Raises: sqlite3.Error, also if the file is not a journal."""
    if _is_new(db):
        return NoteCount(0, 0)
    rows: list[tuple[str, str]] = db.execute(
        "SELECT state, owner FROM writes WHERE abs(? - created_at) < ?", (clock(), KEPT)
    ).fetchall()
    unknown = sum(state == "unknown" or not (_lock_folder(file) / f"{owner}.lock").exists() for state, owner in rows)
    return NoteCount(unknown, len(rows) - unknown)


def _lock_folder(file: Path) -> Path:
    return file.with_name(file.name + ".d")


def _is_new(database: sqlite3.Connection) -> bool:
    return is_new(database, _OURS)


def _prepare(database: sqlite3.Connection) -> None:
    if _is_new(database):
        database.execute(_SCHEMA)
        database.execute(f"PRAGMA application_id = {_OURS}")
    database.execute(_WRITTEN)


# How each system locks. Not filelock or portalocker: loading them takes 25 to 50 ms at the first write, this takes less
# than one. The journal asks for locks within its transaction, for which other processes wait: asking takes filelock
# 220 µs, and 11 µs here. filelock also makes the file it asks for, and falls back to a lock file that outlives its
# process. (filelock 4.3, portalocker 4.4, Linux.) The tests run the Windows half on Windows in CI.
if sys.platform == "win32":
    import msvcrt

    def _locked(descriptor: int) -> bool:
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except PermissionError:
            return False
        return True
else:
    import fcntl

    def _locked(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


class Hold:
    """A lock file that is locked until this object is released, or the process is gone, however it ends.

    No lease and no clock: a process that was stopped for an hour is alive, one that was killed a moment ago is not.

    Raises: OSError where there is no room for one, or the file system knows no locks.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._descriptor: int | None = os.open(file, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
        try:
            _locked(self._descriptor)  # a file just made is nobody else's
        except OSError:
            self.release()
            raise
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=partial(_leave_to_parent, weakref.ref(self)))

    def release(self) -> None:
        self.leave_to_parent()
        remove(self._file)

    def leave_to_parent(self) -> None:
        """In a forked child, which would otherwise keep the lock when its parent is long dead."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def is_held(file: Path) -> bool:
    """Whether a process holds this lock file. Asking takes the lock for an instant: one may ask at a time."""
    try:
        descriptor = os.open(file, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        return not _locked(descriptor)
    finally:
        os.close(descriptor)


def remove(file: Path) -> None:
    """As far as it can be done: Windows removes nothing that is still open somewhere."""
    try:
        file.unlink(missing_ok=True)
    except PermissionError:
        return


def _leave_to_parent(hold: "weakref.ref[Hold]") -> None:
    held = hold()
    if held is not None:
        held.leave_to_parent()
