"""A file that cannot be used costs one warning and the notes of a killed process, nothing else."""

import os
import sqlite3
import sys
import threading
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Protocol

import anyio
import pytest

from trips_mcp.client.journal import SqliteJournal

OnFile = Callable[[], SqliteJournal]


class Clock(Protocol):
    now: float

    def __call__(self) -> float: ...


async def joins_what_is_unknown(journal: SqliteJournal) -> bool:
    """The minimal use of a journal, within the time that a call may wait for it."""
    with anyio.fail_after(10):
        first = await journal.begin("d", "send_message", note="n")
        await journal.leave_unknown(first)
        again = await journal.begin("d", "send_message")
        await journal.settle(again)
        third = await journal.begin("d", "send_message")
    return (again.key, again.resumed, again.note, third.resumed) == (first.key, True, "n", False)


def contents(file: Path) -> bytes:
    return file.read_bytes() if file.is_file() else b""


def no_folder_can_be_made(file: Path) -> None:
    file.parent.write_text("a file where a folder should be")


def a_folder(file: Path) -> None:
    file.mkdir(parents=True)


def no_database(file: Path) -> None:
    file.parent.mkdir()
    file.write_bytes(b"These are no notes. " * 1000)


def cut_off(file: Path) -> None:
    file.parent.mkdir()
    with closing(sqlite3.connect(file)) as database:
        database.execute("CREATE TABLE writes (digest TEXT)")
        database.commit()
    file.write_bytes(file.read_bytes()[:5000])


def someone_elses(file: Path) -> None:
    file.parent.mkdir()
    with closing(sqlite3.connect(file)) as database:
        database.execute("CREATE TABLE recipes (name TEXT)")
        database.commit()


def a_table_of_other_columns(file: Path) -> None:
    file.parent.mkdir()
    with closing(sqlite3.connect(file)) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA application_id = 0x74726A31")
        database.execute("CREATE TABLE writes (digest TEXT)")
        database.commit()


def a_pipe(file: Path) -> None:
    file.parent.mkdir()
    os.mkfifo(file)


def locks_cannot_be_made(file: Path) -> None:
    file.parent.mkdir()
    file.with_name("journal.db.d").write_text("")


@pytest.mark.parametrize(
    "put",
    [
        no_folder_can_be_made,
        a_folder,
        no_database,
        cut_off,
        someone_elses,
        a_table_of_other_columns,
        pytest.param(a_pipe, marks=pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are none there")),
        locks_cannot_be_made,
    ],
)
async def test_a_file_that_cannot_be_used_is_one_warning(
    put: Callable[[Path], None], file: Path, on_file: OnFile, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    put(file)
    before = contents(file)
    journal = on_file()

    for _ in range(3):
        assert await joins_what_is_unknown(journal)
        clock.now += 61  # then it is tried again

    [warning] = caplog.records
    assert (warning.name, warning.levelname) == ("trips_mcp.client.journal", "WARNING")
    assert str(file) in warning.getMessage()
    assert contents(file) == before


@pytest.mark.parametrize("name", ["journal\0.db", "j" * 300])
async def test_an_invalid_file_name_is_one_warning(name: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert await joins_what_is_unknown(SqliteJournal(tmp_path / name))

    assert len(caplog.records) == 1


@contextmanager
def locked(file: Path) -> Generator[None]:
    with closing(sqlite3.connect(file)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield


async def test_a_file_that_stays_locked_is_waited_for_once_a_minute(
    file: Path, on_file: OnFile, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    journal = on_file()
    noted = await journal.begin("before", "send_message")
    left = await journal.begin("left", "send_message")

    with locked(file):
        assert await joins_what_is_unknown(journal)
        with anyio.fail_after(30):  # to wait for the file each time would take a quarter of an hour
            for _ in range(1000):
                await journal.settle(await journal.begin("d", "send_message"))
        await journal.settle(noted)
        await journal.leave_unknown(left)
        taken_up = await journal.begin("left", "send_message")
        await journal.settle(taken_up)
    clock.now += 61
    await journal.settle(await journal.begin("after", "send_message"))
    await journal.aclose()

    assert taken_up.resumed
    assert len(caplog.records) == 1
    with closing(sqlite3.connect(file)) as database:
        assert database.execute("SELECT * FROM writes").fetchall() == []


async def test_an_unresponsive_disk_is_not_waited_for(
    file: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trips_mcp.client.journal.TIMEOUT", 0.2)
    disk_answers = threading.Event()

    def clock() -> float:
        if threading.current_thread() is not threading.main_thread():
            disk_answers.wait()  # the journal asks for the time in the middle of its work on the file
        return 1_800_000_000.0

    journal = SqliteJournal(file, clock=clock)
    try:
        assert await joins_what_is_unknown(journal)
        assert len(caplog.records) == 1
    finally:
        disk_answers.set()
        await journal.aclose()


@contextmanager
def full_disk() -> Generator[None]:
    """No file of this process can grow in this block. pytest's own output may be one."""
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such limit there")
async def test_a_full_disk_loses_no_note_of_this_process(on_file: OnFile, caplog: pytest.LogCaptureFixture) -> None:
    journal = on_file()
    early = await journal.begin("early", "send_message")

    with full_disk():
        held = await joins_what_is_unknown(journal)
        await journal.leave_unknown(early)

    assert held
    assert (await journal.begin("early", "send_message")).key == early.key
    assert len(caplog.records) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such modes there")
async def test_others_on_this_computer_cannot_read_it(file: Path, on_file: OnFile) -> None:
    await on_file().begin("d", "send_message")

    for found in (file, *file.parent.glob("journal.db-*"), *file.parent.glob("*.d/*.lock")):
        assert found.stat().st_mode & 0o077 == 0, found
    assert file.with_name("journal.db.d").stat().st_mode & 0o077 == 0


async def test_nothing_is_made_before_the_first_write(file: Path, on_file: OnFile) -> None:
    await on_file().aclose()

    assert not file.parent.exists()
