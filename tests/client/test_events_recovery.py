"""Events whose answer was lost: created once, updated once, or reported as unknown."""

import json
import shutil
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typing_extensions import override

from trips_mcp.backend import open_backend
from trips_mcp.client import (
    Endpoint,
    NotFoundError,
    OutcomeUnknownError,
    TripsClient,
    UnavailableError,
)
from trips_mcp.client.event_calls import FOUND, MAY_COME_TWICE
from trips_mcp.client.journal import MemoryJournal
from trips_mcp.client.writes import JOINED
from trips_mcp.contract.events import (
    CREATE_EVENT,
    DELETE_EVENT,
    UPDATE_EVENT,
    CreateEvent,
    DeleteEvent,
    Event,
    UpdateEvent,
)
from trips_mcp.contract.operation import Operation, P, R
from trips_mcp.contract.trips import CreateTrip

Deliver = Callable[[httpx.Request], Awaitable[httpx.Response]]
Fault = Callable[[httpx.Request, Deliver], Awaitable[httpx.Response]]


async def lost_after(request: httpx.Request, deliver: Deliver) -> httpx.Response:
    await deliver(request)
    raise httpx.ReadError("Connection reset by peer", request=request)


async def lost_before(request: httpx.Request, _: Deliver) -> httpx.Response:
    raise httpx.ReadError("Connection reset by peer", request=request)


async def too_slow(request: httpx.Request, _: Deliver) -> httpx.Response:
    raise httpx.ReadTimeout("", request=request)


async def refused(request: httpx.Request, _: Deliver) -> httpx.Response:
    raise httpx.ConnectError("Connection refused", request=request)


async def failed_after(request: httpx.Request, deliver: Deliver) -> httpx.Response:
    await deliver(request)
    return httpx.Response(502, html="<h1>Bad gateway</h1>")


async def unreadable(request: httpx.Request, deliver: Deliver) -> httpx.Response:
    await deliver(request)
    return httpx.Response(201, content=b'{"event_id": 1, "ti')


async def forbidden(_: httpx.Request, __: Deliver) -> httpx.Response:
    return httpx.Response(403, json={"error": "No."})


class Relay(httpx.AsyncBaseTransport):
    """Forwards requests to the backend, with the faults planned for each method."""

    def __init__(self, backend: httpx.AsyncBaseTransport) -> None:
        self._backend = backend
        self.requests: list[str] = []
        self.plans: dict[str, deque[Fault]] = {}
        """The faults of the next requests, by method."""
        self.hides: set[str] = set()
        """The event fields that itineraries leave out."""
        self.always: dict[str, Fault] = {}

    @override
    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if not request.url.path.startswith("/v1/"):
            return await self._backend.handle_async_request(request)
        self.requests.append(f"{request.method} {request.url.path}")
        plan = self.plans.get(request.method)
        fault = plan.popleft() if plan else self.always.get(request.method)
        return await (fault(request, self._deliver) if fault else self._deliver(request))

    async def _deliver(self, request: httpx.Request) -> httpx.Response:
        response = await self._backend.handle_async_request(request)
        body = await response.aread()
        if self.hides and request.url.path.endswith("/itinerary"):
            shown = json.loads(body)
            for event in shown["events"]:
                for name in self.hides:
                    event.pop(name, None)
            return httpx.Response(response.status_code, json=shown)
        return httpx.Response(response.status_code, headers=response.headers, content=body)

    def plan(self, method: str, *faults: Fault) -> None:
        self.plans[method] = deque(faults)

    def count(self, method: str) -> int:
        return sum(request.startswith(method) for request in self.requests)


class World:
    """Two trips, a client whose network fails as planned, and another person's client that works."""

    def __init__(self, relay: Relay, client_of: Callable[..., TripsClient]) -> None:
        self.relay = relay
        self._client_of = client_of
        self.client = client_of(relay)
        self.trips: list[int] = []

    def restart(self) -> None:
        """A new client that has read nothing yet, with the same journal."""
        self.client = self._client_of(self.relay)

    def somebody_else(self) -> TripsClient:
        """A person on another computer, whose writes are not in this journal."""
        return self._client_of(self.relay, MemoryJournal())

    async def events(self, trip: int | None = None) -> list[Event]:
        return (await self.client.events.list(trip or self.trips[0])).events

    def ramen(self, **fields: Any) -> CreateEvent:
        asked = {"type": "food", "title": "Ramen", "date": "2026-11-02", "time": "12:30", "trip_ids": self.trips[:1]}
        return CreateEvent.model_validate({**asked, **fields})

    async def made(self, **fields: Any) -> int:
        event = await self.client.events.create(self.ramen(**fields))
        assert event.event_id is not None
        self.relay.requests.clear()
        return event.event_id


