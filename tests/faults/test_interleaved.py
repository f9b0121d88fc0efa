"""Different writes to one thing, in any order, of a host that cancels, does not read, gives up, and means it anew.

What the agent was told last is what the store holds, each time; and two calls that were meant as two are two.
"""

import random
import tempfile
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol

import anyio
import pytest

from trips_mcp import delivery
from trips_mcp.client import NotFoundError, Outcome, OutcomeUnknownError, TripsClient
from trips_mcp.contract import OPERATIONS
from trips_mcp.contract.models import Result

OPERATION: Final = {operation.name: operation for operation in OPERATIONS}
JOINED: Final = "This completed an earlier call whose answer was lost."
MOST_REPEATS: Final = 40

Fields = dict[str, Any]


class Network(Protocol):
    plan: Any
    call: anyio.CancelScope | None


class Side(Protocol):
    client: TripsClient
    network: Network

    def wait(self, seconds: float) -> None: ...

    async def restart(self) -> None: ...


Started = Callable[..., AbstractAsyncContextManager[Side]]


class Host:
    """Passes calls to the client, and their answers to the agent or not."""

    def __init__(self, side: Side) -> None:
        self.side = side
        self.calls = 0

    async def call(self, name: str, arguments: Fields, *faults: str, reads: bool = True) -> Outcome[Any] | None:
        """None if the agent does not learn the outcome: unknown, cancelled, or an answer that was not read."""
        self.calls += 1
        self.side.network.plan.clear()
        self.side.network.plan.extend(faults)
        operation = OPERATION[name]
        outcome: Outcome[Any] | None = None
        with anyio.fail_after(30), anyio.CancelScope() as self.side.network.call, delivery.delivering() as answer:
            try:
                outcome = await self.side.client.outcome(operation, operation.params.model_validate(arguments))
            except OutcomeUnknownError as unknown:
                self.side.wait(unknown.retry_after or 0)
        self.side.network.plan.clear()
        if outcome is None or not reads:
            await answer.abandon()
            return None
        await answer.confirm()
        return outcome

    async def lose(self, name: str, arguments: Fields) -> None:
        """A write that is done but whose answer the agent did not get."""
        assert await self.call(name, arguments, "cancelled_after") is None

    async def do(self, name: str, arguments: Fields) -> Fields:
        """A write that is answered."""
        outcome = await self.call(name, arguments)
        assert outcome is not None
        assert JOINED not in outcome.notes
        return row(outcome.result)

    async def listed(self, name: str, place: Fields) -> dict[str, Fields]:
        operation = OPERATION[name]
        page = await self.side.client.call(operation, operation.params.model_validate(place))
        return {item["_id"]: item for item in row(page)["items"]}

    async def opens(self, token: str) -> bool:
        try:
            await self.side.client.shares.get(token)
        except NotFoundError:
            return False
        return True


def row(result: Result) -> Fields:
    return result.model_dump(mode="json", exclude_unset=True)


class World(NamedTuple):
    host: Host
    trip: Fields
    leg: Fields
    to_do: Fields
    """The arguments that identify the resource to write to."""

    async def one(self, listed_by: str, place: Fields) -> Fields:
        own = next(value for name, value in place.items() if name != "tripId")
        return (await self.host.listed(listed_by, self.trip))[own]

    async def pins(self) -> list[Fields]:
        return list((await self.host.listed("list_map_pins", self.trip)).values())


LEG: Final = {
    "order": 1,
    "title": "Kyoto",
    "destination": "Kyoto",
    "startDate": "2026-11-01",
    "endDate": "2026-11-03",
    "timezone": "Asia/Tokyo",
}
PIN: Final = {"name": "Inari", "lat": 35.0, "lng": 135.7}


async def prepared(side: Side) -> World:
    host = Host(side)
    group = (await side.client.me()).default_group_id
    made = await host.do(
        "create_trip", {"groupId": group, "title": "Kyoto", "startDate": "2026-11-01", "endDate": "2026-11-09"}
    )
    trip = {"tripId": made["_id"]}
    leg = await host.do("create_leg", trip | LEG)
    to_do = await host.do("create_action_item", {**trip, "text": "Rail passes", "urgency": "now"})
    return World(host, trip, {**trip, "legId": leg["_id"]}, {**trip, "itemId": to_do["_id"]})


