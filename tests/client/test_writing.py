"""A write from its note in the journal to its outcome, known or unknown."""

from collections.abc import Awaitable, Callable, Collection
from typing import TYPE_CHECKING, Any

import anyio
import httpx
import pytest

from trips_mcp import delivery
from trips_mcp.client import (
    ApiError,
    CannotConnectError,
    ConflictError,
    Endpoint,
    ForbiddenError,
    GoneError,
    InvalidError,
    Outcome,
    OutcomeUnknownError,
    RateLimitedError,
    TripsClient,
    UnavailableError,
)
from trips_mcp.client.journal import Intent
from trips_mcp.client.session import ApiSession, Attempts
from trips_mcp.client.writes import Writing, as_step, is_joined
from trips_mcp.contract import OPERATIONS
from trips_mcp.contract.commitments import UpdateCommitment
from trips_mcp.contract.events import CREATE_EVENT, DELETE_EVENT, CreateEvent, DeleteEvent
from trips_mcp.contract.legs import DELETE_LEG, UPDATE_LEG, UPSERT_LEGS, DeleteLeg, UpdateLeg, UpsertLegs
from trips_mcp.contract.messages import SEND_MESSAGE, SendMessage
from trips_mcp.contract.models import Params
from trips_mcp.contract.operation import Operation
from trips_mcp.contract.trips import ARCHIVE_TRIP, GET_TRIP, SYNC_TRIP, ArchiveTrip, GetTrip, SyncTrip, Trip

if TYPE_CHECKING:
    from .conftest import ClientOf, SkippedTime

Answers = httpx.Response | Exception

HELLO = SendMessage(trip_id="t1", channel_id="c1", content="Hello, K4711")
OPERATION = {operation.name: operation for operation in OPERATIONS}
JOINED = ("This completed an earlier call whose answer was lost.",)


