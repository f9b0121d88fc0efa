"""Processes that share a journal file: a write in progress becomes unknown when its process dies."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest
from typing_extensions import override

from trips_mcp.client.journal import Intent, SqliteJournal

HOLDER = Path(__file__).with_name("holder.py")
SECONDS = 30

OnFile = Callable[[], SqliteJournal]


@contextmanager
def holder(file: Path, *words: str) -> Generator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, str(HOLDER), str(file), *words], stdout=subprocess.PIPE, encoding="utf-8"
    ) as process:
        last_resort = threading.Timer(SECONDS, process.kill)
        last_resort.start()
        try:
            yield process
        finally:
            last_resort.cancel()
            process.kill()


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def locks(file: Path) -> int:
    return len(list(Path(f"{file}.d").iterdir()))


@pytest.fixture
def journal(file: Path) -> SqliteJournal:
    """On the real clock, as the holder's is."""
    return SqliteJournal(file)


async def test_a_write_of_a_killed_process_is_resumed(file: Path, journal: SqliteJournal) -> None:
    with holder(file, "d") as process:
        key = said(process)
        while_it_lives = await journal.begin("d", "send_message")
        process.kill()
        process.wait()
        when_it_is_dead = await journal.begin("d", "send_message")
    afterwards = await journal.begin("d", "send_message")
    await journal.aclose()

    assert not while_it_lives.resumed
    assert when_it_is_dead == Intent(key, resumed=True, note="")
    assert not afterwards.resumed
    assert len({key, while_it_lives.key, afterwards.key}) == 3


def rows(file: Path) -> int:
    with closing(sqlite3.connect(file)) as database:
        return database.execute("SELECT count(*) FROM writes").fetchone()[0]


async def test_settled_notes_are_removed_soon_without_another_write(file: Path) -> None:
    journal = SqliteJournal(file)
    for digest in "abc":
        await journal.settle(await journal.begin(digest, "send_message"))

    with anyio.fail_after(SECONDS):
        while rows(file):  # noqa: ASYNC110 - a file tells nobody that it changes
            await anyio.sleep(0.01)
    await journal.aclose()


@pytest.mark.parametrize("pause", [0.0, 0.001, SECONDS])
async def test_a_thread_that_ends_in_a_pause_leaves_no_note(
    pause: float, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trips_mcp.client.journal._IDLE_SECONDS", pause)
    started: list[threading.Thread] = []

    class Counted(threading.Thread):
        @override
        def start(self) -> None:
            started.extend([self] if self.name == "journal" else [])
            super().start()

    monkeypatch.setattr("trips_mcp.client.journal.threading.Thread", Counted)
    journal = SqliteJournal(file)
    for number in range(20):
        await journal.settle(await journal.begin(str(number), "send_message"))
        with anyio.fail_after(SECONDS):
            while rows(file):
                await anyio.lowlevel.checkpoint()
    await journal.aclose()

    assert started
    if pause == SECONDS:
        assert len(started) == 1


async def test_settled_notes_are_removed_when_the_journal_closes(file: Path) -> None:
    journal = SqliteJournal(file)
    for digest in "abc":
        await journal.settle(await journal.begin(digest, "send_message"))
    await journal.aclose()

    assert rows(file) == 0


@pytest.mark.skipif(sys.platform == "win32", reason="processes can't be stopped there")
async def test_a_stopped_process_counts_as_alive(file: Path, journal: SqliteJournal) -> None:
    with holder(file, "d") as process:
        key = said(process)
        process.send_signal(signal.SIGSTOP)
        other = await journal.begin("d", "send_message")
    await journal.aclose()

    assert not other.resumed
    assert other.key != key


@pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing forks there")
async def test_a_forked_child_does_not_keep_its_parent_alive(file: Path, journal: SqliteJournal) -> None:
    with holder(file, "d", "fork") as process:
        key, child = said(process), int(said(process))
        process.kill()
        process.wait()
        intent = await journal.begin("d", "send_message")
        os.kill(child, signal.SIGKILL)
    await journal.aclose()

    assert (intent.key, intent.resumed) == (key, True)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing forks there")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # pytest-xdist has threads
def test_a_forked_child_has_its_own_journal(file: Path) -> None:
    journal = SqliteJournal(file)
    first = anyio.run(journal.begin, "d", "send_message")

    if not (child := os.fork()):
        in_child = anyio.run(journal.begin, "d", "send_message")
        anyio.run(journal.leave_unknown, in_child)
        os._exit(0 if in_child.key != first.key and not in_child.resumed else 1)
    assert os.waitpid(child, 0)[1] == 0
    of_child = anyio.run(journal.begin, "d", "send_message")
    again = anyio.run(journal.begin, "d", "send_message")
    anyio.run(journal.aclose)

    assert of_child.resumed
    assert not again.resumed


async def test_an_unknown_outcome_outlives_a_clean_end(on_file: OnFile) -> None:
    before = on_file()
    first = await before.begin("d", "update_event", note="revision 3")
    await before.leave_unknown(first)
    await before.aclose()

    taken_up = await on_file().begin("d", "update_event", note="revision 5")

    assert taken_up == Intent(first.key, resumed=True, note="revision 3")


async def test_another_process_may_resume_an_unknown_outcome(on_file: OnFile) -> None:
    one, other = on_file(), on_file()
    first = await one.begin("d", "send_message")
    at_the_same_time = await other.begin("d", "send_message")
    await one.leave_unknown(first)

    taken_up = await other.begin("d", "send_message")
    await other.settle(taken_up)
    afterwards = await one.begin("d", "send_message")

    assert not at_the_same_time.resumed
    assert (taken_up.key, taken_up.resumed) == (first.key, True)
    assert not afterwards.resumed


async def test_many_processes_resume_each_note_once(on_file: OnFile, caplog: pytest.LogCaptureFixture) -> None:
    processes = [on_file() for _ in range(4)]
    taken_up: list[Intent] = []

    async def begin(journal: SqliteJournal) -> None:
        taken_up.append(await journal.begin("d", "send_message"))

    async with anyio.create_task_group() as calls:
        for journal in processes * 10:
            calls.start_soon(begin, journal)  # which opens the file, in all of them at once
    first, taken_up = taken_up, []
    for intent in first:
        for journal in processes:
            await journal.leave_unknown(intent)  # whoever noted it
    async with anyio.create_task_group() as calls:
        for journal in processes * 10:
            calls.start_soon(begin, journal)

    assert len({intent.key for intent in first}) == 40
    assert not any(intent.resumed for intent in first)
    assert sorted(intent.key for intent in taken_up) == sorted(intent.key for intent in first)
    assert all(intent.resumed for intent in taken_up)
    assert caplog.messages == []


async def test_locks_of_dead_processes_are_removed(file: Path, on_file: OnFile) -> None:
    for _ in range(3):
        with holder(file, "d") as process:
            said(process)
    assert locks(file) >= 1

    last = on_file()
    await last.begin("e", "send_message")
    held = locks(file)
    await last.aclose()

    assert (held, locks(file)) == (1, 0)