@pytest.fixture(params=[False, True], ids=["same process", "new process"])
def restarts(request: pytest.FixtureRequest) -> bool:
    """Whether another process makes the other writes and the last one."""
    return request.param


@pytest.fixture
async def world(started: Started, tmp_path: Path) -> AsyncGenerator[World]:
    async with started(tmp_path) as side:
        yield await prepared(side)


async def between(world: World, restarts: bool) -> None:
    if restarts:
        await world.host.side.restart()


async def test_an_update_that_is_meant_anew_is_made_anew(world: World, restarts: bool) -> None:
    await world.host.lose("update_leg", world.leg | {"title": "Gion"})
    await between(world, restarts)
    await world.host.do("update_leg", world.leg | {"title": "Nara"})

    told = await world.host.do("update_leg", world.leg | {"title": "Gion"})

    assert told["title"] == "Gion"
    assert await world.one("list_legs", world.leg) == told


async def test_a_to_do_that_is_ticked_again_is_ticked(world: World, restarts: bool) -> None:
    await world.host.lose("update_action_item", world.to_do | {"completed": True})
    await between(world, restarts)
    await world.host.do("update_action_item", world.to_do | {"completed": False})

    told = await world.host.do("update_action_item", world.to_do | {"completed": True})

    assert told["completed"] is True
    assert await world.one("list_action_items", world.to_do) == told


async def test_a_trip_that_is_archived_again_is_archived(world: World, restarts: bool) -> None:
    await world.host.lose("archive_trip", world.trip)
    await between(world, restarts)
    await world.host.do("update_trip", world.trip | {"status": "active"})

    told = await world.host.do("archive_trip", world.trip)

    assert told["status"] == "completed"
    assert (await world.host.listed("list_trips", {}))[told["_id"]]["status"] == "completed"


async def test_a_link_that_is_revoked_again_opens_nothing(world: World, restarts: bool) -> None:
    await world.host.do("create_share_token", world.trip)
    await world.host.lose("revoke_share_token", world.trip)
    await between(world, restarts)
    token = (await world.host.do("create_share_token", world.trip))["token"]

    await world.host.do("revoke_share_token", world.trip)

    assert not await world.host.opens(token)


async def test_a_link_that_is_told_opens_the_trip(world: World, restarts: bool) -> None:
    await world.host.lose("create_share_token", world.trip)
    await between(world, restarts)
    for _ in range(2):
        await world.host.do("revoke_share_token", world.trip)

    told = await world.host.call("create_share_token", world.trip)

    assert told is not None
    assert await world.host.opens(told.result.token)


async def test_a_leg_that_is_merged_again_is_as_it_was_sent(world: World, restarts: bool) -> None:
    leg = world.trip | LEG | {"clientRef": "night-1"}
    await world.host.lose("create_leg", leg | {"title": "Gion"})
    await between(world, restarts)
    await world.host.do("create_leg", leg | {"title": "Nara"})

    told = await world.host.do("create_leg", leg | {"title": "Gion"})

    assert told["title"] == "Gion"
    assert (await world.host.listed("list_legs", world.trip))[told["_id"]] == told


async def test_a_batch_that_is_meant_anew_is_as_it_was_sent(world: World, restarts: bool) -> None:
    batch = {**world.trip, "items": [LEG | {"title": "Gion"}, LEG | {"title": "Nara"}]}
    await world.host.lose("upsert_legs", batch)
    await between(world, restarts)
    one = next(leg for leg in (await world.host.listed("list_legs", world.trip)).values() if leg["title"] == "Gion")
    await world.host.do("update_leg", world.trip | {"legId": one["_id"], "title": "Uji"})

    told = await world.host.do("upsert_legs", batch)

    assert (told["updated"], told["unchanged"]) == (1, 1)
    assert (await world.host.listed("list_legs", world.trip))[one["_id"]]["title"] == "Gion"


async def test_a_pin_that_is_made_again_after_it_was_removed_is_there(world: World, restarts: bool) -> None:
    await world.host.lose("create_map_pin", world.trip | PIN)
    await between(world, restarts)
    [found] = await world.pins()
    await world.host.do("delete_map_pin", world.trip | {"pinId": found["_id"]})

    told = await world.host.call("create_map_pin", world.trip | PIN)

    assert told is not None
    assert await world.pins() == [row(told.result)]