class Notes:
    """A journal that records how it is used."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.unknown: dict[str, Intent] = {}
        self._digests: dict[str, str] = {}

    async def begin(self, digest: str, operation: str, note: str = "", target: str | None = None) -> Intent:
        earlier = self.unknown.pop(digest, None)
        key = earlier.key if earlier else f"key-{len(self.told)}"
        self._digests[key] = digest
        self.told.append(f"begin {operation}")
        return Intent(key, earlier is not None, note)

    async def annotate(self, intent: Intent, note: str) -> None:
        self.told.append("annotate")

    async def settle(self, intent: Intent, written: Collection[str] = ()) -> None:
        self.told.append("settle")

    async def written_since(self, intent: Intent, targets: Collection[str]) -> set[str]:
        return set()

    async def leave_unknown(self, intent: Intent) -> None:
        self.unknown[self._digests[intent.key]] = intent
        self.told.append("leave unknown")

    async def aclose(self) -> None:
        self.told.append("close")


class Service:
    """Gives the answers in order and then repeats the last; an exception is raised."""

    def __init__(self, *answers: Answers) -> None:
        self.requests: list[httpx.Request] = []
        self._answers = list(answers)

    def then(self, *answers: Answers) -> None:
        self._answers = list(answers)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)

    @property
    def keys(self) -> list[str | None]:
        return [request.headers.get("Idempotency-Key") for request in self.requests]


GOOD = httpx.Response(200, json={"_id": "x"})
DONE = httpx.Response(204)
LINK = httpx.Response(201, json={"token": "s1"})
LOST = httpx.ReadTimeout("slow")
BROKEN = httpx.Response(500)


def refusing(status: int, code: str = "NO", **headers: str) -> httpx.Response:
    """An error of the Trips API, with its request id."""
    error = {"code": code, "message": "No.", "requestId": "req_7"}
    return httpx.Response(status, json={"error": error}, headers={k.replace("_", "-"): v for k, v in headers.items()})


@pytest.fixture
def notes() -> Notes:
    return Notes()


async def test_every_write_has_its_own_key(client_of: "ClientOf", notes: Notes) -> None:
    service = Service(GOOD, GOOD, GOOD, DONE, DONE, GOOD)
    client = client_of(service, journal=notes)

    await client.messages.send(HELLO)
    await client.messages.send(HELLO)
    await client.commitments.update(UpdateCommitment(trip_id="t1", commitment_id="c1", title="Tea"))
    await client.legs.delete("t1", "l1")
    await client.shares.revoke("t1")
    await client.trips.get("t1")

    *writes, read = service.keys
    assert all(writes)
    assert len({*writes}) == 5
    assert read is None
    assert notes.told.count("settle") == 5


async def test_all_attempts_of_a_write_have_the_same_key(client_of: "ClientOf") -> None:
    service = Service(LOST, BROKEN, httpx.ConnectError("down"), GOOD)

    outcome = await client_of(service).outcome(SEND_MESSAGE, HELLO)

    assert len(service.keys) == 4
    assert len({*service.keys}) == 1
    assert outcome.notes == ()


async def test_a_write_is_noted_before_it_is_sent(client_of: "ClientOf", notes: Notes) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        notes.told.append("sent")
        return GOOD

    await client_of(answer, journal=notes).messages.send(HELLO)

    assert notes.told == ["begin send_message", "sent", "settle"]


async def test_reads_and_dry_runs_are_not_noted(client_of: "ClientOf", notes: Notes) -> None:
    service = Service(httpx.Response(200, json={"dryRun": True, "items": []}))
    client = client_of(service, journal=notes)

    await client.trips.sync(SyncTrip(trip_id="t1", dry_run=True, legs=[]))
    await client.trips.list()

    assert notes.told == []
    assert service.keys == [None, None]


async def test_a_run_that_is_not_dry_is_noted(client_of: "ClientOf", notes: Notes) -> None:
    await client_of(Service(GOOD), journal=notes).trips.sync(SyncTrip(trip_id="t1", dry_run=False, legs=[]))

    assert notes.told == ["begin sync_trip", "settle"]


async def test_the_events_api_is_sent_no_key_but_its_writes_are_noted(client_of: "ClientOf", notes: Notes) -> None:
    service = Service(httpx.Response(200, json={"already_deleted": True}))

    await client_of(service, journal=notes).events.delete(7)

    assert service.keys == [None]
    assert notes.told == ["begin delete_event", "settle"]


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (LOST, "the service did not answer"),
        (httpx.RemoteProtocolError("cut"), "the service did not answer"),
        (BROKEN, "the service failed (500)"),
        (httpx.Response(501), "the service failed (501)"),
        (httpx.Response(408), "the service failed (408)"),
        (httpx.Response(200, text="<html>"), "the answer (200) does not say what was done"),
        (httpx.Response(201, text='{"_id": '), "the answer (201) does not say what was done"),
        (httpx.Response(302, headers={"Location": "/"}), "the answer (302) does not say what was done"),
        (httpx.DecodingError("no gzip"), "the answer does not say what was done"),
        (httpx.Response(403), "something on the way to the service answered instead of it (403)"),
        pytest.param(refusing(500), "the service failed (500)", id="500 of the service"),
        pytest.param(refusing(501), "the service failed (501)", id="501 of the service"),
        pytest.param(refusing(408), "the service failed (408)", id="408 of the service"),
        (httpx.Response(429), "the service takes no more requests for now"),
        (httpx.Response(409), "the service is still busy with it"),
        pytest.param(refusing(409, "IDEMPOTENCY_IN_PROGRESS"), "the service is still busy with it", id="in progress"),
    ],
    ids=repr,
)
async def test_a_write_without_an_answer_is_unknown_and_resumed_by_the_next_call(
    client_of: "ClientOf", notes: Notes, answer: Answers, why: str
) -> None:
    service = Service(answer)
    client = client_of(service, journal=notes)

    with pytest.raises(OutcomeUnknownError) as caught:
        await client.messages.send(HELLO)
    service.then(GOOD)
    joined = await client.outcome(SEND_MESSAGE, HELLO)
    again = await client.outcome(SEND_MESSAGE, HELLO)

    assert str(caught.value) == f"Whether send_message took effect is unknown: {why}."
    assert caught.value.operation is SEND_MESSAGE
    assert caught.value.repeatable
    assert caught.value.__cause__ is not None
    assert joined.notes == JOINED
    assert again.notes == ()
    *lost, taken_up, fresh = service.keys
    assert {*lost} == {taken_up}
    assert fresh != taken_up
    assert notes.told[1::2] == ["leave unknown", "settle", "settle"]


async def test_a_different_call_does_not_resume_it(client_of: "ClientOf", notes: Notes) -> None:
    service = Service(LOST)
    client = client_of(service, journal=notes)

    with pytest.raises(OutcomeUnknownError):
        await client.messages.send(HELLO)
    lost = {*service.keys}
    service.then(GOOD)
    for other in (
        SendMessage(trip_id="t1", channel_id="c1", content="Hello, 4712"),
        SendMessage(trip_id="t2", channel_id="c1", content="Hello, K4711"),
    ):
        outcome = await client.outcome(SEND_MESSAGE, other)
        assert outcome.notes == ()

    assert lost.isdisjoint(service.keys[-2:])


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (refusing(400), InvalidError),
        (refusing(401), ApiError),
        (refusing(403), ForbiddenError),
        (refusing(404), ApiError),
        (refusing(409), ConflictError),
        (refusing(429, Retry_After="100"), RateLimitedError),
        (httpx.ConnectError("down"), UnavailableError),
        (httpx.UnsupportedProtocol("ftp"), UnavailableError),
    ],
    ids=repr,
)
async def test_a_write_that_surely_was_not_made_is_settled(
    client_of: "ClientOf", notes: Notes, answer: Answers, error: type[Exception]
) -> None:
    with pytest.raises(error):
        await client_of(Service(answer), journal=notes).messages.send(HELLO)

    assert notes.told == ["begin send_message", "settle"]


ON_THE_WAY = (
    301,
    302,
    303,
    304,
    307,
    308,
    400,
    401,
    402,
    403,
    404,
    405,
    406,
    407,
    410,
    411,
    413,
    414,
    415,
    417,
    422,
    429,
    431,
    451,
)


@pytest.mark.parametrize("status", ON_THE_WAY)
@pytest.mark.parametrize(
    "said",
    [
        {"html": "<h1>Forbidden</h1>"},
        {"content": b""},
        {"json": {"message": "Forbidden"}},
        {"json": {"error": {"code": "FORBIDDEN", "message": "No."}}},
        {"json": {"error": "No."}, "headers": {"X-Request-Id": "gw-1"}},
    ],
    ids=str,
)
async def test_an_answer_of_an_intermediary_says_nothing_about_a_write(
    client_of: "ClientOf", notes: Notes, status: int, said: dict[str, Any]
) -> None:
    """The service may have carried it out, and a gateway answered instead."""
    service = Service(httpx.Response(status, **said))
    client = client_of(service, journal=notes)

    with pytest.raises(OutcomeUnknownError) as caught:
        await client.messages.send(HELLO)
    service.then(GOOD)
    joined = await client.outcome(SEND_MESSAGE, HELLO)

    assert caught.value.repeatable
    assert str(status) in caught.value.why or status == 429
    assert joined.notes == JOINED
    assert len({*service.keys}) == 1


@pytest.mark.parametrize("status", ON_THE_WAY)
async def test_an_event_refused_by_an_intermediary_is_looked_up(client_of: "ClientOf", status: int) -> None:
    """The Events API's errors have no request id, so their form is all there is to go by."""
    asked = CreateEvent(type="food", title="Ramen", date="2026-11-01", trip_ids=[42])
    found = {"event_id": 7, "type": "food", "title": "Ramen", "date": "2026-11-01", "description": None}

    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            return httpx.Response(200, json={"events": [found]})
        return httpx.Response(status, json={"message": "Forbidden"})

    outcome = await client_of(answer).outcome(CREATE_EVENT, asked)

    assert outcome.result.event_id == 7
    assert "just like it" in outcome.notes[0]


