"""The accounts of callers: opened once, checked now and then, and closed when there are too many."""

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from typing import Any, cast

import anyio
import anyio.lowlevel
import pytest

from trips_mcp.client import TripsClient, UnauthorizedError
from trips_mcp.client.errors import CannotConnectError, ForbiddenError, UnavailableError
from trips_mcp.contract.me import GET_ME, Me
from trips_mcp.server.http import accounts as accounts_module
from trips_mcp.server.http.accounts import MOST_CHECKS, Account, Accounts
from trips_mcp.server.http.auth import HttpCaller, rejected
from trips_mcp.server.http.request import RefusalError

A, B, C = (HttpCaller(name, f"osk_{name}") for name in "abc")


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class World:
    """Stands for the services: who has been connected and asked about, in order, and what they say."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.happened: list[str] = []
        self.scopes: dict[str, list[str] | None] = {"a": ["trips:read"], "b": ["trips:read"], "c": ["trips:read"]}
        self.down = False
        self.retry_after: float | None = None
        self.error: Exception | None = None
        """What every question ends with, if it is there."""
        self.key_refused = False
        self.gate: anyio.Event | None = None
        """What every question waits for, if it is there."""
        self.slow: set[str] | None = None
        """Which questions wait for it; None for all."""

    @asynccontextmanager
    async def connect(self, caller: HttpCaller) -> AsyncGenerator[TripsClient]:
        self.happened.append(f"opened {caller.name}")
        try:
            yield cast("TripsClient", _Client(self, caller.name))
        finally:
            self.happened.append(f"closed {caller.name}")

    @asynccontextmanager
    async def accounts(self, most: int = 500, **more: Any) -> AsyncGenerator[Accounts]:
        options: dict[str, Any] = {"rejection": rejected, **more}
        with anyio.fail_after(10):
            async with anyio.create_task_group() as tasks:
                accounts = Accounts(self.connect, tasks, most=most, clock=self.clock, **options)
                try:
                    yield accounts
                finally:
                    accounts.end()

    async def happens(self, what: str) -> None:
        with anyio.fail_after(10):
            while what not in self.happened:
                await anyio.lowlevel.checkpoint()


class _Client:
    def __init__(self, world: World, name: str) -> None:
        self._world = world
        self._name = name

    @property
    def key_refused(self) -> bool:
        return self._world.key_refused

    async def me(self) -> Me:
        asked = f"asked {self._name}"
        self._world.happened.append(asked)
        await anyio.lowlevel.checkpoint()
        if self._world.gate is not None and (self._world.slow is None or asked in self._world.slow):
            await self._world.gate.wait()
        if self._world.down:
            raise UnavailableError(GET_ME, "it is down", sent=True, retry_after=self._world.retry_after)
        if self._world.error is not None:
            raise self._world.error
        if self._name not in self._world.scopes:
            raise UnauthorizedError(GET_ME, status=401, code="UNAUTHORIZED")
        return Me(scopes=self._world.scopes[self._name])


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def brief(monkeypatch: pytest.MonkeyPatch) -> None:
    """A known caller does not wait at all for a new response."""
    monkeypatch.setattr(accounts_module, "_CHECK_WAIT_SECONDS", 0)


Open = Callable[[HttpCaller], AbstractAsyncContextManager[Account]]


async def scopes_of(accounts: Accounts, caller: HttpCaller) -> tuple[str, ...] | None:
    async with accounts.of(caller) as account:
        await account.holder.client()
        return account.scopes


async def refusal_of(accounts: Accounts, caller: HttpCaller) -> int:
    """The status."""
    with pytest.raises(RefusalError) as refused:
        await scopes_of(accounts, caller)
    return refused.value.status


async def test_a_caller_has_one_account_for_all_requests(world: World) -> None:
    async with world.accounts() as accounts:
        async with accounts.of(A) as first, accounts.of(A) as second:
            same = first is second
        async with accounts.of(A) as third:
            again = third is first

    assert same
    assert again
    assert world.happened == ["opened a", "asked a", "closed a"]


async def test_the_least_recently_used_account_is_closed(world: World) -> None:
    async with world.accounts(most=2) as accounts:
        for caller in (A, B, A, C):
            await scopes_of(accounts, caller)
        await world.happens("closed b")
        still_open = "closed a" not in world.happened
        await scopes_of(accounts, B)
        await world.happens("closed a")

    assert still_open
    assert [each for each in world.happened if each.startswith("opened")] == [
        "opened a", "opened b", "opened c", "opened b",
    ]  # fmt: skip


async def test_an_account_with_running_requests_is_not_closed(world: World) -> None:
    async with world.accounts(most=1) as accounts, accounts.of(A) as under_way:
        await scopes_of(accounts, B)
        await scopes_of(accounts, C)
        await world.happens("closed b")
        async with accounts.of(A) as same:
            kept = same is under_way

    assert kept
    assert world.happened.index("closed b") < world.happened.index("closed a")


async def test_invalid_keys_displace_no_account(world: World) -> None:
    async with world.accounts(most=1) as accounts:
        await scopes_of(accounts, A)
        for number in range(20):
            with pytest.raises(RefusalError):
                await scopes_of(accounts, HttpCaller(f"made up {number}", "osk_x"))
        before = list(world.happened)

        await scopes_of(accounts, A)

    assert "closed a" not in before
    assert world.happened.count("opened a") == 1
    assert sum(each.startswith("opened made up") for each in before) == 20


async def test_invalid_keys_displace_no_account_while_the_service_is_down(world: World) -> None:
    async with world.accounts(most=1) as accounts:
        await scopes_of(accounts, A)
        world.down = True
        for name in ("x", "y"):
            assert await refusal_of(accounts, HttpCaller(name, "osk_x")) == 503
            await world.happens(f"closed {name}")
        kept = "closed a" not in world.happened

    assert kept


async def test_what_a_key_allows_is_asked_again_after_five_minutes(world: World) -> None:
    async with world.accounts() as accounts:
        first = await scopes_of(accounts, A)
        world.scopes["a"] = ["trips:read", "trips:write"]
        world.clock.now += 299
        cached = await scopes_of(accounts, A)
        world.clock.now += 2
        renewed = await scopes_of(accounts, A)

    assert first == cached == ("trips:read",)
    assert renewed == ("trips:read", "trips:write")
    assert world.happened.count("asked a") == 2


async def test_a_revoked_key_is_rejected_and_its_client_closed(world: World) -> None:
    async with world.accounts() as accounts:
        await scopes_of(accounts, A)
        del world.scopes["a"]
        world.clock.now += 301
        async with anyio.create_task_group() as tasks:
            for _ in range(3):  # at once: who waits for the others' question has its answer

                async def refused() -> None:
                    with pytest.raises(RefusalError):
                        await scopes_of(accounts, A)

                tasks.start_soon(refused)
        await world.happens("closed a")
        asked = world.happened.count("asked a")
        world.scopes["a"] = ["trips:write"]
        world.clock.now += 15
        renewed = await scopes_of(accounts, A)

    assert asked == 2
    assert renewed == ("trips:write",)


async def test_known_scopes_are_used_for_an_hour_while_the_service_is_down(world: World) -> None:
    async with world.accounts() as accounts:
        known = await scopes_of(accounts, A)
        world.down = True
        world.clock.now += 301
        meanwhile = [await scopes_of(accounts, A) for _ in range(3)]
        world.clock.now = 1000 + 3599
        late = await scopes_of(accounts, A)
        world.clock.now = 1000 + 3599 + 15
        too_late = await refusal_of(accounts, A)
        world.down = False
        world.scopes["a"] = []
        afterwards = await scopes_of(accounts, A)

    assert [*meanwhile, late] == [known] * 4
    assert too_late == 503
    assert afterwards == ()
    assert world.happened.count("asked a") == 5


async def test_known_scopes_are_not_used_after_an_hour(world: World) -> None:
    async with world.accounts() as accounts:
        await scopes_of(accounts, A)
        world.down = True
        world.clock.now += 3600

        assert await refusal_of(accounts, A) == 503


@pytest.mark.parametrize(("named", "told"), [(None, "5"), (16.2, "17"), (86400.0, "60")])
async def test_an_unknown_key_gets_a_retry_after(named: float | None, told: str, world: World) -> None:
    world.down = True
    world.retry_after = named

    async with world.accounts() as accounts:
        with pytest.raises(RefusalError) as refused:
            await scopes_of(accounts, A)

    assert refused.value.status == 503
    assert dict(refused.value.headers)["retry-after"] == told


async def test_a_key_without_access_to_me_is_accepted(world: World) -> None:
    world.error = ForbiddenError(GET_ME, status=403, code="FORBIDDEN", message="This key may not.", request_id="req_1")

    async with world.accounts() as accounts:
        assert await scopes_of(accounts, A) is None


@pytest.mark.parametrize(("message", "request_id"), [("", None), ("Blocked.", None), ("", "req_1")])
async def test_a_403_that_is_not_the_services_own_says_nothing_about_a_key(
    message: str, request_id: str | None, world: World
) -> None:
    world.error = ForbiddenError(GET_ME, status=403, code="FORBIDDEN", message=message, request_id=request_id)

    async with world.accounts() as accounts:
        assert await refusal_of(accounts, A) == 503


async def test_a_key_that_was_refused_in_a_call_is_not_served_from_the_cache(world: World) -> None:
    async with world.accounts() as accounts:
        await scopes_of(accounts, A)
        world.down = True
        world.key_refused = True

        assert await refusal_of(accounts, A) == 503


@pytest.mark.usefixtures("brief")
async def test_a_known_caller_waits_only_briefly_for_a_silent_service(world: World) -> None:
    async with world.accounts() as accounts:
        known = await scopes_of(accounts, A)
        world.gate = anyio.Event()
        world.clock.now += 301
        meanwhile = await scopes_of(accounts, A)
        world.scopes["a"] = ["trips:write"]
        world.gate.set()  # the question goes on
        with anyio.fail_after(10):
            while await scopes_of(accounts, A) == known:
                await anyio.lowlevel.checkpoint()

    assert meanwhile == known
    assert world.happened.count("asked a") == 2


@pytest.mark.usefixtures("brief")
async def test_a_key_that_turns_out_to_be_revoked_is_refused_from_then_on(world: World) -> None:
    async with world.accounts() as accounts:
        known = await scopes_of(accounts, A)
        del world.scopes["a"]
        world.gate = anyio.Event()
        world.clock.now += 301
        meanwhile = await scopes_of(accounts, A)
        world.gate.set()
        await world.happens("closed a")
        refused = await refusal_of(accounts, A)

    assert meanwhile == known
    assert refused == 401


@pytest.mark.usefixtures("brief")
async def test_an_unknown_key_waits_for_a_slow_service(world: World) -> None:
    world.gate = anyio.Event()
    found: list[object] = []

    async with world.accounts() as accounts, anyio.create_task_group() as tasks:

        async def ask() -> None:
            found.append(await scopes_of(accounts, A))

        tasks.start_soon(ask)
        await world.happens("asked a")
        await anyio.wait_all_tasks_blocked()
        world.gate.set()

    assert found == [("trips:read",)]


async def test_a_key_check_goes_on_when_one_of_its_requests_is_cancelled(world: World) -> None:
    world.gate = anyio.Event()
    found: list[object] = []

    async with world.accounts() as accounts:

        async def ask() -> None:
            found.append(await scopes_of(accounts, A))

        async with anyio.create_task_group() as tasks:
            async with anyio.create_task_group() as leaving:
                leaving.start_soon(ask)
                await world.happens("asked a")
                tasks.start_soon(ask)
                await anyio.wait_all_tasks_blocked()
                leaving.cancel_scope.cancel()
            world.gate.set()

    assert found == [("trips:read",)]
    assert world.happened.count("asked a") == 1


async def test_a_failed_key_check_is_logged_by_its_kind(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "trips_mcp")
    world.error = CannotConnectError("no route to osk_secret")
    caller = HttpCaller("0123456789abcdef", "osk_secret")

    async with world.accounts() as accounts:
        status = await refusal_of(accounts, caller)

    assert status == 503
    assert caplog.messages == ["the scopes of 0123456789ab are not known: CannotConnectError"]


async def test_a_key_check_that_breaks_ends_no_other(world: World, caplog: pytest.LogCaptureFixture) -> None:
    world.error = RuntimeError("a fault in here")
    async with world.accounts() as accounts:
        broken = await refusal_of(accounts, A)
        world.error = None
        afterwards = await scopes_of(accounts, B)

    assert (broken, afterwards) == (503, ("trips:read",))
    assert caplog.messages == ["asking about a key broke"]


@pytest.mark.parametrize("ended", ["answered", "left", "too late"])
async def test_a_key_check_always_releases_its_slot(ended: str, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """All places are taken by made-up keys, from one address; then another such key is asked about."""
    if ended == "too late":
        monkeypatch.setattr("trips_mcp.server.http.accounts.CHECK_SECONDS", 0.05)
    world.gate = anyio.Event()
    statuses: list[int] = []
    no_room: list[int] = []

    async with world.accounts() as accounts:

        async def ask(name: str) -> None:
            statuses.append(await refusal_of(accounts, HttpCaller(name, "osk_x")))

        async with anyio.create_task_group() as tasks:
            for number in range(MOST_CHECKS):
                tasks.start_soon(ask, f"made up {number}")
            await world.happens(f"asked made up {MOST_CHECKS - 1}")
            no_room.append(await refusal_of(accounts, HttpCaller("one more", "osk_x")))
            if ended == "answered":
                world.gate.set()
            if ended == "left":
                tasks.cancel_scope.cancel()
        world.gate.set()
        known = await scopes_of(accounts, A)

    assert no_room == [503]
    assert statuses == {"answered": [401], "left": [], "too late": [503]}[ended] * MOST_CHECKS
    assert known == ("trips:read",)


async def test_many_key_checks_of_one_address_do_not_block_another(world: World) -> None:
    world.gate = anyio.Event()
    statuses: list[int] = []
    known: list[object] = []

    async with world.accounts() as accounts:

        async def ask(name: str) -> None:
            statuses.append(await refusal_of(accounts, HttpCaller(name, "osk_x", address="203.0.113.9")))

        async with anyio.create_task_group() as tasks:
            for number in range(MOST_CHECKS):
                tasks.start_soon(ask, f"made up {number}")
            await world.happens(f"asked made up {MOST_CHECKS - 1}")
            world.slow = {each for each in world.happened if each.startswith("asked")}
            known.append(await scopes_of(accounts, replace(A, address="198.51.100.7")))
            world.gate.set()

    assert known == [("trips:read",)]
    assert sorted(statuses) == [401] * (MOST_CHECKS - 1) + [503]


async def test_the_oldest_key_check_loses_its_slot_after_a_second_if_others_wait(world: World) -> None:
    world.gate = anyio.Event()
    statuses: dict[str, int] = {}
    found: list[object] = []

    async with world.accounts() as accounts:

        async def ask(name: str) -> None:
            statuses[name] = await refusal_of(accounts, HttpCaller(name, "osk_x"))

        async with anyio.create_task_group() as tasks:
            for number in range(MOST_CHECKS):
                tasks.start_soon(ask, f"made up {number}")
            await world.happens(f"asked made up {MOST_CHECKS - 1}")
            world.slow = {each for each in world.happened if each.startswith("asked")}
            found.append(await refusal_of(accounts, A))
            world.clock.now += 1
            found.append(await scopes_of(accounts, A))
            world.gate.set()

    assert found == [503, ("trips:read",)]
    assert statuses == {f"made up {number}": 401 if number else 503 for number in range(MOST_CHECKS)}


@pytest.mark.parametrize(
    ("asking", "another", "displaced"),
    [("xx", "y", "0"), ("yxx", "y", None), ("xy", "z", None), ("yxx", "z", "1"), ("xxyy", "z", "0")],
)
async def test_a_key_check_is_displaced_only_by_an_address_with_fewer(
    asking: str, another: str, displaced: str | None, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All places are taken by these addresses; then `another` asks, and a check is ended for it, or none."""
    monkeypatch.setattr(accounts_module, "MOST_CHECKS", len(asking))
    network = {"x": "203.0.113.9", "y": "198.51.100.7", "z": "192.0.2.1"}
    world.gate = anyio.Event()
    statuses: dict[str, int] = {}
    refused: dict[str, int] = {}

    async with world.accounts() as accounts, anyio.create_task_group() as tasks:

        async def ask(name: str, address: str) -> None:
            statuses[name] = await refusal_of(accounts, HttpCaller(name, "osk_x", address=network[address]))

        for number, address in enumerate(asking):
            tasks.start_soon(ask, str(number), address)
            await world.happens(f"asked {number}")
        tasks.start_soon(ask, "another", another)
        await anyio.wait_all_tasks_blocked()
        refused.update(statuses)
        world.gate.set()

    assert refused == {displaced or "another": 503}
    assert sorted(statuses.values()) == [401] * len(asking) + [503]