async def test_a_pin_that_is_made_again_after_it_was_changed_is_another_one(world: World, restarts: bool) -> None:
    await world.host.lose("create_map_pin", world.trip | PIN)
    await between(world, restarts)
    [found] = await world.pins()
    changed = await world.host.do("update_map_pin", world.trip | {"pinId": found["_id"], "notes": "At dawn"})

    told = await world.host.call("create_map_pin", world.trip | PIN)

    assert told is not None
    assert await world.pins() == [changed, row(told.result)]


async def test_a_call_that_is_repeated_is_still_joined_where_something_else_was_written(
    world: World, restarts: bool
) -> None:
    await world.host.lose("create_map_pin", world.trip | PIN)
    await between(world, restarts)
    other = await world.host.do("create_map_pin", world.trip | PIN | {"name": "Nijo"})

    told = await world.host.call("create_map_pin", world.trip | PIN)

    assert told is not None
    assert told.notes == (JOINED,)
    assert {pin["_id"] for pin in await world.pins()} == {row(told.result)["_id"], other["_id"]}


async def test_an_update_that_is_only_repeated_is_joined(world: World, restarts: bool) -> None:
    await world.host.lose("update_leg", world.leg | {"title": "Gion"})
    await between(world, restarts)

    told = await world.host.call("update_leg", world.leg | {"title": "Gion"})

    assert told is not None
    assert told.notes == (JOINED,)
    assert await world.one("list_legs", world.leg) == row(told.result)


async def test_an_answer_that_nobody_read_counts_as_none(world: World, restarts: bool) -> None:
    assert await world.host.call("create_map_pin", world.trip | PIN, reads=False) is None
    await between(world, restarts)

    told = await world.host.call("create_map_pin", world.trip | PIN)

    assert told is not None
    assert told.notes == (JOINED,)
    assert await world.pins() == [row(told.result)]


NOT_LATE: Final[tuple[str, ...]] = (
    "answer_lost",
    "reset_before",
    "reset_after",
    "refused",
    "fails_before",
    "fails_after",
    "limited",
    "slow",
    "slower_than_the_deadline",
    "cut_off",
    "half_a_body",
    "html_before",
    "html_after",
    "cancelled_before",
    "cancelled_after",
    "cancelled_after",
    "redirected_before",
    "redirected_after",
    "refused_on_the_way",
    "refused_on_the_way_back",
    "welcomed_before",
    "busy_with_it",
)
"""What arrives after its sender has given up may be carried out then (docs/reliability.md): the agent here does."""

WORDS: Final = ("Gion", "Nara", "Uji")


class Write(NamedTuple):
    name: str
    arguments: Fields