async def test_a_conflict_is_reported_once(client_of: "ClientOf", notes: Notes) -> None:
    conflict = refusing(409, "IDEMPOTENCY_CONFLICT")
    service = Service(LOST)
    client = client_of(service, journal=notes)
    with pytest.raises(OutcomeUnknownError):
        await client.messages.send(HELLO)
    attempts = len(service.requests)
    service.then(conflict)

    with pytest.raises(ConflictError) as caught:
        await client.messages.send(HELLO)
    service.then(GOOD)
    await client.messages.send(HELLO)

    assert caught.value.code == "IDEMPOTENCY_CONFLICT"
    assert len(service.requests) == attempts + 2
    assert service.keys[-1] != service.keys[-2]


@pytest.mark.parametrize("answer", [refusing(400), refusing(404), refusing(422)], ids=repr)
async def test_a_refusal_after_a_lost_answer_means_nothing_was_written(
    client_of: "ClientOf", notes: Notes, answer: httpx.Response
) -> None:
    with pytest.raises(ApiError):
        await client_of(Service(LOST, answer), journal=notes).messages.send(HELLO)

    assert notes.told[-1] == "settle"


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (refusing(401), "the service no longer accepts the key"),
        (refusing(403), "the service no longer accepts the key"),
        (refusing(429, Retry_After="100"), "the service takes no more requests for now"),
        (httpx.ConnectError("down"), "the service did not answer"),
    ],
    ids=repr,
)
async def test_an_unrelated_refusal_says_nothing_about_a_lost_answer(
    client_of: "ClientOf", notes: Notes, answer: Answers, why: str
) -> None:
    with pytest.raises(OutcomeUnknownError) as caught:
        await client_of(Service(LOST, answer), journal=notes).messages.send(HELLO)

    assert caught.value.why == why
    assert notes.told[-1] == "leave unknown"