@asynccontextmanager
async def opened(new_database: Path, folder: Path) -> AsyncGenerator[World]:
    now = [1000.0]
    journal = MemoryJournal()

    async def sleep(seconds: float) -> None:
        now[0] += seconds

    def client_of(network: httpx.AsyncBaseTransport, notes: MemoryJournal = journal) -> TripsClient:
        return TripsClient(
            trips=Endpoint("http://embedded/api/v1", None, network),
            events=Endpoint("http://embedded", None, network),
            journal=notes,
            clock=lambda: now[0],
            sleep=sleep,
        )

    async with open_backend(str(shutil.copy(new_database, folder)), require_keys=False) as app:
        world = World(Relay(httpx.ASGITransport(app)), client_of)
        group = (await world.client.me()).default_group_id or ""
        for title in ("Kyoto", "Nara"):
            trip = CreateTrip(group_id=group, title=title, start_date="2026-11-01", end_date="2026-11-09")
            world.trips.append((await world.client.trips.create(trip)).number or 0)
        yield world


@pytest.fixture
async def world(new_database: Path, tmp_path: Path) -> AsyncGenerator[World]:
    async with opened(new_database, tmp_path) as world:
        yield world


@pytest.mark.parametrize("fault", [lost_after, failed_after, unreadable])
async def test_an_event_that_was_made_is_found_and_not_made_again(world: World, fault: Fault) -> None:
    world.relay.plan("POST", fault)

    outcome = await world.client.outcome(CREATE_EVENT, world.ramen())

    (event,) = await world.events()
    assert outcome.result.event_id == event.event_id
    assert outcome.result.attached_trips == world.trips[:1]
    assert outcome.notes == (FOUND,)
    assert world.relay.count("POST") == 1


async def test_an_event_that_was_not_made_is_sent_again(world: World) -> None:
    world.relay.plan("POST", lost_before, lost_before)

    outcome = await world.client.outcome(CREATE_EVENT, world.ramen())

    (event,) = await world.events()
    assert (outcome.result.event_id, outcome.notes) == (event.event_id, (MAY_COME_TWICE,))
    assert world.relay.count("POST") == 3


async def test_a_refused_connection_needs_no_looking_up(world: World) -> None:
    world.relay.plan("POST", refused)

    await world.client.events.create(world.ramen())

    assert world.relay.requests == ["POST /v1/events", "POST /v1/events"]


@pytest.mark.parametrize("fault", [lost_after, lost_before])
async def test_repeating_a_call_of_unknown_outcome_makes_one_event(world: World, fault: Fault) -> None:
    world.relay.always = {"POST": fault, "GET": refused}
    with pytest.raises(OutcomeUnknownError) as caught:
        await world.client.events.create(world.ramen())
    world.relay.always = {}
    world.restart()

    outcome = await world.client.outcome(CREATE_EVENT, world.ramen())

    assert caught.value.repeatable
    assert outcome.notes == (JOINED, FOUND if fault is lost_after else MAY_COME_TWICE)
    assert [event.event_id for event in await world.events()] == [outcome.result.event_id]


async def test_an_event_must_be_in_the_itineraries_of_all_its_trips(world: World) -> None:
    await world.client.events.create(world.ramen())
    world.restart()
    world.relay.plan("POST", lost_before)

    made = await world.client.events.create(world.ramen(trip_ids=world.trips))

    assert len(await world.events(world.trips[0])) == 2
    assert [event.event_id for event in await world.events(world.trips[1])] == [made.event_id]


@pytest.mark.parametrize(
    "other",
    [
        {"title": "Soba"},
        {"date": "2026-11-03"},
        {"time": "19:00"},
        {"location": "Gion"},
        {"type": "activity"},
        {"description": "Table for two"},
    ],
    ids=str,
)
async def test_an_event_that_differs_is_another_one(world: World, other: dict[str, str]) -> None:
    await world.client.events.create(world.ramen(**other))
    world.restart()
    world.relay.plan("POST", lost_before)

    await world.client.events.create(world.ramen())

    assert len(await world.events()) == 2