async def test_where_the_key_is_the_servers_own_its_rejection_is_not_the_callers_fault(world: World) -> None:
    del world.scopes["a"]

    async with world.accounts(rejection=None) as accounts:
        known = await scopes_of(accounts, A)

    assert known is None
    assert world.happened == ["opened a", "asked a", "closed a"]


async def test_an_embedded_backend_without_keys_is_not_asked(world: World) -> None:
    async with world.accounts(rejection=None, asks=False) as accounts:
        await scopes_of(accounts, A)

    assert world.happened == ["opened a", "closed a"]


async def test_where_the_key_is_the_servers_own_a_silent_service_limits_nothing(world: World) -> None:
    world.down = True

    async with world.accounts(rejection=None) as accounts:
        assert await scopes_of(accounts, A) is None


async def test_the_servers_own_key_is_asked_about_again_once_it_was_rejected(world: World) -> None:
    del world.scopes["a"]
    async with world.accounts(rejection=None) as accounts:
        first = await scopes_of(accounts, A)
        world.clock.now += 14
        await scopes_of(accounts, A)
        asked_at_once = world.happened.count("asked a")
        world.scopes["a"] = ["trips:read"]
        world.clock.now += 2
        renewed = await scopes_of(accounts, A)

    assert (first, asked_at_once, renewed) == (None, 1, ("trips:read",))