async def test_an_unknown_outcome_stays_unknown_while_the_service_is_unreachable(
    client_of: "ClientOf", notes: Notes
) -> None:
    service = Service(LOST)
    client = client_of(service, journal=notes)
    with pytest.raises(OutcomeUnknownError):
        await client.messages.send(HELLO)
    service.then(httpx.ConnectError("down"))

    with pytest.raises(OutcomeUnknownError) as caught:
        await client.messages.send(HELLO)
    service.then(GOOD)
    joined = await client.outcome(SEND_MESSAGE, HELLO)

    assert caught.value.retry_after is not None
    assert joined.notes == JOINED
    assert len({*service.keys}) == 1


async def test_the_seconds_to_wait_are_passed_on(client_of: "ClientOf") -> None:
    service = Service(httpx.Response(503, headers={"Retry-After": "120"}))

    with pytest.raises(OutcomeUnknownError) as caught:
        await client_of(service).messages.send(HELLO)

    assert caught.value.retry_after == 120


async def test_a_cancelled_write_is_unknown_once_it_was_sent(client_of: "ClientOf", notes: Notes) -> None:
    async def never(request: httpx.Request) -> httpx.Response:
        sending.cancel_scope.cancel()
        await anyio.sleep_forever()
        raise AssertionError

    with anyio.fail_after(30):
        async with anyio.create_task_group() as sending:
            await client_of(never, journal=notes).messages.send(HELLO)

    assert notes.told == ["begin send_message", "leave unknown"]


async def test_a_write_that_is_cancelled_in_the_queue_was_not_sent(client_of: "ClientOf", notes: Notes) -> None:
    async def never(request: httpx.Request) -> httpx.Response:
        await anyio.sleep_forever()
        raise AssertionError

    client = client_of(never, journal=notes, clock=lambda: 0.0, sleep=anyio.sleep)
    with anyio.fail_after(30):
        async with anyio.create_task_group() as calls:
            calls.start_soon(client.trips.list)  # ahead alone, as nothing is known
            await anyio.wait_all_tasks_blocked()
            calls.start_soon(client.messages.send, HELLO)
            await anyio.wait_all_tasks_blocked()
            calls.cancel_scope.cancel()

    assert notes.told == ["begin send_message", "settle"]


async def test_an_identical_call_resumes_one_that_is_being_cancelled(client_of: "ClientOf", notes: Notes) -> None:
    async def slow_to_leave(request: httpx.Request) -> httpx.Response:
        keys.append(request.headers["Idempotency-Key"])
        if len(keys) > 1:
            return GOOD
        try:
            await anyio.sleep_forever()
        finally:
            with anyio.CancelScope(shield=True):
                await cleaned_up.wait()
        raise AssertionError

    async def first() -> None:
        with cancelled:
            await client.messages.send(HELLO)

    async def second() -> None:
        outcomes.append(await client.outcome(SEND_MESSAGE, HELLO))

    keys: list[str] = []
    outcomes: list[Any] = []
    cancelled, cleaned_up = anyio.CancelScope(), anyio.Event()
    client = client_of(slow_to_leave, journal=notes)
    with anyio.fail_after(30):
        async with anyio.create_task_group() as calls:
            calls.start_soon(first)
            await anyio.wait_all_tasks_blocked()
            cancelled.cancel()
            calls.start_soon(second)
            await anyio.wait_all_tasks_blocked()
            cleaned_up.set()

    assert notes.told == ["begin send_message", "leave unknown", "begin send_message", "settle"]
    assert len({*keys}) == 1
    assert outcomes[0].notes == JOINED


class Held:
    """A service that answers its first request, and then holds its answers back."""

    def __init__(self) -> None:
        self.held = 0
        self.most_held = 0
        self._released = anyio.Event()
        self._is_known = False

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        if self._is_known:
            self.held += 1
            self.most_held = max(self.held, self.most_held)
            await self._released.wait()
            self.held -= 1
        self._is_known = True
        return httpx.Response(200, json={"_id": "l1", "deleted": True})

    def release(self) -> None:
        self._released.set()


@pytest.mark.parametrize(
    ("calls", "at_once"),
    [
        ([("update_leg", "l1", "Nara"), ("update_leg", "l1", "Uji")], 1),
        ([("update_leg", "l1", "Nara"), ("delete_leg", "l1", "")], 1),
        ([("update_leg", "l1", "Nara"), ("update_leg", "l2", "Nara")], 2),
        ([("create_leg", "", "Nara"), ("create_leg", "", "Nara")], 1),
        ([("create_leg", "", "Nara"), ("create_leg", "", "Uji")], 2),
    ],
    ids=["one leg", "a deletion", "two legs", "one creation", "two creations"],
)
async def test_only_writes_to_one_thing_and_identical_ones_wait_for_each_other(
    client_of: "ClientOf", calls: list[tuple[str, str, str]], at_once: int
) -> None:
    service = Held()
    client = client_of(service)
    await client.trips.get("t1")
    with anyio.fail_after(30):
        async with anyio.create_task_group() as writing:
            for name, leg_id, title in calls:
                writing.start_soon(call, client, name, leg_id, title)
            await anyio.wait_all_tasks_blocked()
            service.release()

    assert service.most_held == at_once