@pytest.mark.parametrize("fault", [lost_after, lost_before])
async def test_an_older_event_that_differs_in_what_lists_do_not_show_is_not_taken_for_it(
    world: World, fault: Fault
) -> None:
    older = await world.client.events.create(world.ramen(description="Lunch with Kim", importance="optional"))
    world.restart()
    world.relay.hides = {"description", "importance"}
    world.relay.plan("POST", fault)

    made = await world.client.events.create(world.ramen(description="Birthday", importance="anchor"))

    assert made.event_id != older.event_id
    held = [await world.client.events.get(event.event_id or 0) for event in await world.events()]
    assert [event.description for event in held] == ["Lunch with Kim", "Birthday"]


async def test_an_event_that_arrives_late_is_waited_for_before_it_is_sent_again(world: World) -> None:
    late: list[Callable[[], Awaitable[object]]] = []

    async def on_its_way(request: httpx.Request, deliver: Deliver) -> httpx.Response:
        late.append(lambda: deliver(request))
        raise httpx.ReadError("Connection reset by peer", request=request)

    async def after_the_first_look(request: httpx.Request, deliver: Deliver) -> httpx.Response:
        answer = await deliver(request)
        await late.pop()()
        return answer

    world.relay.plan("POST", on_its_way)
    world.relay.plan("GET", after_the_first_look)

    outcome = await world.client.outcome(CREATE_EVENT, world.ramen())

    assert [event.event_id for event in await world.events()] == [outcome.result.event_id]
    assert outcome.notes == (FOUND,)
    assert world.relay.count("POST") == 1


async def test_two_intended_changes_are_two(world: World) -> None:
    """Soba with unknown outcome, Udon answered, and Soba again."""
    event_id = await world.made()
    soba = UpdateEvent(event_id=event_id, title="Soba")
    world.relay.always = {"PATCH": lost_after, "GET": refused}
    with pytest.raises(OutcomeUnknownError):
        await world.client.events.update(soba)
    world.relay.always = {}
    world.restart()
    await world.client.events.update(UpdateEvent(event_id=event_id, title="Udon"))

    outcome = await world.client.outcome(UPDATE_EVENT, soba)

    assert (outcome.result.title, outcome.notes) == ("Soba", ())
    assert [event.title for event in await world.events()] == ["Soba"]


async def test_a_location_that_only_one_of_two_has_tells_them_apart(world: World) -> None:
    await world.client.events.create(world.ramen())
    world.restart()
    world.relay.plan("POST", lost_before)

    made = await world.client.events.create(world.ramen(location="Ichiran"))

    assert [event.location for event in await world.events()] == [None, "Ichiran"]
    assert made.location == "Ichiran"


async def test_an_equal_event_that_was_known_before_is_not_taken_for_it(world: World) -> None:
    first = await world.client.events.create(world.ramen())
    world.relay.plan("POST", lost_before)

    second = await world.client.events.create(world.ramen())

    assert [event.event_id for event in await world.events()] == [first.event_id, second.event_id]


async def test_an_equal_event_that_was_listed_before_is_not_taken_for_it_in_a_later_process(world: World) -> None:
    first = await world.client.events.create(world.ramen())
    world.restart()
    await world.events()
    world.relay.always = {"POST": lost_before, "GET": refused}
    with pytest.raises(OutcomeUnknownError):
        await world.client.events.create(world.ramen())
    world.relay.always = {}
    world.restart()

    second = await world.client.events.create(world.ramen())

    assert [event.event_id for event in await world.events()] == [first.event_id, second.event_id]


async def test_an_event_on_no_trip_cannot_be_looked_up_and_that_is_said(world: World) -> None:
    world.relay.always = {"POST": lost_after}
    with pytest.raises(OutcomeUnknownError) as caught:
        await world.client.events.create(world.ramen(trip_ids=[]))
    tried = world.relay.count("POST")
    world.relay.always = {}

    await world.client.events.create(world.ramen(trip_ids=[]))

    assert not caught.value.repeatable
    assert "on no trip" in caught.value.why
    assert tried == 1
    assert world.relay.count("POST") == 2


async def test_a_request_that_may_still_be_running_is_not_sent_again(world: World) -> None:
    world.relay.plan("POST", too_slow)

    with pytest.raises(OutcomeUnknownError, match="may still be at it") as caught:
        await world.client.events.create(world.ramen())

    assert caught.value.repeatable
    assert world.relay.count("POST") == 1
    assert await world.events() == []


async def test_an_itinerary_that_may_not_be_read_leaves_it_unknown(world: World) -> None:
    world.relay.plan("POST", lost_after)
    world.relay.plan("GET", forbidden)

    with pytest.raises(OutcomeUnknownError, match="cannot be read") as caught:
        await world.client.events.create(world.ramen())

    assert not caught.value.repeatable
    assert world.relay.count("POST") == 1


