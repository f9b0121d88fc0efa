"""The history in a SQLite file, shared by all processes of a user.

`Store` is the file: blocking, and raises `FAILURES`. `SqliteHistory` opens it with the first write. If the file fails,
changes are not recorded and plans are kept in memory.
"""

import os
import sqlite3
import threading
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from logging import getLogger
from math import inf
from pathlib import Path
from typing import Any, Final, Self, TypeVar

import anyio
import anyio.to_thread

from trips_mcp.history import (
    CHANGE_COLUMNS,
    JOINED_WITHIN,
    PLAN_COLUMNS,
    PLAN_KEPT,
    ChangeQuery,
    HistoryError,
    MemoryHistory,
    PlanRecord,
    RecordedChange,
    change_of,
    change_row,
    plan_of,
    plan_row,
)
from trips_mcp.sqlite_files import BUSY_SECONDS, is_new, open_shared, transaction

T = TypeVar("T")

TIMEOUT: Final = 2.0
"""Seconds that a call waits for the disk; longer than SQLite waits for another process."""
_QUICK_SECONDS: Final = 0.02
"""If the last work took longer, the next one is done in a worker thread."""
RETRY_AFTER: Final = 60.0
"""Seconds before a failed file is tried again, so that not every write waits for it."""
FAILURES: Final = (sqlite3.Error, OSError, ValueError)
"""The exceptions that any method may raise; ValueError comes from an invalid path or a damaged row."""
KEPT: Final = 30 * 24 * 3600.0
"""Seconds."""
LARGEST: Final = 50_000_000
"""Bytes."""
VERSION: Final = 1
"""The schema's version, in the file's user_version."""

_OURS: Final = 0x74726833
"""The file's application id, so that no other database is written to."""
_SCHEMA: Final = """
    CREATE TABLE changes (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        account TEXT NOT NULL,
        trip TEXT NOT NULL,
        tool TEXT NOT NULL,
        made_at REAL NOT NULL,
        state TEXT NOT NULL,
        digest TEXT NOT NULL,
        plan TEXT NOT NULL,
        undoes TEXT NOT NULL,
        undone INTEGER NOT NULL,
        replaces TEXT NOT NULL,
        numbers TEXT NOT NULL,
        body TEXT NOT NULL
    );
    CREATE INDEX changes_by_digest ON changes (account, digest);
    CREATE INDEX changes_by_replaced ON changes (account, replaces) WHERE replaces != '';
    CREATE TABLE plans (
        id TEXT NOT NULL,
        account TEXT NOT NULL,
        trip TEXT NOT NULL,
        format INTEGER NOT NULL,
        made_at REAL NOT NULL,
        expires REAL NOT NULL,
        state TEXT NOT NULL,
        body TEXT NOT NULL,
        PRIMARY KEY (account, id)
    );
"""
_CHANGE: Final = ", ".join((*CHANGE_COLUMNS, "body"))
_FINISHED: Final = ("trip", "state", "plan", "undoes", "undone", "numbers", "body")
"""Columns that a change's end may alter; those with an index are not among them."""
_FINISH: Final = f"UPDATE changes SET {', '.join(f'{name} = ?' for name in _FINISHED)} WHERE id = ?"  # noqa: S608
_PLAN: Final = ", ".join((*PLAN_COLUMNS, "body"))
_TIDIED_EVERY: Final = 3600.0
_MOST_PAGES_OF_LOG: Final = 400
"""Pages in the write-ahead log before they are moved to the file."""

logger = getLogger("trips_mcp.history")


class NewerHistoryError(ValueError):
    """The file has the schema of a later version."""


