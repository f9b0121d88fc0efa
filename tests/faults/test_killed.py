"""A real server process, killed with SIGKILL during a write and restarted: the same call is one write.

What is waited for is seen from outside: a note in the journal, a row in the database, a request at the service,
an answer on the pipe, or so many microseconds on the clock.
"""

import random
import re
import sqlite3
import sys
import threading
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, closing, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final, NamedTuple

import pytest
from typing_extensions import override

from tests.forks import ForkServer

from .processes import MOST_TIMES, SECONDS, Fields, Home, home, keys_noted, let_pass, until

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL, and no select on pipes")


class Write(NamedTuple):
    tool: str
    listed_by: str
    table: str
    name: str
    """The name of the field with the text."""
    more: Fields


WRITES: Final = (
    Write("send_message", "list_messages", "messages", "content", {}),
    Write("create_map_pin", "list_map_pins", "map_pins", "name", {"lat": 35.0, "lng": 135.7}),
    Write("create_action_item", "list_action_items", "action_items", "text", {"urgency": "now"}),
    Write(
        "create_commitment",
        "list_commitments",
        "commitments",
        "title",
        {"startDate": "2026-11-02", "category": "dinner"},
    ),
)


def unquoted(text: str) -> str:
    """Without the marks around message texts."""
    return re.sub(r"\[/?[0-9a-f]{6}\]", "", text)


class Kills:
    """Many writes, each killed and then repeated if it had no answer."""

    def __init__(self, user: Home, chance: random.Random) -> None:
        self._user = user
        self._chance = chance
        self.joined = 0
        group = user.server.call("get_me", {})["defaultGroupId"]
        trip = {"groupId": group, "title": "Kyoto", "startDate": "2026-11-01", "endDate": "2026-11-09"}
        self._place = {"tripId": user.server.call("create_trip", trip)["_id"]}
        self._channel = user.server.call("list_channels", self._place)["items"][0]["_id"]
        self._words: dict[str, list[str]] = {write.tool: [] for write in WRITES}

    def kill_once(self, number: int) -> None:
        write = self._chance.choice(WRITES)
        words = f"{write.tool} {number}"
        self._words[write.tool].append(words)
        arguments = self._place_of(write) | {write.name: words} | write.more
        server = self._user.server
        if warm := self._chance.random() < 0.8:
            server.call(write.listed_by, self._place_of(write))
        request_id = server.begin_call(write.tool, arguments)
        self._wait_for_the_moment(write, words, warm)
        answer = server.kill(request_id)
        server = self._user.start()
        if answer is None:
            result = server.call(write.tool, arguments)
            self.joined += "remarks" in result

    def check(self) -> None:
        for write in WRITES:
            items = self._user.server.call(write.listed_by, self._place_of(write) | self._limit(write))["items"]
            assert sorted(unquoted(item[write.name]) for item in items) == sorted(self._words[write.tool])

    def _wait_for_the_moment(self, write: Write, words: str, warm: bool) -> None:
        noted = keys_noted(self._user.journal)
        match self._chance.choice(("clock", "clock", "note", "note", "row", "answer")):
            case "clock":
                let_pass(self._chance.uniform(0, 20_000 if warm else 400_000))
            case "note":
                until(lambda: not keys_noted(self._user.journal) <= noted)
                let_pass(self._chance.choice((0, self._chance.uniform(0, 8_000))))
            case "row":
                with closing(sqlite3.connect(self._user.database)) as database:
                    count = f"SELECT count(*) FROM {write.table} WHERE {write.name} = ?"  # noqa: S608
                    until(lambda: database.execute(count, (words,)).fetchone()[0] > 0)
                let_pass(self._chance.choice((0, self._chance.uniform(0, 4_000))))
            case _:
                until(self._user.server.has_said_something)

    def _place_of(self, write: Write) -> Fields:
        return self._place | ({"channelId": self._channel} if write.table == "messages" else {})

    def _limit(self, write: Write) -> Fields:
        return {"limit": 100} if write.table in ("messages", "commitments") else {}


