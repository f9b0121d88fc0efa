"""The demo's conversation: for each turn a question, and the calls, checks and answer of the agent.

The turns share a state, and import the sample trip from kyoto.json in this folder.
"""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Self

KYOTO = Path(__file__).with_name("kyoto.json")

Fields = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    trip: Fields
    """The arguments of `create_trip`, without the group."""
    sync: dict[str, list[Fields]]
    """The arguments of `sync_trip`: legs, mapPins, actionItems, each with its clientRef."""
    commitments: list[Fields]
    """The arguments of `create_commitment`; ids replace the clientRefs in `leg` and `mapPin`."""
    event: Fields
    """The arguments of `create_event`, without the trip's number."""

    @classmethod
    def load(cls, file: Path = KYOTO) -> Self:
        return cls(**json.loads(file.read_text(encoding="utf-8")))

    def count(self, category: str) -> int:
        return len(self.sync[category])


Caller = Callable[[str, Fields], Awaitable[tuple[bool, str, Fields]]]
"""Calls a tool. Returns whether it refused, its text and its structured content."""


class StepFailedError(Exception):
    """A broken expectation of the demo, in one sentence."""


def expect(held: bool, otherwise: str) -> None:
    if not held:
        raise StepFailedError(otherwise)


@dataclass(kw_only=True)
class Scene:
    call: Caller
    sample: Sample
    trip: Fields = field(default_factory=Fields)
    plan: Fields = field(default_factory=Fields)
    """The preview of the latest plan."""
    before: Fields = field(default_factory=Fields)
    """The trip before the first plan."""
    called: list[str] = field(default_factory=list[str])
    """The tools called in this turn, in the order of their first calls."""

    async def ask(self, tool: str, **arguments: object) -> Fields:
        """The answer of a call that must succeed."""
        refused, text, answer = await self._call(tool, arguments)
        expect(not refused, f"{tool} was refused: {text}")
        return answer

    async def ask_of_trip(self, tool: str, **arguments: object) -> Fields:
        return await self.ask(tool, tripId=self.trip["_id"], **arguments)

    async def refusal(self, tool: str, **arguments: object) -> str:
        """The error text of a call that must be refused."""
        refused, text, _ = await self._call(tool, arguments)
        expect(refused, f"{tool} accepted what it must refuse")
        return text

    async def _call(self, tool: str, arguments: Fields) -> tuple[bool, str, Fields]:
        if tool not in self.called:
            self.called.append(tool)
        return await self.call(tool, arguments)


@dataclass(frozen=True, slots=True)
class Exchange:
    asked: str
    answer: Callable[[Scene], Awaitable[str]]


_CATEGORIES = {"legs": "legs", "mapPins": "pins", "actionItems": "action items"}
_SECRETS = ("doorCode", "wifiPassword", "hostPhone", "confirmationNumber", "checkInInstructions")


async def create_the_trip(scene: Scene) -> str:
    asked, me = scene.sample.trip, await scene.ask("get_me")
    scene.trip = await scene.ask("create_trip", groupId=me["defaultGroupId"], **asked)
    expect(scene.trip["status"] == "draft", "a new trip should be a draft")
    expect(scene.trip.items() >= asked.items(), "the trip is not the one that was asked for")
    return f"“{asked['title']}” is there as a draft, {_span(asked)} {asked['endDate'][:4]}."


async def preview_the_import(scene: Scene) -> str:
    report = await scene.ask_of_trip("sync_trip", dryRun=True, **scene.sample.sync)
    _expect_all(scene, report, "created")
    expect(not (await scene.ask_of_trip("list_legs"))["items"], "a dry run must write nothing")
    return f"I would create {_counts(scene)}. Nothing is written yet."


async def import_it(scene: Scene) -> str:
    report = await scene.ask_of_trip("sync_trip", **scene.sample.sync)
    _expect_all(scene, report, "created")
    return f"Created {_counts(scene)}."


