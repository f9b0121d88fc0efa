"""Whatever the network does to a write, the store holds what the answers said, without duplicates."""

import json
import tempfile
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol

import anyio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trips_mcp.client import ApiError, NotFoundError, OutcomeUnknownError, TripsClient, UnavailableError
from trips_mcp.contract import OPERATIONS
from trips_mcp.contract.models import Result

OPERATION: Final = {operation.name: operation for operation in OPERATIONS}
MOST_REPEATS: Final = 30
WORDS: Final = ("Gion", "Nara")
"""Few words, so that identical writes occur."""


class Network(Protocol):
    plan: Any
    call: anyio.CancelScope | None
    delivered: int

    async def deliver_the_rest(self) -> None: ...


class Side(Protocol):
    client: TripsClient
    network: Network

    def wait(self, seconds: float) -> None: ...

    async def restart(self) -> None: ...


Started = Callable[..., AbstractAsyncContextManager[Side]]
Fields = dict[str, Any]


class Kind(NamedTuple):
    """The resources of a trip: how they are created, changed, removed and listed. * stands for a word."""

    made_by: str
    changed_by: str
    removed_by: str
    listed_by: str
    id_name: str
    new: Fields
    change: Fields


LEGS = Kind(
    "create_leg",
    "update_leg",
    "delete_leg",
    "list_legs",
    "legId",
    {
        "order": 1,
        "title": "*",
        "destination": "Kyoto",
        "startDate": "2026-11-01",
        "endDate": "2026-11-03",
        "timezone": "Asia/Tokyo",
        "accommodation": {"name": "*", "doorCode": "K4711"},
    },
    {"title": "* again"},
)
PINS = Kind(
    "create_map_pin",
    "update_map_pin",
    "delete_map_pin",
    "list_map_pins",
    "pinId",
    {"name": "*", "lat": 35.0, "lng": 135.7},
    {"notes": "*"},
)
ITEMS = Kind(
    "create_action_item",
    "update_action_item",
    "delete_action_item",
    "list_action_items",
    "itemId",
    {"text": "*", "urgency": "now"},
    {"text": "* again", "completed": True},
)
COMMITMENTS = Kind(
    "create_commitment",
    "update_commitment",
    "delete_commitment",
    "list_commitments",
    "commitmentId",
    {"title": "*", "startDate": "2026-11-02", "category": "dinner"},
    {"startTime": "19:00", "notes": "*"},
)
TRIPS = Kind(
    "create_trip",
    "update_trip",
    "archive_trip",
    "list_trips",
    "tripId",
    {"title": "*", "startDate": "2026-11-01", "endDate": "2026-11-09"},
    {"title": "* again"},
)
KINDS: Final = (LEGS, PINS, ITEMS, COMMITMENTS, TRIPS)


class Step(NamedTuple):
    act: str
    kind: Kind
    which: int
    word: str
    faults: list[str]
    restarts: bool
    """Whether the client's process ends between an unknown outcome and its retry."""


