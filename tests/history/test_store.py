"""What both histories promise, and what the file alone does."""

import sqlite3
import stat
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol
from uuid import uuid4

import anyio
import anyio.lowlevel
import pytest

from trips_mcp.history import (
    LARGEST_OF_AN_ACCOUNT,
    ChangeQuery,
    History,
    HistoryError,
    ItemChange,
    MemoryHistory,
    PlanRecord,
    RecordedChange,
)
from trips_mcp.history.sqlite import SqliteHistory

OnFile = Callable[..., SqliteHistory]


class Clock(Protocol):
    now: float

    def __call__(self) -> float: ...


MINE = ChangeQuery(accounts=("mine",))
THEIRS = ChangeQuery(accounts=("theirs",))
LEG = {"_id": "leg1", "title": "Kyoto", "accommodation": {"doorCode": "K4711"}}


def change_of(clock: Clock, **fields: Any) -> RecordedChange:
    item = ItemChange(kind="leg", id="leg1", before=LEG, after={**LEG, "title": "Nara"}, fields=("title",))
    given: dict[str, Any] = {"account": "mine", "tool": "update_leg", "trip": "jx7", "items": (item,)}
    given |= {"arguments": {"tripId": "jx7", "title": "Nara"}, "made_at": clock.now, "digest": "d"}
    return RecordedChange(id=uuid4().hex, **given | fields)


def plan_of(clock: Clock, **fields: Any) -> PlanRecord:
    given: dict[str, Any] = {"account": "mine", "trip": "jx7", "format": 1, "state": "ready"}
    given |= {"made_at": clock.now, "expires": clock.now + 3600, "body": {"changes": [LEG]}}
    return PlanRecord(id=uuid4().hex, **given | fields)


async def test_a_change_is_kept_as_it_was_recorded_newest_first(history: History, clock: Clock) -> None:
    first, second = change_of(clock), change_of(clock, tool="create_event", trip="", numbers=(4, 5), items=())
    for change in (first, second):
        assert await history.begin(change) is None
        assert await history.finish(replace(change, state="done")) is None

    assert await history.changes(MINE) == [replace(second, state="done"), replace(first, state="done")]


async def test_until_its_outcome_is_known_a_change_is_unknown(history: History, clock: Clock) -> None:
    change = change_of(clock)
    await history.begin(change)

    assert [found.state for found in await history.changes(MINE)] == ["unknown"]

    await history.discard(change)
    assert await history.changes(MINE) == []


async def test_accounts_see_only_their_own(history: History, clock: Clock) -> None:
    await history.begin(change_of(clock))
    plan = plan_of(clock)
    await history.put_plan(plan)

    assert await history.changes(THEIRS) == []
    assert await history.get_plan("theirs", plan.id) is None
    assert len(await history.changes(ChangeQuery(accounts=("theirs", "mine")))) == 1


async def test_undoing_marks_the_change(history: History, clock: Clock) -> None:
    change = change_of(clock)
    undo = change_of(clock, undoes=change.id)
    for one in (change, undo):
        await history.begin(one)
        await history.finish(replace(one, state="done"))

    assert [found.undone for found in await history.changes(MINE)] == [False, True]


async def test_an_earlier_equal_call_is_found_for_a_day_unless_undone(history: History, clock: Clock) -> None:
    first = change_of(clock)
    await history.begin(first)
    clock.now += 1
    second = change_of(clock)
    await history.begin(second)

    assert await history.earlier(second) == first
    assert await history.earlier(replace(second, digest="other")) is None
    assert await history.earlier(replace(second, made_at=clock.now + 24 * 3600)) is None
    await history.finish(replace(first, undone=True))
    assert await history.earlier(second) is None


async def test_a_plan_is_replaced_at_once_or_not_at_all(history: History, clock: Clock) -> None:
    plan = plan_of(clock)
    await history.put_plan(plan)

    assert await history.get_plan("mine", plan.id) == plan
    assert await history.update_plan("mine", plan.id, lambda found: replace(found, state="applied")) == replace(
        plan, state="applied"
    )
    with pytest.raises(ValueError, match="not twice"):
        await history.update_plan("mine", plan.id, refuse)
    assert (await history.get_plan("mine", plan.id)) == replace(plan, state="applied")
    assert await history.update_plan("mine", "other", refuse) is None


def refuse(_: PlanRecord) -> PlanRecord:
    raise ValueError("not twice")


async def test_a_plan_is_told_of_after_it_expired(history: History, clock: Clock) -> None:
    plan = plan_of(clock)
    await history.put_plan(plan)
    clock.now += 3600 + 1800

    assert await history.get_plan("mine", plan.id) == plan

    clock.now += 24 * 3600
    await history.put_plan(plan_of(clock))
    assert await history.get_plan("mine", plan.id) is None