@pytest.mark.parametrize("fault", [lost_after, failed_after, unreadable])
async def test_a_change_that_was_made_is_found_and_not_made_again(world: World, fault: Fault) -> None:
    event_id = await world.made()
    world.relay.plan("PATCH", fault)

    outcome = await world.client.outcome(UPDATE_EVENT, UpdateEvent(event_id=event_id, title="Soba", clear=["time"]))

    assert (outcome.result.title, outcome.result.time, outcome.result.revision) == ("Soba", None, 1)
    assert outcome.notes == ()
    assert world.relay.requests == [f"PATCH /v1/events/{event_id}", f"GET /v1/events/{event_id}"]


async def test_a_change_that_was_not_made_is_sent_again(world: World) -> None:
    event_id = await world.made()
    world.relay.plan("PATCH", lost_before, too_slow)

    changed = await world.client.events.update(UpdateEvent(event_id=event_id, title="Soba"))

    assert (changed.title, changed.revision) == ("Soba", 1)
    assert world.relay.count("PATCH") == 3


async def test_an_event_this_client_has_not_seen_is_read_before_it_is_changed(world: World) -> None:
    event_id = await world.made()
    world.restart()

    await world.client.events.update(UpdateEvent(event_id=event_id, title="Soba"))
    await world.client.events.update(UpdateEvent(event_id=event_id, title="Udon"))

    one = f"/v1/events/{event_id}"
    assert world.relay.requests == [f"GET {one}", f"PATCH {one}", f"PATCH {one}"]


@pytest.mark.parametrize("fault", [lost_after, lost_before])
async def test_repeating_a_change_of_unknown_outcome_makes_it_once(world: World, fault: Fault) -> None:
    event_id = await world.made()
    world.relay.always = {"PATCH": fault, "GET": refused}
    with pytest.raises(OutcomeUnknownError):
        await world.client.events.update(UpdateEvent(event_id=event_id, title="Soba"))
    world.relay.always = {}
    world.restart()

    outcome = await world.client.outcome(UPDATE_EVENT, UpdateEvent(event_id=event_id, title="Soba"))

    assert (outcome.result.title, outcome.result.revision) == ("Soba", 1)
    assert outcome.notes == (JOINED,)


async def test_a_change_is_not_repeated_over_somebody_elses(world: World) -> None:
    event_id = await world.made()
    other = world.client
    world.relay.always = {"PATCH": lost_before, "GET": refused}
    asked = UpdateEvent(event_id=event_id, title="Soba")
    with pytest.raises(OutcomeUnknownError):
        await other.events.update(asked)
    world.relay.always = {}
    await world.somebody_else().events.update(UpdateEvent(event_id=event_id, title="Udon"))

    with pytest.raises(OutcomeUnknownError) as caught:
        await other.events.update(asked)
    kept = (await other.events.get(event_id)).title
    again = await other.events.update(asked)

    assert "may have been changed by somebody since (revision 0, now 1)" in caught.value.why
    assert not caught.value.repeatable
    assert kept == "Udon"
    assert again.title == "Soba"


async def test_a_deleted_event_is_reported_before_anything_is_sent(world: World) -> None:
    with pytest.raises(NotFoundError):
        await world.client.events.update(UpdateEvent(event_id=999, title="Soba"))

    assert world.relay.count("PATCH") == 0


async def test_if_the_event_cannot_be_read_nothing_is_sent(world: World) -> None:
    event_id = await world.made()
    world.restart()
    world.relay.always = {"GET": refused}

    with pytest.raises(UnavailableError) as caught:
        await world.client.events.update(UpdateEvent(event_id=event_id, title="Soba"))

    assert caught.value.operation.reads
    assert world.relay.count("PATCH") == 0


async def test_a_token_that_may_not_read_can_still_write(world: World) -> None:
    event_id = await world.made()
    world.restart()
    world.relay.always = {"GET": forbidden}

    changed = await world.client.events.update(UpdateEvent(event_id=event_id, title="Soba"))

    assert changed.title == "Soba"