async def call(client: TripsClient, name: str, leg_id: str, title: str) -> None:
    operation = OPERATION[name]
    leg = {"order": 1, "destination": "Kyoto", "startDate": "2026-11-01", "endDate": "2026-11-02"}
    fields = {
        "update_leg": {"legId": leg_id, "title": title},
        "delete_leg": {"legId": leg_id},
        "create_leg": {**leg, "title": title, "timezone": "Asia/Tokyo"},
    }
    await client.call(operation, operation.params.model_validate({"tripId": "t1", **fields[name]}))


async def test_who_waits_for_a_write_to_the_same_thing_is_told_so_at_the_deadline(
    time: "SkippedTime", notes: Notes
) -> None:
    async def never(request: httpx.Request) -> httpx.Response:
        await anyio.sleep_forever()
        raise AssertionError

    session = ApiSession(Endpoint("http://trips.test", "osk_key", httpx.MockTransport(never)), time.clock, time.sleep)
    writing = Writing(Attempts(time.clock, time.sleep), notes)
    with anyio.fail_after(30):
        async with anyio.create_task_group() as calls:
            calls.start_soon(writing.outcome, session, SEND_MESSAGE, HELLO, time.now + 1_000)
            await anyio.wait_all_tasks_blocked()
            with pytest.raises(UnavailableError, match=r"send_message: another call for the same thing") as caught:
                await writing.outcome(session, SEND_MESSAGE, HELLO, time.now + 0.01)
            assert not caught.value.sent
            calls.cancel_scope.cancel()

    assert notes.told == ["begin send_message", "leave unknown"]


async def test_concurrent_identical_writes_are_separate_writes(client_of: "ClientOf") -> None:
    service = Service(GOOD)
    client = client_of(service)

    with anyio.fail_after(30):
        async with anyio.create_task_group() as calls:
            for _ in range(20):
                calls.start_soon(client.messages.send, HELLO)

    assert len({*service.keys}) == 20


async def test_waiting_for_an_identical_call_ends_at_the_deadline(client_of: "ClientOf") -> None:
    async def never(request: httpx.Request) -> httpx.Response:
        await anyio.sleep_forever()
        raise AssertionError

    client = client_of(never, deadline=0.02, clock=lambda: 0.0)
    errors: list[Exception] = []

    async def call() -> None:
        try:
            await client.messages.send(HELLO)
        except (OutcomeUnknownError, UnavailableError) as error:
            errors.append(error)

    with anyio.fail_after(30):
        async with anyio.create_task_group() as calls:
            for _ in range(2):
                calls.start_soon(call)

    assert {type(error) for error in errors} <= {OutcomeUnknownError, UnavailableError}
    assert len(errors) == 2


UPDATE = UpdateLeg(trip_id="t1", leg_id="l1", title="Nara")


def leg(title: str) -> httpx.Response:
    return httpx.Response(200, json={"_id": "l1", "title": title})


async def test_an_update_is_sent_anew_after_its_earlier_call_is_answered(client_of: "ClientOf") -> None:
    """With the earlier key it can no longer be carried out late; its answer may be outdated."""
    service = Service(LOST)
    client = client_of(service)
    with pytest.raises(OutcomeUnknownError):
        await client.legs.update(UPDATE)
    service.then(leg("replayed"), leg("current"))

    outcome = await client.outcome(UPDATE_LEG, UPDATE)

    *lost, replayed, anew = service.keys
    assert {*lost} == {replayed} != {anew}
    assert (outcome.result.title, outcome.notes) == ("current", JOINED)


async def test_an_update_that_was_overwritten_since_is_another_one(client_of: "ClientOf") -> None:
    service = Service(LOST)
    client = client_of(service)
    with pytest.raises(OutcomeUnknownError):
        await client.legs.update(UPDATE)
    lost = service.keys[-1]
    service.then(leg("Uji"))
    await client.legs.update(UpdateLeg(trip_id="t1", leg_id="l1", title="Uji"))
    service.then(leg("replayed"), leg("current"))

    outcome = await client.outcome(UPDATE_LEG, UPDATE)

    _, replayed, anew = service.keys[-3:]
    assert replayed == lost != anew
    assert (outcome.result.title, outcome.notes) == ("current", ())


