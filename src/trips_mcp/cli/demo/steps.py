"""The demo's steps, in order. Each does one thing, checks what came of it, and gives the line to show."""

import json
from collections.abc import Awaitable, Callable
from datetime import date

from trips_mcp.cli.demo.sample import Fields
from trips_mcp.cli.demo.scene import Scene, expect

Step = Callable[[Scene], Awaitable[str]]

_CATEGORIES = {"legs": "legs", "mapPins": "pins", "actionItems": "action items"}
_SECRETS = ("doorCode", "wifiPassword", "hostPhone", "confirmationNumber", "checkInInstructions")


async def who_am_i(scene: Scene) -> str:
    me = await scene.ask("get_me")
    scene.group_id = me["defaultGroupId"]
    return f"get_me: {me['user']['name']}, may {', '.join(me['scopes'])}"


async def create_the_trip(scene: Scene) -> str:
    asked = scene.sample.trip
    scene.trip = await scene.ask("create_trip", groupId=scene.group_id, **asked)
    expect(scene.trip["status"] == "draft", "a new trip should be a draft")
    expect(scene.trip.items() >= asked.items(), "the trip is not the one that was asked for")
    return f"create_trip: “{asked['title']}”, {_span(asked)} {asked['endDate'][:4]}"


async def preview_the_import(scene: Scene) -> str:
    report = await scene.ask_of_trip("sync_trip", dryRun=True, **scene.sample.sync)
    _expect_all(scene, report, "created")
    expect(not (await scene.ask_of_trip("list_legs"))["items"], "a dry run must write nothing")
    return f"sync_trip, dry run: would create {_counts(scene)}; nothing is written"


async def import_it(scene: Scene) -> str:
    report = await scene.ask_of_trip("sync_trip", **scene.sample.sync)
    _expect_all(scene, report, "created")
    return f"sync_trip: created {_counts(scene)}"


async def import_it_again(scene: Scene) -> str:
    report = await scene.ask_of_trip("sync_trip", **scene.sample.sync)
    _expect_all(scene, report, "unchanged")
    pins = (await scene.ask_of_trip("list_map_pins"))["items"]
    expect(len(pins) == scene.sample.count("mapPins"), f"there are {len(pins)} pins after a second import")
    return f"sync_trip again: {_counts(scene)}, all unchanged; nothing is there twice"


async def add_commitments(scene: Scene) -> str:
    legs = _ids_by_ref(await scene.ask_of_trip("list_legs"))
    pins = _ids_by_ref(await scene.ask_of_trip("list_map_pins"))
    for planned in scene.sample.commitments:
        fields = {name: value for name, value in planned.items() if name not in ("leg", "mapPin")}
        linked = {"legId": legs[planned["leg"]], "mapPinId": pins[planned["mapPin"]]}
        made = await scene.ask_of_trip("create_commitment", **fields, **linked)
        expect(made.items() >= (fields | linked).items(), f"“{planned['title']}” was not kept as given")
    titles = ", ".join(f"“{planned['title']}”" for planned in scene.sample.commitments)
    return f"create_commitment: {titles}, each on its leg and pin"


async def add_an_event(scene: Scene) -> str:
    asked, number = scene.sample.event, scene.trip["number"]
    made = await scene.ask("create_event", trip_ids=[number], **asked)
    itinerary = await scene.ask("list_trip_events", trip_id=number)
    found = [event["event_id"] for event in itinerary["events"]]
    expect(found == [made["event_id"]], "the event is not on the trip's itinerary")
    return f"create_event: “{asked['title']}” at {asked['time']}, by the Events API on trip number {number}"


async def read_the_export(scene: Scene) -> str:
    scene.exported = await scene.ask_of_trip("export_trip")
    for category in _CATEGORIES:
        found = len(scene.exported[category])
        expect(found == scene.sample.count(category), f"the export has {found} {category}")
    expect(len(scene.exported["commitments"]) == len(scene.sample.commitments), "commitments are missing")
    return "\n".join(("export_trip: the whole trip in one answer", *map(_leg_line, scene.exported["legs"])))