def killed_and_repeated(user: Home, kills: int, seed: int, joined: int = 0) -> None:
    """At least so many kills, and more until as many repeated writes were joined to the earlier ones."""
    tried = Kills(user, random.Random(seed))  # noqa: S311 - no secret
    for number in range(kills * MOST_TIMES):
        if number >= kills and tried.joined >= joined:
            break
        tried.kill_once(number)
    tried.check()
    assert tried.joined >= joined


def test_a_write_of_a_killed_process_is_made_once(tmp_path: Path, fork_server: ForkServer | None) -> None:
    with home(tmp_path, fork_server) as user:
        killed_and_repeated(user, 3, seed=1)


@pytest.mark.soak
@pytest.mark.parametrize(("seed", "cold"), [(2, True), (3, False), (4, False)])
def test_writes_of_many_killed_processes_are_made_once(
    tmp_path: Path, fork_server: ForkServer | None, seed: int, cold: bool
) -> None:
    """`cold`: killed while it imports what it needs, too."""
    with home(tmp_path, None if cold else fork_server) as user:
        killed_and_repeated(user, 20, seed=seed, joined=5)


class Change(NamedTuple):
    tool: str
    arguments: Fields


class Rewrites:
    """Different writes to one leg, one to-do and one link: some answered, some cancelled, some killed.

    Whoever had no answer repeats the call, or makes other changes first and then means it anew.
    """

    def __init__(self, user: Home, chance: random.Random) -> None:
        self._user = user
        self._chance = chance
        self._tokens: list[str] = []
        self.unknown = 0
        group = user.server.call("get_me", {})["defaultGroupId"]
        dates = {"startDate": "2026-11-01", "endDate": "2026-11-09"}
        self._trip = {"tripId": user.server.call("create_trip", {"groupId": group, "title": "Kyoto", **dates})["_id"]}
        leg = {"order": 1, "title": "Kyoto", "destination": "Kyoto", "timezone": "Asia/Tokyo", **dates}
        self._leg = user.server.call("create_leg", self._trip | leg)["_id"]
        to_do = {"text": "Rail passes", "urgency": "now"}
        self._to_do = user.server.call("create_action_item", self._trip | to_do)["_id"]

    def kill_once(self) -> None:
        for _ in range(self._chance.randrange(4)):
            self._make(self._any_change())
        if self._chance.random() < 0.3:
            self._cancel_once()
        change = self._any_change()
        noted = keys_noted(self._user.journal)
        request_id = self._user.server.begin_call(change.tool, change.arguments)
        if self._chance.random() < 0.5:
            until(lambda: not keys_noted(self._user.journal) <= noted or self._user.server.has_said_something())
        let_pass(self._chance.uniform(0, 15_000))
        answer = self._user.server.kill(request_id)
        self._user.start()
        if answer is None:
            self.unknown += 1
            self._go_on_after(change)
        else:
            self._check(change, answer["result"]["structuredContent"])

    def _cancel_once(self) -> None:
        change = self._any_change()
        server = self._user.server
        request_id = server.begin_call(change.tool, change.arguments)
        let_pass(self._chance.uniform(0, 8_000))
        server.notify("notifications/cancelled", {"requestId": request_id})
        self._go_on_after(change)

    def _go_on_after(self, change: Change) -> None:
        for _ in range(self._chance.choice((0, 1, 2))):
            self._make(self._any_change(self._kind_of(change)))
        self._make(change)

    def _make(self, change: Change) -> None:
        self._check(change, self._user.server.call(change.tool, change.arguments))

    def _check(self, change: Change, told: Fields) -> None:
        match self._kind_of(change):
            case "leg":
                [leg] = self._user.server.call("list_legs", self._trip)["items"]
                assert told["title"] == leg["title"] == change.arguments["title"]
            case "to do":
                [to_do] = self._user.server.call("list_action_items", self._trip)["items"]
                assert to_do.get("completed", False) is change.arguments["completed"]
            case _ if change.tool == "create_share_token":
                assert self._opens(told["token"])
                assert not any(self._opens(token) for token in self._tokens if token != told["token"])
                self._tokens = [told["token"]]
            case _:
                assert not any(self._opens(token) for token in self._tokens)

    def _opens(self, token: str) -> bool:
        server = self._user.server
        return not server.answer(server.begin_call("get_shared_trip", {"token": token}))["result"].get("isError")

    def _any_change(self, kind: str = "") -> Change:
        match kind or self._chance.choice(("leg", "to do", "link")):
            case "leg":
                title = self._chance.choice(("Gion", "Nara", "Uji"))
                return Change("update_leg", self._trip | {"legId": self._leg, "title": title})
            case "to do":
                done = self._chance.random() < 0.5
                return Change("update_action_item", self._trip | {"itemId": self._to_do, "completed": done})
            case _:
                return Change(self._chance.choice(("create_share_token", "revoke_share_token")), self._trip)

    def _kind_of(self, change: Change) -> str:
        return {"update_leg": "leg", "update_action_item": "to do"}.get(change.tool, "link")


