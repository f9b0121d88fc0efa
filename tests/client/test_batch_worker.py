"""Jobs that wait at the same time run together, each caller hears of its own, and nobody waits for ever."""

import threading
from collections.abc import Callable
from contextlib import suppress

import anyio

from trips_mcp.client.journal import BatchWorker, Job

Run = Callable[[list[Job[str]]], None]


class Thread:
    """What runs in the worker thread: the first batch waits until it may go on."""

    def __init__(self) -> None:
        self.batches: list[list[object]] = []
        self.has_begun = threading.Event()
        self.may_end = threading.Event()

    def __call__(self, jobs: list[Job[str]]) -> None:
        self.batches.append([job.work("store") for job in jobs])
        if len(self.batches) == 1:
            self.has_begun.set()
            assert self.may_end.wait(10)
        for job in jobs:
            job.is_done = True


async def begun(thread: Thread) -> None:
    await anyio.to_thread.run_sync(thread.has_begun.wait, 10)


async def test_jobs_that_wait_for_the_same_batch_run_together() -> None:
    thread = Thread()
    worker = BatchWorker[str](thread, timeout=10)
    jobs = [Job[str](lambda store, n=n: f"{store} {n}") for n in range(5)]
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(worker.do, jobs[0])
        await begun(thread)
        for job in jobs[1:]:
            tasks.start_soon(worker.do, job)
        await anyio.wait_all_tasks_blocked()
        thread.may_end.set()

    assert thread.batches == [["store 0"], [f"store {n}" for n in range(1, 5)]]
    assert all(job.is_done for job in jobs)


async def test_a_cancelled_caller_leaves_neither_its_job_nor_the_others_undone() -> None:
    thread = Thread()
    worker = BatchWorker[str](thread, timeout=10)
    jobs = [Job[str](lambda _, n=n: n) for n in range(3)]
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(worker.do, jobs[0])
        await begun(thread)
        with anyio.CancelScope() as scope:
            tasks.start_soon(worker.do, jobs[2])
            await anyio.wait_all_tasks_blocked()
            scope.cancel()
            thread.may_end.set()
            await worker.do(jobs[1])

    assert all(job.is_done for job in jobs)
    assert sorted(str(n) for batch in thread.batches for n in batch) == ["0", "1", "2"]


async def test_a_thread_that_hangs_is_waited_for_no_longer_than_the_timeout() -> None:
    thread = Thread()
    worker = BatchWorker[str](thread, timeout=0.05)
    hanging, waiting = Job[str](str), Job[str](str)
    try:
        with anyio.fail_after(10):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(worker.do, hanging)
                await begun(thread)
                tasks.start_soon(worker.do, waiting)
        assert not hanging.is_done
        later = Job[str](str)
        await worker.do(later)
        assert later.is_done
    finally:
        thread.may_end.set()


async def test_an_unexpected_error_ends_every_wait() -> None:
    def broken(_: list[Job[str]]) -> None:
        raise RuntimeError("broken")

    worker = BatchWorker[str](broken, timeout=10)
    jobs = [Job[str](str) for _ in range(2)]

    async def do(job: Job[str]) -> None:
        with suppress(RuntimeError):
            await worker.do(job)

    with anyio.fail_after(5):
        async with anyio.create_task_group() as tasks:
            for job in jobs:
                tasks.start_soon(do, job)

    assert not any(job.is_done for job in jobs)