async def test_an_update_whose_second_sending_is_lost_stays_unknown(client_of: "ClientOf", notes: Notes) -> None:
    """Even where the service then refuses the connection: the earlier call was carried out."""
    service = Service(LOST)
    client = client_of(service, journal=notes)
    with pytest.raises(OutcomeUnknownError):
        await client.legs.update(UPDATE)
    service.then(leg("replayed"), httpx.ConnectError("down"))

    with pytest.raises(OutcomeUnknownError, match=r": the service did not answer\.$"):
        await client.legs.update(UPDATE)

    assert notes.told == [
        "begin update_leg",
        "leave unknown",
        "begin update_leg",
        "settle",
        "begin update_leg",
        "leave unknown",
    ]


LEG = {
    "order": 1,
    "title": "Kyoto",
    "destination": "Kyoto",
    "startDate": "2026-11-01",
    "endDate": "2026-11-02",
    "timezone": "Asia/Tokyo",
    "clientRef": "night-1",
}
BATCH = (UPSERT_LEGS, UpsertLegs.model_validate({"tripId": "t1", "items": [LEG]}))
SYNC = (SYNC_TRIP, SyncTrip.model_validate({"tripId": "t1", "legs": [LEG]}))
Write = tuple[Operation[Any, Any], Params]


def reporting(write: Write, status: str) -> httpx.Response:
    """The answer to a batch or sync, in which this became of its leg."""
    report = {status: 1, "results": [{"index": 0, "status": status, "id": "l1", "clientRef": "night-1"}]}
    return httpx.Response(200, json=report if write is BATCH else {"legs": report})


def reported(write: Write, result: Any) -> str | None:
    return (result if write is BATCH else result.legs).results[0].status


@pytest.mark.parametrize("write", [BATCH, SYNC], ids=["batch", "sync"])
@pytest.mark.parametrize(("second", "told"), [("unchanged", "created"), ("updated", "updated")])
async def test_a_batch_that_is_sent_anew_reports_both_sendings(
    client_of: "ClientOf", write: Write, second: str, told: str
) -> None:
    service = Service(LOST)
    client = client_of(service)
    with pytest.raises(OutcomeUnknownError):
        await client.call(*write)
    service.then(leg("Nara"))
    await client.legs.update(UPDATE)
    service.then(reporting(write, "created"), reporting(write, second))

    outcome = await client.outcome(*write)

    assert reported(write, outcome.result) == told
    *_, replayed, anew = service.keys
    assert replayed != anew


@pytest.mark.parametrize("write", [BATCH, SYNC], ids=["batch", "sync"])
async def test_a_batch_that_still_holds_is_not_sent_anew(client_of: "ClientOf", write: Write) -> None:
    service = Service(LOST)
    client = client_of(service)
    with pytest.raises(OutcomeUnknownError):
        await client.call(*write)
    sent = len(service.requests)
    service.then(reporting(write, "created"), BROKEN)

    outcome = await client.outcome(*write)

    assert (reported(write, outcome.result), outcome.notes) == ("created", JOINED)
    assert len(service.requests) == sent + 1


@pytest.mark.parametrize("write", [BATCH, SYNC], ids=["batch", "sync"])
async def test_an_update_is_another_one_after_a_batch_changed_the_leg(client_of: "ClientOf", write: Write) -> None:
    service = Service(LOST)
    client = client_of(service)
    with pytest.raises(OutcomeUnknownError):
        await client.legs.update(UPDATE)
    service.then(reporting(write, "updated"))
    await client.call(*write)
    service.then(leg("Nara"))

    assert (await client.outcome(UPDATE_LEG, UPDATE)).notes == ()


@pytest.mark.parametrize(
    ("notes", "joined"),
    [
        ((), False),
        (JOINED, True),
        (("Since then 1 of the 50 items were changed or removed.",), True),
        (("It broke off.",), False),
        (("It broke off.", *JOINED), True),
    ],
)
def test_the_notes_tell_whether_an_earlier_call_was_completed(notes: tuple[str, ...], joined: bool) -> None:
    assert is_joined(notes) is joined


async def test_what_was_written_is_noted_once_the_answer_is_delivered(client_of: "ClientOf", notes: Notes) -> None:
    client = client_of(Service(GOOD), journal=notes)

    with delivery.delivering() as answer:
        await client.messages.send(HELLO)
        before = [*notes.told]
        await answer.confirm()
    with delivery.delivering() as unread:
        await client.messages.send(HELLO)
        await unread.abandon()

    assert before == ["begin send_message"]
    assert notes.told == ["begin send_message", "settle", "begin send_message", "leave unknown"]


GONE = refusing(410, "GONE")