async def find_the_bed_on_tuesday(scene: Scene) -> str:
    asked = await scene.ask_of_trip("get_day", date="Tuesday")
    expect(len(asked["choices"]) == 2, "both Tuesdays of the trip should be offered")
    first = asked["choices"][0]["date"]
    day = await scene.ask_of_trip("get_day", date=first)
    beds = day["sleep"]
    expect([bed["name"] for bed in beds] == ["Yamabuki Machiya"], f"the night of {first} is not in that one bed")
    plans = [thing["title"] for thing in day["things"]]
    expect("Kaiseki dinner under the lit cherry tree" in plans, f"the dinner of {first} is not told")
    return (
        f"get_day, “Where am I sleeping on Tuesday?” There are two; on {_long(date.fromisoformat(first))}: "
        f"{beds[0]['name']}, {beds[0]['address']}"
    )


async def check_it(scene: Scene) -> str:
    report = await scene.ask_of_trip("check_trip")
    faults = [finding["why"] for finding in report.get("findings", [])]
    expect(report["checked"]["legs"] == 4 and not faults, f"the sample trip should have no fault: {faults}")
    return "check_trip: no overlap, no night without a bed, no missed connection"


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
    return f"send_message: “{said}” to #{channel['name']}, where it is marked as a traveller's words"


async def share_it(scene: Scene) -> str:
    token = (await scene.ask_of_trip("create_share_token"))["token"]
    shared = await scene.ask("export_shared_trip", token=token)
    expect(len(shared["legs"]) == scene.sample.count("legs"), "the shared view lacks legs")
    secrets, seen = _secrets(scene.exported["legs"]), json.dumps(shared, ensure_ascii=False)
    expect(secrets == _secrets(scene.sample.sync["legs"]), "the export lacks secrets of the import")
    expect(not any(secret in seen for secret in secrets), "the shared view gives secrets away")
    return (
        "create_share_token: the token shows legs, flights, pins, plans, the checklist and names; "
        "the door code is in the export, not in the shared view"
    )


async def make_a_mistake(scene: Scene) -> str:
    impossible = {**scene.sample.sync["legs"][0], "clientRef": "leg-mistake", "endDate": "2027-04-31"}
    said = await scene.refusal("create_leg", tripId=scene.trip["_id"], **impossible)
    expect("endDate" in said and "not a real date" in said, f"the refusal does not say what is wrong: {said}")
    legs = (await scene.ask_of_trip("list_legs"))["items"]
    expect(len(legs) == scene.sample.count("legs"), "the refused leg was written")
    return f"create_leg that ends on 31 April is refused, and the server goes on:\n{said}"


STEPS: tuple[Step, ...] = (
    who_am_i,
    create_the_trip,
    preview_the_import,
    import_it,
    import_it_again,
    add_commitments,
    add_an_event,
    read_the_export,
    find_the_bed_on_tuesday,
    check_it,
    post_a_message,
    share_it,
    make_a_mistake,
)


def _expect_all(scene: Scene, report: Fields, outcome: str) -> None:
    for category in _CATEGORIES:
        count = scene.sample.count(category)
        counted = {name: report[category][name] for name in ("created", "updated", "unchanged", "errors")}
        expect(
            counted == {"created": 0, "updated": 0, "unchanged": 0, "errors": 0, outcome: count},
            f"{category}: wanted {count} {outcome}, got {counted}",
        )


def _counts(scene: Scene) -> str:
    return ", ".join(f"{scene.sample.count(category)} {words}" for category, words in _CATEGORIES.items())


def _ids_by_ref(page: Fields) -> dict[str, str]:
    return {item["clientRef"]: item["_id"] for item in page["items"]}


def _secrets(legs: list[Fields]) -> list[str]:
    """Every value of these legs that a shared view must not show."""
    inner = [part for leg in legs for part in (leg.get("accommodation"), leg.get("rentalCar"), *leg.get("flights", []))]
    return [part[name] for part in inner if part for name in _SECRETS if name in part]


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