@dataclass
class Model:
    """What an agent knows from the answers alone; it forgets writes that had no answer."""

    world: World
    chance: random.Random
    tokens: list[str] = field(default_factory=list[str])
    """The last one may open the trip."""
    told: dict[str, Fields] = field(default_factory=dict[str, Fields])
    """The pins of the last answers."""
    unsure: dict[str, int] = field(default_factory=Counter[str])
    """The number of pins with unknown outcome, by content."""
    done: Counter[str] = field(default_factory=Counter[str])

    async def take_one(self) -> None:
        write = self._chosen()
        told = None
        for _ in range(MOST_REPEATS):
            faults = self.chance.choices(NOT_LATE, k=self.chance.choice((0, 0, 0, 1, 1, 2, 5)))
            self.done["faults"] += len(faults)
            told = await self._called(write, faults)
            if told is not None or self.chance.random() < 0.4:  # it gives up, and does something else
                break
            if self.chance.random() < 0.3:
                await self.world.host.side.restart()
        if told is None:
            self.done["given up"] += 1
            self._note_unknown(write)
        else:
            await self._check(write, told)

    async def _called(self, write: Write, faults: Sequence[str]) -> Fields | None:
        reads = self.chance.random() < 0.9
        self.done["calls"] += 1
        outcome = await self.world.host.call(write.name, write.arguments, *faults, reads=reads)
        if outcome is None:
            self.done["unknown"] += 1
            return None
        self.done["joined"] += JOINED in outcome.notes
        return row(outcome.result)

    def _chosen(self) -> Write:
        world, word = self.world, self.chance.choice(WORDS)
        pin = self.chance.choice(list(self.told)) if self.told else None
        match self.chance.choice(
            ("leg", "leg", "to do", "to do", "trip", "share", "revoke", "make", "change", "remove")
        ):
            case "leg":
                return Write("update_leg", world.leg | {"title": word})
            case "to do":
                return Write("update_action_item", world.to_do | {"completed": self.chance.random() < 0.5})
            case "trip" if self.chance.random() < 0.5:
                return Write("archive_trip", world.trip)
            case "trip":
                return Write("update_trip", world.trip | {"status": self.chance.choice(("active", "draft"))})
            case "share":
                return Write("create_share_token", world.trip)
            case "revoke":
                return Write("revoke_share_token", world.trip)
            case "change" if pin is not None:
                return Write("update_map_pin", world.trip | {"pinId": pin, "notes": word})
            case "remove" if pin is not None:
                return Write("delete_map_pin", world.trip | {"pinId": pin})
            case _:
                return Write("create_map_pin", world.trip | PIN | {"name": word})

    def _note_unknown(self, write: Write) -> None:
        match write.name:
            case "create_map_pin":
                self.unsure[write.arguments["name"]] += 1
            case "update_map_pin" | "delete_map_pin":
                # from here on nothing is known of it: it may be as it was, or changed, or gone
                del self.told[write.arguments["pinId"]]
                self.unsure["others"] += 1
            case _:
                pass

    async def _check(self, write: Write, told: Fields) -> None:
        host, arguments = self.world.host, write.arguments
        match write.name:
            case "update_leg" | "update_action_item":
                listed_by = "list_legs" if write.name == "update_leg" else "list_action_items"
                place = self.world.leg if write.name == "update_leg" else self.world.to_do
                assert await self.world.one(listed_by, place) == told
                assert all(told[name] == value for name, value in arguments.items() if name not in place)
            case "archive_trip" | "update_trip":
                assert told["status"] == arguments.get("status", "completed")
                assert (await host.listed("list_trips", {}))[told["_id"]] == told
            case "create_share_token":
                assert await host.opens(told["token"])
                self.tokens.append(told["token"])
            case "revoke_share_token":
                assert not any([await host.opens(token) for token in self.tokens])
            case "create_map_pin":
                assert told["_id"] not in self.told, "two calls that were meant as two became one"
                assert (await host.listed("list_map_pins", self.world.trip))[told["_id"]] == told
                self.told[told["_id"]] = told
            case "update_map_pin":
                assert (await host.listed("list_map_pins", self.world.trip))[told["_id"]] == told
                self.told[told["_id"]] = told
            case _:
                assert arguments["pinId"] not in await host.listed("list_map_pins", self.world.trip)
                del self.told[arguments["pinId"]]

    async def compare(self) -> None:
        """The store contains everything that was answered, and besides it only writes without an answer."""
        held = await self.world.host.listed("list_map_pins", self.world.trip)
        assert {one: held.get(one) for one in self.told} == self.told
        assert len(held) - len(self.told) <= sum(self.unsure.values())


async def random_interleavings(started: Started, calls: int, seed: int) -> Counter[str]:
    chance = random.Random(seed)  # noqa: S311 - no secret
    done = Counter[str]()
    while done["calls"] < calls:
        with tempfile.TemporaryDirectory() as folder:
            async with started(Path(folder)) as side:
                model = Model(await prepared(side), chance)
                while model.done["calls"] < min(calls, 100):
                    await model.take_one()
                await model.compare()
                done.update(model.done)
    return done


async def test_random_writes_to_one_thing_are_as_they_were_told(started: Started) -> None:
    done = await random_interleavings(started, 100, seed=7)

    assert done["joined"] >= 5  # or it would prove little
    assert done["given up"] >= 5


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(10, 15))
async def test_thousands_of_writes_to_one_thing_are_as_they_were_told(started: Started, seed: int) -> None:
    done = await random_interleavings(started, 1_000, seed)

    assert done["joined"] >= 50
    assert done["faults"] >= 500