@dataclass
class Agent:
    """Makes the calls, repeats unknown ones, and records the answers."""

    side: Side
    writes: int = 0
    in_trouble: bool = False
    trip_id: str = ""
    group_id: str = ""
    channel_id: str = ""
    told: dict[str, dict[str, Fields]] = field(default_factory=lambda: {kind.listed_by: {} for kind in KINDS})
    messages: dict[str, Fields] = field(default_factory=dict[str, Fields])
    token: str | None = None
    revoked: list[str] = field(default_factory=list[str])

    async def prepare(self) -> None:
        me = await self.side.client.me()
        assert me.default_group_id is not None
        self.group_id = me.default_group_id
        await self.make(TRIPS, "Kyoto")
        self.trip_id = next(iter(self.told["list_trips"]))
        [channel] = (await self.side.client.channels.list(self.trip_id)).items
        self.channel_id = channel.id

    async def take(self, step: Step) -> None:
        self.side.network.plan.extend(step.faults)
        self.in_trouble = bool(step.faults)
        known = list(self.told[step.kind.listed_by])
        match step.act:
            case "message":
                await self.send_a_message(step.word, step.restarts)
            case "share":
                await self.share(step.restarts)
            case "unshare" if self.token is not None:
                if await self.write("revoke_share_token", {"tripId": self.trip_id}, step.restarts) is not None:
                    self.revoked.append(self.token)
                    self.token = None
            case "change" if known:
                await self.change(step.kind, known[step.which % len(known)], step.word, step.restarts)
            case "remove" if known:
                await self.remove(step.kind, known[step.which % len(known)], step.restarts)
            case _:
                await self.make(step.kind, step.word, step.restarts)
        self.side.network.plan.clear()

    async def make(self, kind: Kind, word: str, restarts: bool = False) -> None:
        place = {"groupId": self.group_id} if kind is TRIPS else {"tripId": self.trip_id}
        result = await self.write(kind.made_by, place | with_word(kind.new, word), restarts)
        if result is not None:
            found = row(result)
            assert found["_id"] not in self.told[kind.listed_by], "two writes that were both meant became one"
            self.told[kind.listed_by][found["_id"]] = found

    async def change(self, kind: Kind, one: str, word: str, restarts: bool) -> None:
        result = await self.write(kind.changed_by, self.place_of(kind, one) | with_word(kind.change, word), restarts)
        if result is not None:
            self.told[kind.listed_by][one] = row(result)

    async def remove(self, kind: Kind, one: str, restarts: bool) -> None:
        result = await self.write(kind.removed_by, self.place_of(kind, one), restarts)
        if result is not None and kind is TRIPS:
            self.told["list_trips"][one] = row(result)
        elif result is not None:
            del self.told[kind.listed_by][one]

    async def send_a_message(self, word: str, restarts: bool) -> None:
        place = {"tripId": self.trip_id, "channelId": self.channel_id}
        result = await self.write("send_message", place | {"content": word}, restarts)
        if result is not None:
            found = row(result)
            assert found["_id"] not in self.messages, "two messages that were both meant became one"
            self.messages[found["_id"]] = found

    async def share(self, restarts: bool) -> None:
        result = await self.write("create_share_token", {"tripId": self.trip_id}, restarts)
        if result is not None:
            if self.token is not None:
                self.revoked.append(self.token)
            self.token = row(result)["token"]

    def place_of(self, kind: Kind, one: str) -> Fields:
        return {"tripId": one} if kind is TRIPS else {"tripId": self.trip_id, kind.id_name: one}

    async def write(self, name: str, arguments: Fields, restarts: bool) -> Result | None:
        """The result; None if the client reported that the write was not done."""
        self.writes += 1
        operation = OPERATION[name]
        params = operation.params.model_validate(arguments)
        for _ in range(MOST_REPEATS):
            with anyio.fail_after(30), anyio.CancelScope() as call:
                self.side.network.call = call
                try:
                    return await self.side.client.call(operation, params)
                except OutcomeUnknownError as unknown:
                    self.side.wait(unknown.retry_after or 0)
                except (UnavailableError, ApiError) as not_done:
                    if not self.in_trouble:
                        raise
                    self.side.wait(not_done.retry_after or 0)
                    return None
            if restarts:
                await self.side.restart()
        raise AssertionError(f"{name} stays unknown")

    async def compare(self) -> None:
        """Raises: AssertionError if the store differs from the answers."""
        self.side.network.plan.clear()
        await self.side.network.deliver_the_rest()
        client = self.side.client
        for kind in KINDS:
            place = {} if kind is TRIPS else {"tripId": self.trip_id}
            operation = OPERATION[kind.listed_by]
            page = await client.call(operation, operation.params.model_validate(place))
            assert page.model_dump()["nextCursor"] is None
            held = {found["_id"]: found for found in page.model_dump(mode="json", exclude_unset=True)["items"]}
            assert held == self.told[kind.listed_by]
        sent = {message.id: row(message) async for message in client.iterate_messages(self.trip_id, self.channel_id)}
        assert sent == self.messages
        if self.token is not None:
            await client.shares.get(self.token)
        for token in self.revoked:
            with pytest.raises(NotFoundError):
                await client.shares.get(token)


