"""A real server process, killed with SIGKILL while it applies a plan or an undo: the next call finishes it, once.

What is waited for is seen from outside: a write in the database of the trips, what the history says was made, or so
many microseconds on the clock.
"""

import json
import random
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from tests.forks import ForkServer

from .processes import MOST_TIMES, Fields, Home, home, let_pass, until

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL, and no select on pipes")

DATES: Final = {"startDate": "2027-04-01", "endDate": "2027-04-20"}
LEG: Final = {"order": 1, "destination": "Kyoto", "timezone": "Asia/Tokyo", **DATES}
PIN: Final = {"lat": 35.0, "lng": 135.7}
DINNER: Final = {"startDate": "2027-04-03", "category": "dinner"}
TITLES: Final = ("title", "name", "text")
IDS: Final = ("_id", "legId", "mapPinId", "event_id")


class Plans:
    """Plans on one trip, each applied and undone through kills."""

    def __init__(self, user: Home, chance: random.Random, again: float) -> None:
        """`again`: how likely it is that a plan is killed once more."""
        self._user = user
        self._chance = chance
        self._again = again
        self.kills = 0
        self.halfway = 0
        """Kills that left a plan begun and not finished."""
        server = user.server
        group = server.call("get_me", {})["defaultGroupId"]
        trip = server.call("create_trip", {"groupId": group, "title": "Japan", **DATES})
        self._trip = {"tripId": trip["_id"]}
        self._number: int = trip["number"]
        self._channel: str = server.call("list_channels", self._trip)["items"][0]["_id"]
        self._leg: str = server.call("create_leg", self._trip | LEG | {"title": "Kyoto", "clientRef": "k"})["_id"]
        pin = server.call("create_map_pin", self._trip | PIN | {"name": "Market", "notes": "early"})["_id"]
        lunch = {**DINNER, "title": "Lunch", "legId": self._leg, "mapPinId": pin}
        server.call("create_commitment", self._trip | lunch)
        self._start = self._everything()
        self._history = sqlite3.connect(user.history)
        self._database = sqlite3.connect(user.database)

    def close(self) -> None:
        self._history.close()
        self._database.close()

    def apply_and_undo(self, number: int) -> None:
        changes = list(self._changes(number))
        plan = self._user.server.call("plan_changes", self._trip | {"changes": changes})["planId"]
        self._finish(plan, len(changes))
        assert Outline.of(self._everything()) == Outline.of(self._start).after(changes)
        assert self._messages().count(f"message {number}") == sum(one["tool"] == "send_message" for one in changes)

        undo = self._user.server.call("plan_undo", {"changeId": plan})["planId"]
        self._finish(undo, len(self._plan(undo)["changes"]))
        assert by_title(self._everything()) == by_title(self._start)

    def _finish(self, plan: str, changes: int) -> None:
        """Applies a plan through as many kills as there happen to be, and once more."""
        while self._chance.random() < self._again:
            if self._kill_once(plan, changes):
                break
        report = self._user.server.call("apply_plan", {"planId": plan})
        assert (report["state"], report["done"], report["total"]) == ("applied", changes, changes)

    def _kill_once(self, plan: str, changes: int) -> bool:
        """Whether the answer came before the kill."""
        server = self._user.server
        request = server.begin_call("apply_plan", {"planId": plan})
        self._wait_for_the_moment(plan, changes)
        answer = server.kill(request)
        self._user.start()
        self.kills += 1
        self.halfway += answer is None and 0 < self._done(plan) < changes
        return answer is not None

    def _wait_for_the_moment(self, plan: str, changes: int) -> None:
        server = self._user.server
        match self._chance.choice(("clock", "noted", "written", "written")):
            case "clock":
                let_pass(self._chance.uniform(0, 150_000))
            case "noted":
                done = self._chance.randrange(changes)
                until(lambda: self._done(plan) >= done or server.has_said_something())
                let_pass(self._chance.uniform(0, 6_000))
            case _:
                for _ in range(self._chance.randrange(changes) + 1):
                    known = self._version()
                    until(lambda known=known: self._version() != known or server.has_said_something())
                let_pass(self._chance.choice((0, self._chance.uniform(0, 2_000))))

    def _version(self) -> int:
        """Changes with each commit to the database of the trips."""
        return self._database.execute("PRAGMA data_version").fetchone()[0]

    def _changes(self, number: int) -> Iterator[Fields]:
        """Most of these, in this order."""
        leg, pin, dinner = f"leg {number}", f"pin {number}", {**DINNER, "title": f"dinner {number}", "legId": "@leg"}
        [market] = self._user.server.call("list_map_pins", self._trip)["items"]
        stay = {"accommodation": {"name": leg}, "clear": ["clientRef"]}
        yield {"tool": "create_leg", "arguments": {**LEG, "title": leg}, "as": "leg"}
        may = [
            {"tool": "create_map_pin", "arguments": {**PIN, "name": pin}},
            {"tool": "create_commitment", "arguments": dinner},
            {"tool": "create_commitment", "arguments": dinner},
            {"tool": "update_trip", "arguments": {"title": f"trip {number}"}},
            {"tool": "update_leg", "arguments": {"legId": self._leg, **stay}},
            {"tool": "delete_map_pin", "arguments": {"pinId": market["_id"]}},
            {"tool": "send_message", "arguments": {"channelId": self._channel, "content": f"message {number}"}},
            {"tool": "create_action_item", "arguments": {"text": f"to-do {number}", "urgency": "now"}},
        ]
        yield from (change for change in may if self._chance.random() < 0.8)

    def _everything(self) -> Fields:
        return self._user.server.call("export_trip", self._trip)

    def _messages(self) -> list[str]:
        return [content for (content,) in self._database.execute("SELECT content FROM messages")]

    def _plan(self, plan: str) -> Fields:
        [(body,)] = self._history.execute("SELECT body FROM plans WHERE id = ?", (plan,))
        return json.loads(body)

    def _done(self, plan: str) -> int:
        return len(self._plan(plan)["done"])


