"""What may be sent when, step by step: the specification of the rate limiter's estimate. The limit is 5 a minute.

A step is `TIME DEED -> ROOM`: at that second the deed happens, and then so many requests may be sent. Deeds:

    send A          request A is sent
    A says R        it is answered, and the service says that R remain
    A ends          it ends without saying what remains, and may have been counted
    A fails         it never reached the service
    refused         the service refuses a request as one too many
    wait            nothing happens
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import anyio
import pytest

from trips_mcp.client import RateLimitedError, UnavailableError
from trips_mcp.client.outcome import RateLimit
from trips_mcp.client.rate_limiter import RateLimiter, RequestBudget, Turn
from trips_mcp.contract.trips import LIST_TRIPS

if TYPE_CHECKING:
    from .conftest import SharedTime

LIMIT = 5


class Account:
    def __init__(self) -> None:
        self.budget = RequestBudget()
        self._turns: dict[str, Turn] = {}

    def do(self, now: float, deed: str) -> None:
        match deed.split():
            case ["send", name]:
                self._turns[name] = self.budget.send(now)
            case [name, "says", remaining]:
                self.budget.answer(self._turns.pop(name), LIMIT, int(remaining), now)
            case [name, "ends" | "fails" as how]:
                del self._turns[name]
                self.budget.end(now, counted=how == "ends")
            case ["refused"]:
                self.budget.start_over()
            case ["wait"]:
                pass
            case _:
                raise ValueError(deed)

    def room(self, now: float) -> int:
        if self.budget.probing:
            return int(self.budget.allows(now))
        return self.budget.room(now)


SCENARIOS = {
    "before anything is known one request goes ahead alone": """
        0    wait     -> 1
        0    send A   -> 0
        3    A ends   -> 1
    """,
    "each request takes one, under way or counted": """
        0    send A   -> 0
        0.1  A says 4 -> 4
        1    send B   -> 3
        1    send C   -> 2
        1.5  B says 3 -> 2
        1.6  C says 2 -> 2
    """,
    "answers that overtake each other take no more than one each": """
        0    send A   -> 0
        0.1  A says 4 -> 4
        1    send B   -> 3
        1    send C   -> 2
        1.5  C says 2 -> 1
        1.6  B says 3 -> 2
    """,
    "what others use of the account is seen in the next answer": """
        0    send A   -> 0
        0.1  A says 4 -> 4
        1    send B   -> 3
        1.5  B says 0 -> 0
    """,
    "a request that ends without an answer counts, one that never arrived does not": """
        0    send A   -> 0
        0.1  A says 4 -> 4
        1    send B   -> 3
        2    B ends   -> 3
        3    send C   -> 2
        4    C fails  -> 3
    """,
    "each request that is lost counts": """
        0    send A   -> 0
        0    A says 4 -> 4
        1    send B   -> 3
        1    send C   -> 2
        1    send D   -> 1
        2    B ends   -> 1
        3    C ends   -> 1
        4    D ends   -> 1
    """,
    "a lost request stays subtracted when a slower one says what was counted before it": """
        0    send A   -> 0
        0    A says 4 -> 4
        1    send B   -> 3
        1    send C   -> 2
        2    B ends   -> 2
        3    C says 3 -> 2
    """,
    "a window ends a minute after its first answer, at the latest": """
        0    send A   -> 0
        2    A says 4 -> 4
        3    send B   -> 3
        3    B says 3 -> 3
        61.9 wait     -> 3
        62   wait     -> 4
        63   wait     -> 5
    """,
    "after a window, requests that ended less than a minute ago may count in the next": """
        0    send A   -> 0
        1    A says 4 -> 4
        2    send B   -> 3
        40   B says 3 -> 3
        61   wait     -> 4
        99.9 wait     -> 4
        100  wait     -> 5
    """,
    "after a window, requests under way may count in the next": """
        0    send A   -> 0
        1    A says 4 -> 4
        59   send B   -> 3
        61   wait     -> 4
        62   send C   -> 3
        62   C says 4 -> 3
        63   B ends   -> 3
    """,
    "the first answer of a new window opens all of it": """
        0    send A   -> 0
        0    A says 0 -> 0
        60   send B   -> 4
        60   B says 4 -> 4
    """,
    "a service whose window began earlier than thought is believed": """
        0    send A   -> 0
        5    A says 1 -> 1
        20   send B   -> 0
        20   B says 4 -> 4
        79.9 wait     -> 4
        80   wait     -> 5
    """,
    "an answer that says no less than before is of a new window": """
        0    send A   -> 0
        5    A says 3 -> 3
        20   send B   -> 2
        20   B says 3 -> 3
        66   wait     -> 3
        79.9 wait     -> 3
        80   wait     -> 5
    """,
    "a request of an earlier window may be counted in this one, whatever it says": """
        0    send A   -> 0
        1    A says 4 -> 4
        58   send B   -> 3
        62   send C   -> 3
        62   C says 4 -> 3
        63   B says 2 -> 3
    """,
    "each request of an earlier window may be counted in this one": """
        0    send A   -> 0
        1    A says 4 -> 4
        58   send B   -> 3
        58   send C   -> 2
        62   send D   -> 2
        62   D says 4 -> 2
        63   B says 2 -> 2
        64   C says 1 -> 2
    """,
    "a request that ended when the first of a window was sent may be counted in it": """
        0    send A   -> 0
        0    A says 4 -> 4
        59   send B   -> 3
        62   B ends   -> 4
        62   send C   -> 3
        63   C says 4 -> 3
    """,
    "an answer that promises more than the limit is not believed": """
        0    send A   -> 0
        0    A says 9 -> 5
    """,
    "a refusal starts over": """
        0    send A   -> 0
        0    A says 4 -> 4
        1    refused  -> 1
        31   send B   -> 0
        31   B says 4 -> 4
    """,
}


@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=SCENARIOS.keys())
def test_room_step_by_step(scenario: str) -> None:
    account = Account()
    expected: list[str] = []
    found: list[str] = []

    for line in filter(None, map(str.strip, scenario.splitlines())):
        step, _, room = line.partition("->")
        time, _, deed = step.strip().partition(" ")
        account.do(float(time), deed)
        expected.append(f"{step}->{room}")
        found.append(f"{step}-> {account.room(float(time))}")

    assert found == expected


@pytest.mark.parametrize(
    ("now", "known"),
    [
        (10, RateLimit(5, 4, 50)),
        (59.5, RateLimit(5, 4, 0.5)),
        (60, RateLimit(5, 5, 60)),
    ],
)
def test_what_is_known_of_the_limit(now: float, known: RateLimit) -> None:
    account = Account()
    account.do(0, "send A")
    account.do(0, "A says 4")

    assert account.budget.known(now) == known


def test_more_than_is_left_is_never_told() -> None:
    account = Account()
    account.do(0, "send A")
    account.do(0, "A says 0")

    assert account.budget.known(0) == RateLimit(5, 0, 60)


def test_nothing_is_known_before_the_first_answer_and_after_a_refusal() -> None:
    account = Account()

    assert account.budget.known(0) is None
    account.do(0, "send A")
    account.do(0, "A says 4")
    account.do(1, "refused")
    assert account.budget.known(1) is None


def test_a_service_that_names_no_limit_allows_everything() -> None:
    budget = RequestBudget()
    budget.send(0)
    budget.no_limit()
    budget.end(0, counted=True)

    assert budget.unlimited
    assert all(budget.allows(0) for _ in range(100) if budget.send(0))
    assert budget.known(0) is None


def test_a_limit_that_is_named_later_is_obeyed() -> None:
    account = Account()
    account.do(0, "send A")
    account.budget.no_limit()
    account.do(0, "A ends")
    account.do(1, "send B")
    account.do(1, "send C")
    account.do(2, "B says 3")

    assert not account.budget.unlimited
    assert account.room(2) == 2


def test_a_limit_once_named_is_not_forgotten_by_an_answer_without_one() -> None:
    account = Account()
    account.do(0, "send A")
    account.do(0, "A says 4")
    account.do(1, "send B")
    account.budget.no_limit()
    account.do(1, "B ends")

    assert account.room(1) == 3


@pytest.mark.parametrize(
    ("deeds", "next_window"),
    [
        ("send A, A says 4", 60),
        ("send A, A says 4, send B, B says 3", 60),
        ("send A, A fails", float("inf")),
    ],
)
def test_the_next_window_begins_a_minute_after_the_first_answer(deeds: str, next_window: float) -> None:
    account = Account()
    for deed in deeds.split(", "):
        account.do(0, deed)

    assert account.budget.next_window(30) == next_window


def test_between_windows_the_oldest_request_to_be_forgotten_makes_room() -> None:
    account = Account()
    for time, deed in [(0, "send A"), (0, "A says 4"), (50, "send B"), (50, "B says 3")]:
        account.do(time, deed)

    assert account.budget.next_window(60) == 110


OF_FIVE = {"X-RateLimit-Limit": "5", "X-RateLimit-Remaining": "4"}
OF_ONE = {"X-RateLimit-Limit": "1", "X-RateLimit-Remaining": "0"}


class Limiter:
    """A rate limiter on a clock that only the test moves."""

    def __init__(self) -> None:
        self.now = 0.0
        self._limiter = RateLimiter(lambda: self.now, self._sleep)
        self.slept: list[float] = []
        self.close = self._limiter.close

    async def admit(self, ends: float = 1000) -> Turn:
        return await self._limiter.admit(LIST_TRIPS, self._limiter.new_place(), ends)

    async def answered(self, headers: Mapping[str, str]) -> None:
        self.close(await self.admit(), headers, status=200)

    @property
    def remaining(self) -> int | None:
        known = self._limiter.known
        return known and known.remaining

    async def _sleep(self, seconds: float) -> None:
        """Until someone else wakes the waiter."""
        self.slept.append(seconds)
        await anyio.sleep_forever()


async def test_a_request_whose_answer_was_lost_counts() -> None:
    limiter = Limiter()
    await limiter.answered(OF_FIVE)

    limiter.close(await limiter.admit())
    lost = limiter.remaining
    limiter.close(await limiter.admit(), counted=False)

    assert (lost, limiter.remaining) == (3, 3)


@pytest.mark.parametrize(
    ("headers", "status", "unlimited"),
    [
        ({}, 200, True),
        ({"X-RateLimit-Limit": "5"}, 200, True),
        ({"X-RateLimit-Remaining": "4"}, 200, True),
        ({}, 499, True),
        ({}, 500, False),
        ({}, 0, False),
        (None, 0, False),
        (None, 200, False),
    ],
)
async def test_an_answer_of_the_service_that_does_not_name_both_counts_has_no_limit(
    headers: dict[str, str] | None, status: int, unlimited: bool
) -> None:
    limiter = Limiter()
    limiter.close(await limiter.admit(), headers, status=status)

    await limiter.admit()
    alone = False
    try:
        await limiter.admit(ends=0)  # no time to wait
    except UnavailableError:
        alone = True

    assert alone is not unlimited


async def test_after_a_lost_first_answer_the_next_ones_wait_for_one_of_them() -> None:
    limiter = Limiter()
    limiter.close(await limiter.admit())
    turns: list[Turn] = []

    async def wait() -> None:
        turns.append(await limiter.admit())

    with anyio.fail_after(30):
        first = await limiter.admit()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(wait)
            await anyio.wait_all_tasks_blocked()
            assert turns == []
            limiter.close(first, OF_FIVE, status=200)

    assert len(turns) == 1


async def test_a_refusal_holds_back_for_its_seconds_and_no_longer(shared_time: "SharedTime") -> None:
    """Also where an answer that was under way has told of room since."""
    limiter = RateLimiter(shared_time.clock, shared_time.sleep)
    began = shared_time.now

    async def admitted() -> Turn:
        return await limiter.admit(LIST_TRIPS, limiter.new_place(), shared_time.now + 20)

    limiter.close(await admitted(), OF_FIVE, status=200)
    refused, answered = await admitted(), await admitted()
    limiter.close(refused, hold=0.5)
    limiter.close(answered, {**OF_FIVE, "X-RateLimit-Remaining": "3"}, status=200)
    with anyio.fail_after(30):
        async with anyio.create_task_group() as clockwork:
            clockwork.start_soon(shared_time.pass_by)
            await admitted()
            clockwork.cancel_scope.cancel()

    assert shared_time.now == began + 0.5


async def test_who_has_one_second_left_when_its_turn_comes_has_it(shared_time: "SharedTime") -> None:
    limiter = RateLimiter(shared_time.clock, shared_time.sleep)
    began = shared_time.now
    limiter.close(await limiter.admit(LIST_TRIPS, limiter.new_place(), began + 1), OF_ONE, status=200)

    with anyio.fail_after(30):
        async with anyio.create_task_group() as clockwork:
            clockwork.start_soon(shared_time.pass_by)
            with pytest.raises(RateLimitedError):
                await limiter.admit(LIST_TRIPS, limiter.new_place(), began + 60.9)
            turn = await limiter.admit(LIST_TRIPS, limiter.new_place(), began + 61)
            assert turn.sent_at == began + 60
            clockwork.cancel_scope.cancel()


async def test_who_waits_for_requests_under_way_is_not_refused_before_they_end() -> None:
    limiter = Limiter()
    await limiter.answered(OF_ONE)
    limiter.now = 60
    turns: list[Turn] = []

    async def wait() -> None:
        turns.append(await limiter.admit(ends=200))

    with anyio.fail_after(30):
        under_way = await limiter.admit()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(wait)
            await anyio.wait_all_tasks_blocked()
            limiter.close(under_way, OF_ONE, status=200)
            await anyio.wait_all_tasks_blocked()
            assert limiter.slept[-1] == 60
            limiter.now = 120
            with pytest.raises(UnavailableError):
                await limiter.admit(ends=121)  # who comes later does not take the turn of who waits

    assert len(turns) == 1


async def test_who_is_refused_just_before_its_turn_is_told_to_wait_a_second() -> None:
    limiter = Limiter()
    await limiter.answered(OF_ONE)
    limiter.now = 59.5

    with pytest.raises(RateLimitedError) as refused:
        await limiter.admit(ends=60.9)

    assert refused.value.retry_after == 1