def rewritten_and_killed(user: Home, kills: int, seed: int, unknown: int = 0) -> None:
    """At least so many kills, and more until as many of them left an outcome unknown."""
    tried = Rewrites(user, random.Random(seed))  # noqa: S311 - no secret
    for number in range(kills * MOST_TIMES):
        if number >= kills and tried.unknown >= unknown:
            break
        tried.kill_once()
    assert tried.unknown >= unknown


def test_what_a_killed_process_left_open_is_not_told_of_what_was_changed_since(
    tmp_path: Path, fork_server: ForkServer | None
) -> None:
    with home(tmp_path, fork_server) as user:
        rewritten_and_killed(user, 3, seed=6)


@pytest.mark.soak
@pytest.mark.parametrize("seed", [7, 8, 9, 10])
def test_writes_to_one_thing_around_many_kills_are_as_they_were_told(
    tmp_path: Path, fork_server: ForkServer | None, seed: int
) -> None:
    with home(tmp_path, fork_server) as user:
        rewritten_and_killed(user, 50, seed=seed, unknown=15)


class Request(NamedTuple):
    key: str | None
    body: bytes


class Service:
    """Accepts requests, and answers none until told to."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.answers = threading.Event()
        service = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                service.requests.append(Request(self.headers["Idempotency-Key"], body))
                service.answers.wait(SECONDS)
                answer = b'{"_id": "msg1", "content": "Hello"}'
                with suppress(OSError):  # whoever asked is dead
                    self.send_response(201)
                    self.send_header("Content-Length", str(len(answer)))
                    self.end_headers()
                    self.wfile.write(answer)

            @override
            def log_message(self, format: str, *args: object) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        threading.Thread(target=self._http.serve_forever, daemon=True).start()
        self.address = f"http://127.0.0.1:{self._http.server_port}"

    def close(self) -> None:
        self.answers.set()
        self._http.shutdown()
        self._http.server_close()


@pytest.fixture
def service() -> Generator[Service]:
    service = Service()
    yield service
    service.close()


HELLO: Final = {"tripId": "t1", "channelId": "c1", "content": "Hello"}


def repeated_after_a_kill(user: Home, service: Service, chance: random.Random) -> None:
    before, noted = len(service.requests), keys_noted(user.journal)
    service.answers.clear()
    request_id = user.server.begin_call("send_message", HELLO)
    until(lambda: not keys_noted(user.journal) <= noted)
    if chance.random() < 0.5:
        until(lambda: len(service.requests) > before)
    let_pass(chance.choice((0, chance.uniform(0, 10_000))))
    [key] = keys_noted(user.journal) - noted
    assert user.server.kill(request_id) is None

    service.answers.set()
    again = user.start().call("send_message", HELLO)
    meant_anew = user.server.call("send_message", HELLO)

    keys = [request.key for request in service.requests[before:]]
    assert set(keys[:-1]) == {key}
    assert keys[-1] not in (key, None)
    assert again["remarks"] == ["This completed an earlier call whose answer was lost."]
    assert "remarks" not in meant_anew


SetUp = Callable[..., AbstractContextManager[Home]]


@pytest.fixture
def set_up(tmp_path: Path, service: Service, fork_server: ForkServer | None) -> SetUp:
    """A user of that service, with these settings besides."""

    def set_up(**more: str) -> AbstractContextManager[Home]:
        settings = {"OSOTO_API_KEY": "osk_test_key", "OSOTO_BASE_URL": f"{service.address}/api/v1"}
        return home(tmp_path, fork_server, **settings, **more)

    return set_up


def test_against_a_service_that_never_answers_the_key_is_the_same(service: Service, set_up: SetUp) -> None:
    with set_up() as user:
        repeated_after_a_kill(user, service, random.Random(0))  # noqa: S311


def test_a_note_is_there_until_the_host_has_read_the_answer(service: Service, set_up: SetUp) -> None:
    service.answers.set()
    with set_up() as user:
        first = user.server.begin_call("send_message", HELLO)
        until(user.server.has_said_something)
        unread = keys_noted(user.journal)
        user.server.answer(first)
        until(lambda: not keys_noted(user.journal))
        again = user.server.call("send_message", HELLO)

    assert unread == {service.requests[0].key} != {service.requests[1].key}
    assert "remarks" not in again


@pytest.mark.soak
@pytest.mark.skipif(sys.platform != "linux", reason="no other system tells what is left in a pipe")
@pytest.mark.parametrize("output", ["pipe", "socket"])
def test_an_answer_that_nobody_read_is_not_told(service: Service, set_up: SetUp, output: str) -> None:
    """A host that does not read for three seconds and then kills the server has no answer."""
    service.answers.set()
    with set_up() as user:
        for _ in range(5):
            before = len(service.requests)
            user.server.close()
            user.start(output)
            user.server.begin_call("send_message", HELLO)
            until(user.server.has_said_something)
            let_pass(3_000_000)
            user.server.close()
            again = user.start(output).call("send_message", HELLO)

            assert again["remarks"] == ["This completed an earlier call whose answer was lost."]
            assert len({request.key for request in service.requests[before:]}) == 1


@pytest.mark.soak
def test_against_a_service_that_never_answers_the_key_is_the_same_each_time(service: Service, set_up: SetUp) -> None:
    with set_up() as user:
        for seed in range(10, 25):
            repeated_after_a_kill(user, service, random.Random(seed))  # noqa: S311


def test_without_a_journal_it_would_be_another_write(service: Service, set_up: SetUp) -> None:
    """Proof that the tests above can fail."""
    with set_up(TRIPS_MCP_JOURNAL="off") as user:
        first = user.server.begin_call("send_message", HELLO)
        until(lambda: len(service.requests) == 1)
        user.server.kill(first)
        service.answers.set()
        again = user.start().call("send_message", HELLO)

    assert len({request.key for request in service.requests}) == 2
    assert "remarks" not in again


def test_a_host_that_cancels_and_calls_again_at_once_has_one_write(service: Service, set_up: SetUp) -> None:
    with set_up() as user:
        first = user.server.begin_call("send_message", HELLO)
        until(lambda: len(service.requests) == 1)

        user.server.notify("notifications/cancelled", {"requestId": first})
        second = user.server.begin_call("send_message", HELLO)
        until(lambda: len(service.requests) == 2)
        service.answers.set()
        result = user.server.answer(second)["result"]["structuredContent"]

    assert len({request.key for request in service.requests}) == 1
    assert result["remarks"] == ["This completed an earlier call whose answer was lost."]


def test_nothing_secret_is_in_the_journal(tmp_path: Path, service: Service, set_up: SetUp) -> None:
    with set_up() as user:
        first = user.server.begin_call("send_message", HELLO)
        until(lambda: len(service.requests) == 1)
        user.server.kill(first)
        held = b"".join(file.read_bytes() for file in tmp_path.rglob("journal.db*") if file.is_file())

    assert b"send_message" in held
    for secret in (b"Hello", b"osk_test_key", b"t1", service.address.encode(), str(tmp_path).encode()):
        assert secret not in held