@pytest.mark.parametrize(
    ("operation", "params", "answer"),
    [
        (DELETE_LEG, DeleteLeg(trip_id="t1", leg_id="l1"), DONE),
        (DELETE_EVENT, DeleteEvent(event_id=7), httpx.Response(200, json={"deleted": 7})),
    ],
    ids=["a leg", "an event"],
)
async def test_a_deletion_is_sent_once_more_at_most(
    client_of: "ClientOf", operation: Operation[Any, Any], params: Params, answer: httpx.Response
) -> None:
    """What has an id of its own does not come back."""
    service = Service(LOST)
    client = client_of(service)
    with pytest.raises(OutcomeUnknownError):
        await client.call(operation, params)
    sent = len(service.requests)
    service.then(answer)

    assert (await client.outcome(operation, params)).notes == JOINED
    assert len(service.requests) == sent + 1


@pytest.mark.parametrize(
    ("answers", "token", "methods"),
    [
        ([httpx.Response(200, json={"_id": "t1", "legs": []})], "s1", ["POST", "GET"]),
        ([refusing(404), httpx.Response(201, json={"token": "s2"})], "s2", ["POST", "GET", "POST"]),
    ],
    ids=["it opens", "it was ended"],
)
async def test_a_lost_link_is_told_while_it_opens_the_trip(
    client_of: "ClientOf", answers: list[httpx.Response], token: str, methods: list[str]
) -> None:
    service = Service(LOST)
    client = client_of(service)
    with pytest.raises(OutcomeUnknownError):
        await client.shares.create("t1")
    sent = len(service.requests)
    service.then(LINK, *answers)

    assert (await client.shares.create("t1")).token == token
    assert [request.method for request in service.requests[sent:]] == methods


async def test_what_is_gone_after_a_lost_deletion_was_deleted(client_of: "ClientOf", notes: Notes) -> None:
    client = client_of(Service(LOST, GONE), journal=notes)

    outcome = await client.outcome(DELETE_LEG, DeleteLeg(trip_id="t1", leg_id="l1"))

    assert outcome.result.deleted == "l1"
    assert notes.told == ["begin delete_leg", "settle"]


@pytest.mark.parametrize(
    ("answers", "operation", "params"),
    [
        ([GONE], DELETE_LEG, DeleteLeg(trip_id="t1", leg_id="l1")),
        ([LOST, GONE], UPDATE_LEG, UPDATE),
        ([LOST, GONE], ARCHIVE_TRIP, ArchiveTrip(trip_id="t1")),
    ],
    ids=["nothing was lost", "an update", "an archived trip"],
)
async def test_what_is_gone_otherwise_is_an_error(
    client_of: "ClientOf", answers: list[Answers], operation: Operation[Any, Any], params: Params
) -> None:
    with pytest.raises(GoneError):
        await client_of(Service(*answers)).call(operation, params)


async def test_a_deletion_of_an_event_can_be_repeated(client_of: "ClientOf", notes: Notes) -> None:
    client = client_of(Service(LOST), journal=notes)

    with pytest.raises(OutcomeUnknownError) as caught:
        await client.events.delete(7)

    assert caught.value.repeatable
    assert notes.told == ["begin delete_event", "leave unknown"]


async def test_a_base_url_that_no_request_can_use_says_nothing_about_a_lost_answer(
    client_of: "ClientOf", notes: Notes
) -> None:
    service = Service(httpx.InvalidURL("odd"))
    client = client_of(service, journal=notes)
    with pytest.raises(CannotConnectError, match=r"^The base URL cannot be used; use something like https://"):
        await client.messages.send(HELLO)
    service.then(LOST, httpx.InvalidURL("odd"))

    with pytest.raises(OutcomeUnknownError):
        await client.messages.send(HELLO)

    assert notes.told == ["begin send_message", "settle", "begin send_message", "leave unknown"]


async def test_a_step_of_a_plan_has_one_key_whoever_carries_it_out(client_of: "ClientOf") -> None:
    service = Service(GOOD)

    async def sent(step: str, message: SendMessage = HELLO, key: str = "osk_trips-key") -> str:
        endpoint = Endpoint("http://trips.test", key, httpx.MockTransport(service))
        async with TripsClient(trips=endpoint, events=None) as client:
            with as_step(step):
                await client.messages.send(message)
        return service.keys[-1] or ""

    keys = [
        await sent("plan 3"),
        await sent("plan 4"),
        await sent("plan 3", SendMessage(trip_id="t1", channel_id="c1", content="Bye")),
        await sent("plan 3", key="osk_another-key"),
    ]

    assert await sent("plan 3") == keys[0]
    assert len({*keys}) == len(keys)
    assert {len(key) for key in keys} == {32}
    await client_of(service).messages.send(HELLO)
    assert service.keys[-1] not in keys