@dataclass
class Outline:
    """The titles of everything, in alphabetical order."""

    trip: str
    legs: list[tuple[str, str]]
    """With their stays."""
    commitments: list[tuple[str, str, str]]
    """With the leg and the pin that they are linked to."""
    pins: list[str]
    to_dos: list[str]

    @classmethod
    def of(cls, export: Fields) -> "Outline":
        titled = by_title(export)
        return cls(
            titled["trip"]["title"],
            [(leg["title"], leg.get("accommodation", {}).get("name", "")) for leg in titled["legs"]],
            [(one["title"], one.get("legId", ""), one.get("mapPinId", "")) for one in titled["commitments"]],
            [pin["name"] for pin in titled.get("mapPins", [])],
            [item["text"] for item in titled.get("actionItems", [])],
        )

    def after(self, changes: list[Fields]) -> "Outline":
        found = deepcopy(self)
        for change in changes:
            found.change(change["tool"], change["arguments"])
        for items in (found.legs, found.commitments, found.pins, found.to_dos):
            items.sort()
        return found

    def change(self, tool: str, given: Fields) -> None:
        match tool:
            case "create_leg":
                self.legs.append((given["title"], ""))
            case "create_map_pin":
                self.pins.append(given["name"])
            case "create_commitment":
                self.commitments.append((given["title"], self.legs[-1][0], ""))
            case "create_action_item":
                self.to_dos.append(given["text"])
            case "update_trip":
                self.trip = given["title"]
            case "update_leg":
                stay = given["accommodation"]["name"]
                self.legs = [(title, stay if title == "Kyoto" else name) for title, name in self.legs]
            case "delete_map_pin":
                self.pins.remove("Market")
                self.commitments = [(one, leg, "" if pin == "Market" else pin) for one, leg, pin in self.commitments]
            case _:
                assert tool == "send_message"


def by_title(export: Fields) -> Fields:
    """With titles in place of ids, in an order that does not depend on when things were created."""
    lists: dict[str, list[Fields]] = {name: items for name, items in export.items() if isinstance(items, list)}
    titles = {
        item["_id"]: next(item[name] for name in TITLES if name in item)
        for items in lists.values()
        for item in items
        if "_id" in item
    }

    def named(item: Fields) -> Fields:
        return {name: titles.get(value, value) if name in IDS else value for name, value in item.items()}

    found: Fields = json.loads(json.dumps(export), object_hook=named)
    return found | {name: sorted(found[name], key=json.dumps) for name in lists}


def killed_and_finished(user: Home, kills: int, halfway: int, seed: int, again: float) -> None:
    """At least so many kills, and more until as many of them met a plan halfway."""
    plans = Plans(user, random.Random(seed), again)  # noqa: S311 - no secret
    with closing(plans):
        number = 0
        while plans.kills < kills or plans.halfway < halfway:
            assert plans.kills < kills * MOST_TIMES
            number += 1
            plans.apply_and_undo(number)


def test_plans_of_a_killed_process_are_finished_by_the_next_call(
    tmp_path: Path, fork_server: ForkServer | None
) -> None:
    with home(tmp_path, fork_server) as user:
        killed_and_finished(user, kills=3, halfway=1, seed=1, again=0.6)


@pytest.mark.soak
def test_plans_of_many_killed_processes_are_finished(tmp_path: Path, fork_server: ForkServer | None) -> None:
    with home(tmp_path, fork_server) as user:
        killed_and_finished(user, kills=200, halfway=30, seed=2, again=0.85)
