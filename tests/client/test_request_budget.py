"""What may be sent when, step by step: the specification of the rate limiter's estimate. The limit is 5 a minute.

A step is `TIME DEED -> ROOM`: at that second the deed happens, and then so many requests may be sent. Deeds:

    send A          request A is sent
    A says R        it is answered, and the service says that R remain
    A ends          it ends without saying what remains, and may have been counted
    A fails         it never reached the service
    refused         the service refuses a request as one too many
    wait            nothing happens
"""

import pytest

from trips_mcp.client.outcome import RateLimit
from trips_mcp.client.rate_limiter import RequestBudget, Turn

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