async def test_a_step_is_carried_out_once_whatever_was_written_since(client_of: "ClientOf") -> None:
    service = Service(LOST)
    client = client_of(service)
    with as_step("plan 3"), pytest.raises(OutcomeUnknownError):
        await client.legs.update(UPDATE)
    lost = {*service.keys}
    service.then(leg("Uji"))
    await client.legs.update(UpdateLeg(trip_id="t1", leg_id="l1", title="Uji"))
    sent = len(service.requests)
    service.then(leg("replayed"), leg("current"))

    with as_step("plan 3"):
        outcome = await client.outcome(UPDATE_LEG, UPDATE)

    assert outcome.result.title == "replayed"
    assert {*service.keys[sent:]} == lost
    assert len(service.keys) == sent + 1


async def test_a_step_and_the_same_call_outside_of_it_are_two_writes(client_of: "ClientOf", notes: Notes) -> None:
    service = Service(LOST)
    client = client_of(service, journal=notes)
    with as_step("plan 3"), pytest.raises(OutcomeUnknownError):
        await client.messages.send(HELLO)
    service.then(GOOD)

    outcome = await client.outcome(SEND_MESSAGE, HELLO)

    assert outcome.notes == ()
    assert len(notes.unknown) == 1


class FakeRecovery:
    """A lookup that finds the given result."""

    repeatable = True

    def __init__(self, found: Trip | Exception | None = None) -> None:
        self.asked: list[str] = []
        self._found = found

    async def note(self) -> str:
        return "revision 3"

    async def found(self, note: str) -> Trip | None:
        self.asked.append(note)
        if isinstance(self._found, Exception):
            raise self._found
        return self._found


Recovering = Callable[[Service, FakeRecovery], Awaitable[Outcome[Trip]]]


@pytest.fixture
def recovering(time: "SkippedTime", notes: Notes) -> Recovering:
    """One write to the service, whose earlier attempts are looked up."""

    async def recovering(service: Service, recovery: FakeRecovery) -> Outcome[Trip]:
        session = ApiSession(
            Endpoint("http://trips.test", "osk_key", httpx.MockTransport(service)), time.clock, time.sleep
        )
        writing = Writing(Attempts(time.clock, time.sleep), notes)
        # a read stands in for a write: what it is makes no difference here
        return await writing.outcome(session, GET_TRIP, GetTrip(trip_id="t1"), time.now + 45, recovery)

    return recovering


async def test_a_write_is_looked_up_before_it_is_sent_again(recovering: Recovering, notes: Notes) -> None:
    service = Service(BROKEN)
    before = FakeRecovery()
    with pytest.raises(OutcomeUnknownError):
        await recovering(service, before)
    attempts = len(service.requests)
    unreadable = FakeRecovery(UnavailableError(GET_TRIP, "down", sent=True, retry_after=3))
    with pytest.raises(OutcomeUnknownError) as caught:
        await recovering(service, unreadable)
    there = FakeRecovery(Trip(id="found"))
    outcome = await recovering(service, there)

    assert before.asked == []
    assert unreadable.asked == there.asked == ["revision 3"]
    assert caught.value.retry_after == 3
    assert (outcome.result.id, outcome.notes) == ("found", JOINED)
    assert len(service.requests) == attempts
    assert notes.told[1::2] == ["leave unknown", "leave unknown", "settle"]


async def test_what_the_lookup_does_not_find_is_as_if_it_was_never_sent(recovering: Recovering, notes: Notes) -> None:
    service = Service(BROKEN)
    with pytest.raises(OutcomeUnknownError):
        await recovering(service, FakeRecovery())
    service.then(httpx.ConnectError("down"))

    with pytest.raises(UnavailableError):
        await recovering(service, FakeRecovery())

    assert notes.told[1::2] == ["leave unknown", "settle"]


async def test_what_can_never_be_looked_up_is_not_resumed(recovering: Recovering, notes: Notes) -> None:
    recovery = FakeRecovery()
    recovery.repeatable = False

    with pytest.raises(OutcomeUnknownError) as caught:
        await recovering(Service(BROKEN), recovery)

    assert not caught.value.repeatable
    assert notes.told[1] == "settle"


def shown(error: BaseException) -> str:
    return f"{error} {error!r} {vars(error)}" + (shown(error.__cause__) if error.__cause__ else "")


@pytest.mark.parametrize("answer", [LOST, BROKEN, httpx.Response(200, text="<")], ids=repr)
async def test_an_unknown_outcome_reveals_no_arguments(client_of: "ClientOf", notes: Notes, answer: Answers) -> None:
    client: TripsClient = client_of(Service(answer), journal=notes)

    with pytest.raises(OutcomeUnknownError) as caught:
        await client.messages.send(HELLO)

    for secret in ("K4711", "osk_trips-key", "key-0"):
        assert secret not in shown(caught.value)