async def test_text_that_is_no_unicode_is_kept(history: History, clock: Clock) -> None:
    change = change_of(clock, arguments={"title": "half \ud83d"})

    assert await history.begin(change) is None
    assert (await history.changes(MINE))[0].arguments == {"title": "half \ud83d"}


async def test_memory_forgets_after_an_hour_and_keeps_each_account_small(clock: Clock) -> None:
    history = MemoryHistory(clock=clock)
    await history.begin(change_of(clock, account="theirs"))
    clock.now += 1800
    for _ in range(30):
        await history.begin(change_of(clock, arguments={"text": "x" * (LARGEST_OF_AN_ACCOUNT // 10)}))

    assert len(await history.changes(MINE)) == 9
    assert len(await history.changes(THEIRS)) == 1

    clock.now += 1801
    assert await history.changes(THEIRS) == []


async def test_without_recording_only_plans_are_kept(clock: Clock) -> None:
    history = MemoryHistory(records=False, clock=clock)
    plan = plan_of(clock)
    await history.begin(change_of(clock))
    await history.put_plan(plan)

    assert not history.records
    assert await history.changes(MINE) == []
    assert await history.get_plan("mine", plan.id) == plan


async def test_the_file_outlives_its_process_for_thirty_days(on_file: OnFile, clock: Clock) -> None:
    change, plan = change_of(clock), plan_of(clock)
    first = on_file()
    await first.begin(change)
    await first.put_plan(plan)
    await first.aclose()

    clock.now += 29 * 24 * 3600
    again = on_file()
    assert [found.id for found in await again.changes(MINE)] == [change.id]
    clock.now += 2 * 24 * 3600
    assert await again.changes(MINE) == []


async def test_two_processes_share_the_file(on_file: OnFile, clock: Clock) -> None:
    one, other = on_file(), on_file()
    changes = [change_of(clock) for _ in range(20)]
    for at, change in enumerate(changes):
        writer, finisher = (one, other) if at % 2 else (other, one)
        assert await writer.begin(change) is None
        assert await finisher.finish(replace(change, state="done")) is None
    plan = plan_of(clock)
    await one.put_plan(plan)

    assert await other.changes(MINE) == [replace(change, state="done") for change in reversed(changes)]
    assert await other.get_plan("mine", plan.id) == plan


async def test_the_oldest_go_when_the_file_is_too_large(on_file: OnFile, clock: Clock, file: Path) -> None:
    largest = 400_000
    history = on_file(largest=largest)
    written = [change_of(clock, arguments={"text": "x" * 10_000}) for _ in range(100)]
    for change in written:
        await history.begin(change)
        assert await history.finish(replace(change, state="done")) is None

    kept = [found.id for found in await history.changes(MINE)]
    assert 20 < len(kept) < 40
    assert kept == [change.id for change in reversed(written)][: len(kept)]
    await history.aclose()
    assert len(contents(file)) < largest * 1.3


async def test_who_writes_much_does_not_push_out_what_others_wrote(on_file: OnFile, clock: Clock) -> None:
    history = on_file(largest=400_000)
    of_another = change_of(clock, account="another")
    await history.begin(of_another)
    for _ in range(100):
        change = change_of(clock, arguments={"text": "x" * 10_000})
        await history.begin(change)
        assert await history.finish(replace(change, state="done")) is None

    assert await history.changes(replace(MINE, accounts=("another",))) == [of_another]


async def test_workers_keep_changes_as_long_as_one_process_does_in_memory(on_file: OnFile, clock: Clock) -> None:
    history = on_file(kept=3600)
    await history.begin(change_of(clock))
    clock.now += 3599
    [found] = await history.changes(MINE)
    clock.now += 2

    assert await history.changes(MINE) == []
    await history.begin(change_of(clock))
    assert found.id not in [one.id for one in await on_file().changes(MINE)], "it is removed from the file too"


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such modes there")
async def test_only_its_owner_may_read_the_file(on_file: OnFile, clock: Clock, file: Path) -> None:
    await on_file().begin(change_of(clock))

    assert {stat.S_IMODE(one.stat().st_mode) for one in file.parent.iterdir()} == {0o600}


async def test_what_is_removed_leaves_no_trace(on_file: OnFile, clock: Clock, file: Path) -> None:
    history = on_file()
    change = change_of(clock)
    await history.begin(change)
    await history.discard(change)
    await history.aclose()

    assert b"K4711" not in contents(file)


def contents(file: Path) -> bytes:
    return file.read_bytes() if file.is_file() else b""


def a_folder(file: Path) -> None:
    file.mkdir(parents=True)


def no_folder_can_be_made(file: Path) -> None:
    file.parent.write_text("a file where a folder should be")


def no_database(file: Path) -> None:
    file.parent.mkdir()
    file.write_bytes(b"This is no history. " * 1000)


def someone_elses(file: Path) -> None:
    file.parent.mkdir()
    with closing(sqlite3.connect(file)) as database:
        database.execute("CREATE TABLE recipes (name TEXT)")
        database.commit()


def of_a_newer_version(file: Path) -> None:
    file.parent.mkdir()
    with closing(sqlite3.connect(file)) as database:
        database.execute("PRAGMA application_id = 0x74726833")
        database.execute("PRAGMA user_version = 2")
        database.execute("CREATE TABLE changes (id TEXT)")
        database.commit()


def of_other_columns(file: Path) -> None:
    file.parent.mkdir()
    with closing(sqlite3.connect(file)) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA application_id = 0x74726833")
        database.execute("PRAGMA user_version = 1")
        database.execute("CREATE TABLE changes (id TEXT)")
        database.commit()


BAD: list[tuple[Callable[[Path], None], str]] = [
    (a_folder, "it is not a file"),
    (no_folder_can_be_made, ""),
    (no_database, "file is not a database"),
    (someone_elses, "it is a database of something else"),
    (of_a_newer_version, "it is from a newer version of trips-mcp"),
    (of_other_columns, ""),
]


@pytest.mark.parametrize(("put", "why"), BAD)
async def test_a_bad_file_is_a_reason_and_one_warning(
    put: Callable[[Path], None],
    why: str,
    file: Path,
    on_file: OnFile,
    clock: Clock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    put(file)
    before = contents(file)
    history = on_file()

    for _ in range(3):
        reason = await history.begin(change_of(clock))
        assert reason is not None
        assert f"the history file {file} cannot be used ({why}" in reason
        with pytest.raises(HistoryError, match="The history cannot be read: the history file"):
            await history.changes(MINE)
        clock.now += 61  # then it is tried again

    plan = plan_of(clock)
    await history.put_plan(plan)
    assert await history.get_plan("mine", plan.id) == plan
    updated = await history.update_plan("mine", plan.id, lambda found: replace(found, state="applied"))
    assert updated == await history.get_plan("mine", plan.id)
    [warning] = caplog.records
    assert (warning.name, warning.levelname) == ("trips_mcp.history", "WARNING")
    assert contents(file) == before


@pytest.mark.parametrize("name", ["history\0.db", "h" * 300])
async def test_a_name_that_is_none_is_a_reason(name: str, tmp_path: Path, clock: Clock) -> None:
    assert await SqliteHistory(tmp_path / name).begin(change_of(clock)) is not None


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such limit there")
async def test_a_full_disk_is_a_reason_and_loses_nothing_before(on_file: OnFile, clock: Clock) -> None:
    resource = pytest.importorskip("resource")
    history = on_file()
    early = change_of(clock)
    await history.begin(early)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        reason = await history.begin(change_of(clock))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    clock.now += 61

    assert reason is not None
    assert [found.id for found in await history.changes(MINE)] == [early.id]


async def test_a_locked_file_is_waited_for_once_a_minute(on_file: OnFile, clock: Clock, file: Path) -> None:
    history = on_file()
    await history.begin(change_of(clock))
    with closing(sqlite3.connect(file)) as other:
        other.execute("BEGIN IMMEDIATE")
        for _ in range(1000):  # to wait for the file each time would take a quarter of an hour
            assert await history.begin(change_of(clock)) is not None
    clock.now += 61

    assert await history.begin(change_of(clock)) is None


async def test_while_another_process_writes_a_change_waits_for_it_and_nothing_else_does(
    on_file: OnFile, clock: Clock, file: Path
) -> None:
    history = on_file()
    await history.begin(change_of(clock))
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        went_on: list[bool] = []
        reason: str | None = "not begun"

        async def meanwhile() -> None:
            await anyio.lowlevel.checkpoint()
            went_on.append(True)
            other.execute("COMMIT")

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(meanwhile)
            reason = await history.begin(change_of(clock))

    assert reason is None
    assert went_on
    assert len(await history.changes(MINE)) == 2


async def test_changes_are_found_by_trip_plan_and_page(history: History, clock: Clock) -> None:
    of_trip = change_of(clock, plan="p")
    of_event = change_of(clock, trip="", numbers=(1, 23))
    again = change_of(clock, trip="other", replaces="leg1")
    for change in (of_trip, of_event, again):
        await history.begin(change)

    async def found(**wanted: Any) -> list[RecordedChange]:
        return await history.changes(ChangeQuery(accounts=("mine",), **wanted))

    assert await found(trip="jx7") == [of_trip]
    assert await found(trip="jx7", number=23) == [of_event, of_trip]
    assert await found(trip="jx7", number=2) == [of_trip]
    assert await found(id=of_event.id) == [of_event]
    assert await found(plan="p") == [of_trip]
    assert await found(replacing=True) == [again]
    assert await found(limit=2) == [again, of_event]
    assert await found(before=of_event.id) == [of_trip]
    assert await found(before="unknown") == []