async def import_it_again(scene: Scene) -> str:
    report = await scene.ask_of_trip("sync_trip", **scene.sample.sync)
    _expect_all(scene, report, "unchanged")
    pins = (await scene.ask_of_trip("list_map_pins"))["items"]
    expect(len(pins) == scene.sample.count("mapPins"), f"there are {len(pins)} pins after a second import")
    return f"{_counts(scene)}: all unchanged. Nothing is there twice."


async def add_commitments(scene: Scene) -> str:
    legs = _by_ref(await scene.ask_of_trip("list_legs"))
    pins = _by_ref(await scene.ask_of_trip("list_map_pins"))
    for planned in scene.sample.commitments:
        fields = {name: value for name, value in planned.items() if name not in ("leg", "mapPin")}
        linked = {"legId": legs[planned["leg"]]["_id"], "mapPinId": pins[planned["mapPin"]]["_id"]}
        made = await scene.ask_of_trip("create_commitment", **fields, **linked)
        expect(made.items() >= (fields | linked).items(), f"“{planned['title']}” was not kept as given")
    titles = ", ".join(f"“{planned['title']}”" for planned in scene.sample.commitments)
    return f"{titles}, each on its leg and pin."


async def add_an_event(scene: Scene) -> str:
    asked, number = scene.sample.event, scene.trip["number"]
    made = await scene.ask("create_event", trip_ids=[number], **asked)
    itinerary = await scene.ask("list_trip_events", trip_id=number)
    found = [event["event_id"] for event in itinerary["events"]]
    expect(found == [made["event_id"]], "the event is not on the trip's itinerary")
    return f"“{asked['title']}” is on the itinerary at {asked['time']}."


async def show_the_whole_trip(scene: Scene) -> str:
    exported = await scene.ask_of_trip("export_trip")
    for category in _CATEGORIES:
        found = len(exported[category])
        expect(found == scene.sample.count(category), f"the export has {found} {category}")
    expect(len(exported["commitments"]) == len(scene.sample.commitments), "commitments are missing")
    masked = json.dumps(exported, ensure_ascii=False)
    expect(not any(secret in masked for secret in _secrets(scene.sample.sync["legs"])), "a secret is not masked")
    return "\n".join(("All of it, in one answer, without door codes:", *map(_leg_line, exported["legs"])))


async def ask_which_tuesday(scene: Scene) -> str:
    asked = await scene.ask_of_trip("get_day", date="Tuesday")
    expect(len(asked["choices"]) == 2, "both Tuesdays of the trip should be offered")
    first, second = (date.fromisoformat(choice["date"]) for choice in asked["choices"])
    return f"Tuesday may be {first.day} {first:%B} or {second.day} {second:%B}. Which one?"


async def find_the_bed_on_tuesday(scene: Scene) -> str:
    asked = await scene.ask_of_trip("get_day", date="Tuesday")
    first = asked["choices"][0]["date"]
    day = await scene.ask_of_trip("get_day", date=first)
    beds = day["sleep"]
    expect([bed["name"] for bed in beds] == ["Yamabuki Machiya"], f"the night of {first} is not in that one bed")
    plans = [thing["title"] for thing in day["things"]]
    expect("Kaiseki dinner under the lit cherry tree" in plans, f"the dinner of {first} is not told")
    return f"On {_long(date.fromisoformat(first))} at {beds[0]['name']}, {beds[0]['address']}."


async def tell_the_door_code(scene: Scene) -> str:
    house = next(leg for leg in (await scene.ask_of_trip("list_legs"))["items"] if leg["clientRef"] == "leg-kyoto")
    told = await scene.ask_of_trip("get_secret", legId=house["_id"], path="accommodation.doorCode")
    code = _leg(scene, "leg-kyoto")["accommodation"]["doorCode"]
    expect(told["value"] == code, "the door code is not that of the plan")
    return f"{code}. It is told one at a time, and masked in every other answer."