def with_word(fields: Fields, word: str) -> Fields:
    return json.loads(json.dumps(fields).replace("*", word))


def row(result: Result) -> Fields:
    return result.model_dump(mode="json", exclude_unset=True)


async def carried_out(
    started: Started, steps: list[Step], *, strips_keys: bool = False, forgets: bool = False
) -> Counter[str]:
    """The number of writes done. Raises: AssertionError if the store differs from the answers."""
    with tempfile.TemporaryDirectory() as folder:
        async with started(Path(folder), strips_keys=strips_keys, forgets=forgets) as side:
            agent = Agent(side)
            await agent.prepare()
            for step in steps:
                await agent.take(step)
            await agent.compare()
    return Counter(writes=agent.writes, requests=side.network.delivered)


def every_kind_of_write(faults: list[str], *, restarts: bool) -> list[Step]:
    """Each resource is created twice with the same words, changed, and one of the two is removed."""
    of_things = [
        Step(act, kind, 0, "Gion", faults, restarts) for kind in KINDS for act in ("make", "make", "change", "remove")
    ]
    others = [Step(act, TRIPS, 0, "Gion", faults, restarts) for act in ("message", "message", "share", "share")]
    return [*of_things, *others, Step("unshare", TRIPS, 0, "Gion", faults, restarts)]


async def test_each_fault_in_each_kind_of_write(started: Started, fault: str) -> None:
    await carried_out(started, every_kind_of_write([fault], restarts=False))


@pytest.mark.soak
@pytest.mark.parametrize(
    ("times", "restarts"), [(3, True), (9, False)], ids=["3 times, new process", "9 times, same process"]
)
async def test_each_fault_again_and_again_in_each_kind_of_write(
    started: Started, fault: str, times: int, restarts: bool
) -> None:
    await carried_out(started, every_kind_of_write([fault] * times, restarts=restarts))


def random_steps(faults: tuple[str, ...]) -> st.SearchStrategy[list[Step]]:
    acts = st.sampled_from(["make", "make", "change", "remove", "message", "share", "unshare"])
    step = st.builds(
        Step,
        acts,
        st.sampled_from(KINDS),
        st.integers(0, 5),
        st.sampled_from(WORDS),
        st.lists(st.sampled_from(faults), max_size=8),
        st.booleans(),
    )
    return st.lists(step, min_size=12, max_size=30)


def random_sequences(started: Started, faults: tuple[str, ...], examples: int) -> Counter[str]:
    done = Counter[str]()

    @settings(max_examples=examples, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
    @given(random_steps(faults))
    def run(steps: list[Step]) -> None:
        done.update(anyio.run(carried_out, started, steps))

    run()
    return done


def test_random_writes_through_random_faults(started: Started, faults: tuple[str, ...]) -> None:
    assert random_sequences(started, faults, 10)["writes"] >= 150


@pytest.mark.soak
def test_thousands_of_writes_through_random_faults(started: Started, faults: tuple[str, ...]) -> None:
    assert random_sequences(started, faults, 150)["writes"] >= 2_500


@pytest.mark.parametrize(
    "fault", ["answer_lost", "reset_after", "fails_after", "slow", "arrives_late", "arrives_very_late", "html_after"]
)
async def test_without_keys_the_same_run_finds_duplicates(started: Started, fault: str) -> None:
    """Proof that the tests above can fail."""
    steps = every_kind_of_write([fault], restarts=False)

    with pytest.raises(AssertionError):
        await carried_out(started, steps, strips_keys=True)


@pytest.mark.parametrize("fault", ["slower_than_the_deadline", "cancelled_after", "half_a_body"])
async def test_without_a_journal_the_same_run_finds_duplicates(started: Started, fault: str) -> None:
    """A fault that no retry in the same call can fix: the outcome is reported as unknown."""
    steps = every_kind_of_write([fault], restarts=True)

    with pytest.raises(AssertionError):
        await carried_out(started, steps, forgets=True)