async def test_the_oldest_rejected_keys_are_forgotten(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accounts_module, "_MOST_REJECTED", 2)
    x, y, z = (HttpCaller(name, f"osk_{name}") for name in "xyz")
    async with world.accounts() as accounts:
        for caller in (x, y, x, y, z, y, z):
            assert await refusal_of(accounts, caller) == 401
        remembered = [each for each in world.happened if each.startswith("asked")]
        assert await refusal_of(accounts, x) == 401

    assert remembered == ["asked x", "asked y", "asked z"]
    assert [each for each in world.happened if each.startswith("asked")] == [*remembered, "asked x"]


async def test_a_key_without_reported_scopes_is_accepted(world: World) -> None:
    world.scopes["a"] = None
    async with world.accounts() as accounts, accounts.of(A) as account:
        told = (account.accepted, account.scopes)

    assert told == (True, None)


async def test_a_key_the_service_no_longer_has_is_refused_without_asking_it(world: World) -> None:
    known = {"a", "b"}

    async def knows(caller: HttpCaller) -> bool:
        return caller.name in known

    async with world.accounts(knows=knows) as accounts:
        async with accounts.of(A) as account:
            await accounts.confirm(account)
            known.remove("a")
            with pytest.raises(RefusalError) as refused:
                await accounts.confirm(account)
        async with accounts.of(B) as other:
            await accounts.confirm(other)
        afterwards = await refusal_of(accounts, A)

    assert (refused.value.status, afterwards) == (401, 401)
    assert world.happened.count("asked a") == 1
    assert "closed a" in world.happened