async def check_it(scene: Scene) -> str:
    report = await scene.ask_of_trip("check_trip")
    faults = [finding["why"] for finding in report.get("findings", [])]
    expect(report["checked"]["legs"] == 4 and not faults, f"the sample trip should have no fault: {faults}")
    return "All of it fits: no overlap, no night without a bed, no missed connection."


async def preview_a_day_more(scene: Scene) -> str:
    tokyo = _leg(scene, "leg-tokyo")
    scene.before = await _exported(scene)
    scene.plan = await scene.ask_of_trip("plan_move", **{"from": tokyo["endDate"], "days": 1})
    (beds,) = (finding for finding in scene.plan["caused"] if finding["kind"] == "no_bed")
    rebook = [note["why"] for note in scene.plan["notes"] if note["kind"] == "to_rebook"]
    flights = [flight for flight in ("JL106", "JL43") if any(flight in why for why in rebook)]
    expect(len(flights) == 2, "the flights home should be named as to rebook")
    expect(await _exported(scene) == scene.before, "a preview must write nothing")
    return (
        f"{len(scene.plan['changed'])} things move by a day, and their times of day stay. What is booked stays where "
        f"it is, so on {_long(date.fromisoformat(beds['date']))} there would be no bed. To rebook: "
        f"{len(rebook) - len(flights)} stays and cars, and the flights {' and '.join(flights)}. Nothing is written yet."
    )


async def apply_the_plan(scene: Scene) -> str:
    report = await _applied(scene)
    kyoto = _by_ref(await scene.ask_of_trip("list_legs"))["leg-kyoto"]
    planned = [item["after"] for item in scene.plan["changed"] if item.get("id") == kyoto["_id"]]
    expect(kyoto.items() >= planned[0].items(), "the trip is not what the preview showed")
    return f"{report['done']} changes made, as shown. Kyoto is now from {_span(kyoto)}."


async def take_it_back(scene: Scene) -> str:
    scene.plan = await scene.ask("plan_undo", changeId=scene.plan["planId"])
    expect(not scene.plan.get("notes"), "all of the plan should be taken back")
    report = await _applied(scene)
    expect(await _exported(scene) == scene.before, "the trip is not as it was before")
    return f"{report['done']} changes taken back. Every date is as it was before."


async def post_a_message(scene: Scene) -> str:
    channel = (await scene.ask_of_trip("list_channels"))["items"][0]
    said = "The blossom forecast says 29 March. We are going to be on time for once! 🌸"
    sent = await scene.ask_of_trip("send_message", channelId=channel["_id"], content=said)
    read = (await scene.ask_of_trip("list_messages", channelId=channel["_id"]))["items"]
    expect(
        [message["_id"] for message in read if said in message["content"]] == [sent["_id"]],
        "the channel does not hold the message as sent",
    )
    expect(said not in [message["content"] for message in read], "the message is not marked as a traveller's words")
    return f"“{said}” It is in #{channel['name']}, quoted as a traveller's words. On an account the others read it."


async def share_it(scene: Scene) -> str:
    token = (await scene.ask_of_trip("create_share_token"))["token"]
    shared = await scene.ask("export_shared_trip", token=token)
    expect(len(shared["legs"]) == scene.sample.count("legs"), "the shared view lacks legs")
    secrets, seen = _secrets(scene.sample.sync["legs"]), json.dumps(shared, ensure_ascii=False)
    expect(not any(secret in seen for secret in secrets), "the shared view gives secrets away")
    return (
        "The token is made. It shows legs, flights, pins, plans, the checklist and names; "
        "door codes, passwords and booking numbers are not in it."
    )


async def make_a_mistake(scene: Scene) -> str:
    impossible = {**scene.sample.sync["legs"][0], "clientRef": "leg-mistake", "endDate": "2027-04-31"}
    said = await scene.refusal("create_leg", tripId=scene.trip["_id"], **impossible)
    expect("endDate" in said and "not a real date" in said, f"the refusal does not say what is wrong: {said}")
    legs = (await scene.ask_of_trip("list_legs"))["items"]
    expect(len(legs) == scene.sample.count("legs"), "the refused leg was written")
    return f"That was refused, and nothing was written:\n{said}"