class Store:
    """An open history file."""

    def __init__(self, database: sqlite3.Connection, clock: Callable[[], float], largest: int, kept: float) -> None:
        self._database = database
        self._clock = clock
        self._largest = largest
        self._kept = kept
        self._tidied_at = float("-inf")
        self._waits = True
        self._page: int = database.execute("PRAGMA page_size").fetchone()[0]
        """Bytes."""

    @classmethod
    def open(cls, file: Path, clock: Callable[[], float], largest: int, kept: float) -> Self:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return cls(open_shared(file, _is_new, _prepare), clock, largest, kept)

    def close(self) -> None:
        self._database.close()

    def without_waiting(self, work: "Callable[[Store], object]") -> bool:
        """False, with nothing changed, if another process is writing just now."""
        self._set_waiting(False)
        try:
            work(self)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
            return False
        return True

    def waiting(self, work: "Callable[[Store], T]") -> T:
        """Waits up to `BUSY_SECONDS` while another process is writing."""
        self._set_waiting(True)
        return work(self)

    def _set_waiting(self, waits: bool) -> None:
        if waits != self._waits:  # almost never: most notes are written without waiting
            self._database.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000 if waits else 0:.0f}")
            self._waits = waits

    def begin(self, change: RecordedChange) -> None:
        with transaction(self._database) as database:
            self._tidy(database)
            row = change_row(change)
            database.execute(f"INSERT INTO changes ({_CHANGE}) VALUES ({_places(row)})", row)  # noqa: S608

    def finish(self, change: RecordedChange) -> None:
        with transaction(self._database) as database:
            row = dict(zip((*CHANGE_COLUMNS, "body"), change_row(change), strict=True))
            done = database.execute(_FINISH, (*(row[name] for name in _FINISHED), change.id))
            if done.rowcount and change.undoes:
                self._mark_undone(change.account, change.undoes)
            self._keep_within_size(database)

    def discard(self, change: RecordedChange) -> None:
        self._database.execute("DELETE FROM changes WHERE id = ?", (change.id,))

    def earlier(self, change: RecordedChange) -> RecordedChange | None:
        found = self._database.execute(
            f"SELECT {_CHANGE} FROM changes WHERE account = ? AND digest = ? AND id != ? AND undone = 0 "  # noqa: S608
            "AND made_at > ? ORDER BY seq DESC LIMIT 1",
            (change.account, change.digest, change.id, change.made_at - JOINED_WITHIN),
        ).fetchone()
        return None if found is None else change_of(found)

    def changes(self, query: ChangeQuery) -> list[RecordedChange]:
        conditions: dict[str, Sequence[object]] = {
            f"account IN ({_places(query.accounts)})": query.accounts,
            "made_at > ?": (self._clock() - self._kept,),
        }
        if query.trip:
            conditions["(trip = ? OR numbers LIKE ?)"] = (query.trip, f"%,{query.number},%")
        if query.id:
            conditions["id = ?"] = (query.id,)
        if query.plan:
            conditions["plan = ?"] = (query.plan,)
        if query.replacing:
            conditions["replaces != ''"] = ()
        if query.before:
            conditions["seq < (SELECT seq FROM changes WHERE id = ?)"] = (query.before,)
        found = self._database.execute(
            f"SELECT {_CHANGE} FROM changes WHERE {' AND '.join(conditions)} ORDER BY seq DESC LIMIT ?",  # noqa: S608
            (*(value for values in conditions.values() for value in values), query.limit),
        )
        return [change_of(row) for row in found]

    def put_plan(self, plan: PlanRecord) -> None:
        with transaction(self._database) as database:
            self._tidy(database)
            row = plan_row(plan)
            database.execute(f"INSERT OR REPLACE INTO plans ({_PLAN}) VALUES ({_places(row)})", row)  # noqa: S608
            self._keep_within_size(database)

    def get_plan(self, account: str, plan_id: str) -> PlanRecord | None:
        found = self._database.execute(
            f"SELECT {_PLAN} FROM plans WHERE account = ? AND id = ?",  # noqa: S608
            (account, plan_id),
        ).fetchone()
        return None if found is None else plan_of(found)

    def update_plan(self, account: str, plan_id: str, change: Callable[[PlanRecord], PlanRecord]) -> PlanRecord | None:
        with transaction(self._database):
            plan = self.get_plan(account, plan_id)
            if plan is not None:
                plan = change(plan)
                self.put_plan(plan)
            return plan

    def _mark_undone(self, account: str, change_id: str) -> None:
        self._database.execute("UPDATE changes SET undone = 1 WHERE account = ? AND id = ?", (account, change_id))

    def _tidy(self, database: sqlite3.Connection) -> None:
        now = self._clock()
        if abs(now - self._tidied_at) >= min(_TIDIED_EVERY, self._kept / 10):
            database.execute("DELETE FROM changes WHERE abs(? - made_at) >= ?", (now, self._kept))
            database.execute("DELETE FROM plans WHERE ? >= expires + ?", (now, PLAN_KEPT))
            self._tidied_at = now

    def _keep_within_size(self, database: sqlite3.Connection) -> None:
        """Removes the oldest of the largest account while the file is too large, so that nobody pushes out others.

        Free pages are used again, so the file stops growing.
        """
        pages: int = database.execute("PRAGMA page_count").fetchone()[0]
        if pages * self._page <= self._largest:  # asked after each write, so without counting the free pages
            return
        while _used(database) > self._largest:
            largest = "SELECT account, count(*) FROM changes GROUP BY account ORDER BY sum(length(body)) DESC LIMIT 1"
            account, number = database.execute(largest).fetchone() or ("", 0)
            oldest = "SELECT seq FROM changes WHERE account = ? ORDER BY seq LIMIT ?"
            tenth = max(1, number // 10)
            removed = database.execute(f"DELETE FROM changes WHERE seq IN ({oldest})", (account, tenth)).rowcount  # noqa: S608
            if not removed:
                removed = database.execute(
                    "DELETE FROM plans WHERE rowid = (SELECT rowid FROM plans ORDER BY made_at LIMIT 1)"
                ).rowcount
            if not removed:
                return


def count(database: sqlite3.Connection) -> int:
    """Counts the changes without altering the file. Raises: sqlite3.Error, ValueError if it is not a history."""
    if _is_new(database):
        return 0
    found: int = database.execute("SELECT count(*) FROM changes").fetchone()[0]
    return found


def _used(database: sqlite3.Connection) -> int:
    """Bytes."""
    pages, free, size = database.execute(
        "SELECT page_count, freelist_count, page_size FROM pragma_page_count, pragma_freelist_count, pragma_page_size"
    ).fetchone()
    return (pages - free) * size


def _places(values: Collection[object]) -> str:
    return ", ".join("?" * len(values))


def _prepare(database: sqlite3.Connection) -> None:
    database.execute("PRAGMA secure_delete = ON")  # it holds door codes: what is removed leaves no trace
    database.execute(f"PRAGMA wal_autocheckpoint = {_MOST_PAGES_OF_LOG}")
    if _is_new(database):
        for statement in filter(str.strip, _SCHEMA.split(";")):
            database.execute(statement)
        database.execute(f"PRAGMA application_id = {_OURS}")
        database.execute(f"PRAGMA user_version = {VERSION}")


def _is_new(database: sqlite3.Connection) -> bool:
    """Raises: sqlite3.DatabaseError, NewerHistoryError if it is not a history of this version."""
    new = is_new(database, _OURS)
    if database.execute("PRAGMA user_version").fetchone()[0] > VERSION:
        raise NewerHistoryError("it is from a newer version of trips-mcp")
    return new


class _UnusableError(Exception):
    """The file failed. The message is the reason, as part of a sentence."""


class _RefusedError(Exception):
    """The change of a plan raised, which is no failure of the file."""


class SqliteHistory:
    def __init__(
        self,
        file: Path,
        *,
        clock: Callable[[], float] = time.time,
        timer: Callable[[], float] = time.monotonic,
        largest: int | None = None,
        kept: float | None = None,
        records: bool = True,
    ) -> None:
        """`largest`: the bytes that the file may have. `kept`: seconds. `records`: as of `MemoryHistory`."""
        self._file = file
        self._clock = clock
        self._timer = timer
        self._largest = largest or LARGEST
        self._kept = kept or KEPT
        self._records = records
        self._warned = False
        self._start()

    def _start(self) -> None:
        self._process = os.getpid()
        self._store: Store | None = None
        self._one_at_a_time = anyio.CapacityLimiter(1)
        self._in_use = threading.Lock()
        self._failed_until = -inf
        self._failure = ""
        self._is_slow = False
        self._memory = MemoryHistory(clock=self._clock)

    @property
    def records(self) -> bool:
        return self._records

    async def begin(self, change: RecordedChange) -> str | None:
        return await self._noted(lambda store: store.begin(change))

    async def finish(self, change: RecordedChange) -> str | None:
        return await self._noted(lambda store: store.finish(change))

    async def discard(self, change: RecordedChange) -> None:
        await self._noted(lambda store: store.discard(change))

    async def earlier(self, change: RecordedChange) -> RecordedChange | None:
        if not self._records:
            return None
        try:
            return await self._in_file(lambda store: store.earlier(change))
        except _UnusableError:
            return None

    async def changes(self, query: ChangeQuery) -> list[RecordedChange]:
        try:
            return await self._in_file(lambda store: store.changes(query))
        except _UnusableError as error:
            raise HistoryError(f"The history cannot be read: {error}.") from error

    async def put_plan(self, plan: PlanRecord) -> None:
        try:
            await self._in_file(lambda store: store.put_plan(plan))
        except _UnusableError:
            await self._memory.put_plan(plan)

    async def get_plan(self, account: str, plan_id: str) -> PlanRecord | None:
        found = await self._memory.get_plan(account, plan_id)
        if found is None:
            with suppress(_UnusableError):
                found = await self._in_file(lambda store: store.get_plan(account, plan_id))
        return found

    async def update_plan(
        self, account: str, plan_id: str, change: Callable[[PlanRecord], PlanRecord]
    ) -> PlanRecord | None:
        if (found := await self._memory.update_plan(account, plan_id, change)) is not None:
            return found
        raised: list[Exception] = []

        def guarded(plan: PlanRecord) -> PlanRecord:
            try:
                return change(plan)
            except Exception as error:
                raised.append(error)
                raise _RefusedError from error

        try:
            return await self._in_file(lambda store: store.update_plan(account, plan_id, guarded))
        except _RefusedError:
            raise raised[0] from None
        except _UnusableError as error:
            raise HistoryError(f"The plan cannot be read or changed: {error}.") from error

    async def aclose(self) -> None:
        self._leave_to_parent()
        if self._store is not None:
            with anyio.move_on_after(TIMEOUT, shield=True):
                await anyio.to_thread.run_sync(self._close, abandon_on_cancel=True, limiter=self._one_at_a_time)

    async def _noted(self, work: Callable[[Store], object]) -> str | None:
        """The reason if it fails. Runs in the event loop, as a change of threads takes longer than the note."""
        if not self._records:
            return None
        try:
            if not self._at_once(work):
                await self._in_file(work)
        except _UnusableError as error:
            return str(error)
        return None

    def _at_once(self, work: Callable[[Store], object]) -> bool:
        """Runs in this thread if that should not wait. False, with nothing done, if a worker thread must do it."""
        self._leave_to_parent()
        if self._store is None or self._is_slow or not self._in_use.acquire(blocking=False):
            return False
        started = time.perf_counter()
        try:
            return self._store.without_waiting(work)
        except FAILURES as error:
            raise self._failed(str(error)) from error
        finally:
            self._is_slow = time.perf_counter() - started > _QUICK_SECONDS
            self._in_use.release()

    async def _in_file(self, work: Callable[[Store], T]) -> T:
        """Runs in a worker thread that is never interrupted; the wait for it is bounded. Raises: _UnusableError."""
        self._leave_to_parent()
        if self._timer() < self._failed_until:
            raise _UnusableError(self._failure)
        with anyio.move_on_after(TIMEOUT, shield=True):
            result, failure = await anyio.to_thread.run_sync(
                self._work, work, abandon_on_cancel=True, limiter=self._one_at_a_time
            )
            if failure is None:
                return result
            raise self._failed(str(failure))
        raise self._failed(f"it took longer than {TIMEOUT:.0f} seconds")

    def _work(self, work: Callable[[Store], T]) -> tuple[Any, Exception | None]:
        try:
            with self._in_use:
                if self._store is None:
                    self._store = Store.open(self._file, self._clock, self._largest, self._kept)
                started = time.perf_counter()
                result = self._store.waiting(work)
                self._is_slow = time.perf_counter() - started > _QUICK_SECONDS
                return result, None
        except FAILURES as error:
            return None, error

    def _close(self) -> None:
        with self._in_use, suppress(*FAILURES):
            if self._store is not None:
                self._store.close()
                self._store = None

    def _failed(self, why: str) -> _UnusableError:
        self._failed_until = self._timer() + RETRY_AFTER
        self._failure = f"the history file {self._file} cannot be used ({why})"
        if not self._warned:
            self._warned = True
            logger.warning(
                "The history %s cannot be used (%s): changes are not recorded and cannot be undone. Fix it, or name "
                "another file in TRIPS_MCP_HISTORY.",
                self._file,
                why,
            )
        return _UnusableError(self._failure)

    def _leave_to_parent(self) -> None:
        """After a fork, the open file belongs to the parent process."""
        if self._process != os.getpid():
            self._not_ours_to_close = self._store
            self._start()