async def test_fields_that_were_not_stored_are_named(world: World) -> None:
    event_id = await world.made(location="Gion")

    async def half_done(request: httpx.Request, deliver: Deliver) -> httpx.Response:
        answer = (await deliver(request)).json()
        return httpx.Response(200, json={**answer, "title": "Ramen", "time": "18:00:00", "attached_trips": [1, 2]})

    world.relay.plan("PATCH", half_done)
    asked = UpdateEvent(event_id=event_id, title="Soba", time="18:00", trip_ids=[1], clear=["location"])

    outcome = await world.client.outcome(UPDATE_EVENT, asked)

    assert outcome.notes == (
        "The service answered with other values than were sent: title, trip_ids. Check with get_event.",
    )


async def test_a_stored_change_has_no_remark(world: World) -> None:
    event_id = await world.made(location="Gion")
    asked = UpdateEvent(event_id=event_id, title=" Soba ", trip_ids=world.trips, clear=["location"])

    outcome = await world.client.outcome(UPDATE_EVENT, asked)

    assert outcome.notes == ()


async def test_deleting_is_repeated_until_it_is_done(world: World) -> None:
    event_id = await world.made()
    world.relay.plan("DELETE", lost_after, lost_before)

    outcome = await world.client.outcome(DELETE_EVENT, DeleteEvent(event_id=event_id))

    assert outcome.result.already_deleted is True
    assert await world.events() == []


async def test_a_lost_deletion_succeeds_if_the_event_is_gone(world: World) -> None:
    event_id = await world.made()

    async def gone(_: httpx.Request, __: Deliver) -> httpx.Response:
        return httpx.Response(410, json={"error": "This event was deleted."})

    world.relay.plan("DELETE", lost_after, gone)

    assert (await world.client.events.delete(event_id)).deleted == event_id


class Step(NamedTuple):
    act: str
    which: int
    word: str
    writing: list[Fault]
    reading: list[Fault]
    restarts: bool
    """Whether another process repeats unknown writes."""


FAULTS = (lost_after, lost_before, refused, failed_after, unreadable)
STEPS = st.lists(
    st.builds(
        Step,
        st.sampled_from(["create", "create", "update", "delete"]),
        st.integers(0, 5),
        st.sampled_from(["Ramen", "Soba"]),  # few, so that twins are meant
        st.lists(st.sampled_from(FAULTS), max_size=12),
        st.lists(st.sampled_from((lost_before, refused)), max_size=12),
        st.booleans(),
    ),
    max_size=6,
)


class Agent:
    """Makes the calls, repeats unknown ones, and records the answers."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.told: dict[int, str | None] = {}

    async def do(self, step: Step) -> None:
        ids = list(self.told)
        chosen = ids[step.which % len(ids)] if ids else None
        if step.act == "create":
            made = await self._done(step, CREATE_EVENT, self._world.ramen(title=step.word))
            assert made.event_id is not None
            assert made.event_id not in self.told, "an earlier event was taken for this one"
            self.told[made.event_id] = made.title
        elif chosen is not None and step.act == "update":
            title = f"{step.word} again"
            self.told[chosen] = (await self._done(step, UPDATE_EVENT, UpdateEvent(event_id=chosen, title=title))).title
            assert self.told[chosen] == title
        elif chosen is not None:
            await self._done(step, DELETE_EVENT, DeleteEvent(event_id=chosen))
            del self.told[chosen]

    async def _done(self, step: Step, operation: Operation[P, R], params: P) -> R:
        relay = self._world.relay
        relay.plan("GET", *step.reading)
        relay.plan(operation.method, *step.writing)
        try:
            for _ in range(40):
                try:
                    return await self._world.client.call(operation, params)
                except OutcomeUnknownError as unknown:
                    if not unknown.repeatable:
                        raise
                    if step.restarts:
                        self._world.restart()
                except UnavailableError:  # nothing was sent
                    continue
            raise AssertionError("it never came to an end")
        finally:
            relay.plans = {}
            await self._world.events()  # who starts anew looks at what there is


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(steps=STEPS)
async def test_random_writes_through_random_losses(new_database: Path, steps: list[Step]) -> None:
    await holds(new_database, steps)


@pytest.mark.soak
@settings(deadline=None, max_examples=500, suppress_health_check=[HealthCheck.too_slow])
@given(steps=STEPS)
async def test_very_many_writes_through_random_losses(new_database: Path, steps: list[Step]) -> None:
    await holds(new_database, steps)


async def holds(new_database: Path, steps: list[Step]) -> None:
    with TemporaryDirectory() as folder:
        async with opened(new_database, Path(folder)) as world:
            agent = Agent(world)
            for step in steps:
                await agent.do(step)

            assert {event.event_id: event.title for event in await world.events()} == agent.told