TURNS: tuple[Exchange, ...] = (
    Exchange("Plan a trip to Kyoto for the cherry blossom, from 24 March to 8 April 2027.", create_the_trip),
    Exchange("Here is our plan, with places and things to do. What would you put in?", preview_the_import),
    Exchange("Put it in.", import_it),
    Exchange("I am not sure that worked. Put it in again.", import_it_again),
    Exchange("Add the kaiseki dinner, the tea ceremony and Noriko's birthday, each where it belongs.", add_commitments),
    Exchange("We also have seats on the Nozomi to Kyoto.", add_an_event),
    Exchange("Show me the whole trip.", show_the_whole_trip),
    Exchange("Where are we sleeping on Tuesday?", ask_which_tuesday),
    Exchange("The first one.", find_the_bed_on_tuesday),
    Exchange("What is the door code there?", tell_the_door_code),
    Exchange("Does anything not fit?", check_it),
    Exchange("We want a day more in Tokyo. What if everything after it is a day later?", preview_a_day_more),
    Exchange("Do it.", apply_the_plan),
    Exchange("There are no seats home on the 9th. Take that back.", take_it_back),
    Exchange("Post the good news in the trip's channel.", post_a_message),
    Exchange("Make a link for my mother, without the door codes.", share_it),
    Exchange("Add a stay in London until 31 April.", make_a_mistake),
)


def _expect_all(scene: Scene, report: Fields, outcome: str) -> None:
    for category in _CATEGORIES:
        count = scene.sample.count(category)
        counted = {name: report[category][name] for name in ("created", "updated", "unchanged", "errors")}
        expect(
            counted == {"created": 0, "updated": 0, "unchanged": 0, "errors": 0, outcome: count},
            f"{category}: wanted {count} {outcome}, got {counted}",
        )


async def _applied(scene: Scene) -> Fields:
    report = await scene.ask("apply_plan", planId=scene.plan["planId"])
    expect(report["state"] == "applied", f"the plan was not applied: {report.get('why')}")
    return report


async def _exported(scene: Scene) -> Fields:
    """The trip, without the counter of an event's revisions."""
    exported = await scene.ask_of_trip("export_trip")
    return {**exported, "events": [{**event, "revision": None} for event in exported["events"]]}


def _counts(scene: Scene) -> str:
    return ", ".join(f"{scene.sample.count(category)} {words}" for category, words in _CATEGORIES.items())


def _by_ref(page: Fields) -> dict[str, Fields]:
    return {item["clientRef"]: item for item in page["items"]}


def _secrets(legs: list[Fields]) -> list[str]:
    """Every value of these legs that a shared view must not show."""
    inner = [part for leg in legs for part in (leg.get("accommodation"), leg.get("rentalCar"), *leg.get("flights", []))]
    return [part[name] for part in inner if part for name in _SECRETS if name in part]


def _leg(scene: Scene, ref: str) -> Fields:
    return next(leg for leg in scene.sample.sync["legs"] if leg["clientRef"] == ref)


def _leg_line(leg: Fields) -> str:
    moves = [f"{flight['flightNumber']} {flight['from']}-{flight['to']}" for flight in leg.get("flights", [])]
    stay = [leg["accommodation"]["name"]] if "accommodation" in leg else []
    return f"{_span(leg):<16}  {leg['title']}: {', '.join(moves + stay)}"


def _span(dated: Fields) -> str:
    first, last = dated["startDate"], dated["endDate"]
    return _short(first) if first == last else f"{_short(first)} to {_short(last)}"


def _short(day: str) -> str:
    parsed = date.fromisoformat(day)
    return f"{parsed.day} {parsed:%b}"


def _long(day: date) -> str:
    return f"{day:%A} {day.day} {day:%B}"
