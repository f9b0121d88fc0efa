"""What Claude Code tells its model about this server, recorded by a fake of the model's API."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from clients.desk import Desk
from clients.messages_api import Block, MessagesApi, said, standing_in, use
from clients.our_server import Planned, Served, called, offered, offered_over_http, on_this_computer
from clients.tally import Tally
from trips_mcp.cli.demo.steps import Sample
from trips_mcp.server.offer import Offer

_PREFIX: Final = "mcp__trips__"
_QUESTIONS: Final = (
    ("where am I staying", "get_day"),
    ("where do we sleep on Tuesday", "get_day"),
    ("what is planned for tomorrow", "get_day"),
    ("next flight", "get_day"),
    ("hotel", "list_legs"),
    ("door code", "list_legs"),
    ("wifi password", "list_legs"),
    ("packing list", "list_action_items"),
    ("who is coming along", "list_members"),
    ("book a dinner reservation", "create_commitment"),
    ("double booking", "check_trip"),
    ("find the ramen place", "search_trip"),
    ("share my trip with a link", "create_share_token"),
    ("import my bookings", "plan_import"),
    ("move the trip a day later", "plan_move"),
    ("undo my last change", "plan_undo"),
    ("calendar file", "export_file"),
)
"""A user's question, and a tool that answers it. The model sees only names of tools before it searches."""
_MOST_CHARACTERS: Final = 50_000
"""Of a result; what is longer Claude Code puts into a file."""
_CUT: Final = ("[truncated]", "<persisted-output>")


def check_over_stdio(at: Desk, database: Path, planned: Planned, tally: Tally) -> None:
    offer = offered(on_this_computer(database))
    searches = [use("ToolSearch", query=question, max_results=5) for question, _ in _QUESTIONS]
    select = use("ToolSearch", query=f"select:{_PREFIX}create_leg,{_PREFIX}list_legs", max_results=5)
    day = {"tripId": planned.trip, "date": planned.first_day}
    calls = [_call("get_day", **day), _call("create_leg", tripId=planned.trip, titel="Kyoto")]
    calls += [_call("list_legs", tripId=planned.large), _call("export_trip", tripId=planned.large)]
    read = use("ReadMcpResourceTool", server="trips", uri=f"trips://{planned.trip}/day/{planned.first_day}")
    with standing_in([*searches, select, *calls, read]) as api:
        init = _ask(at, api, "Where am I staying on Tuesday?")
    _check_what_is_listed(init, offer, "stdio", tally)
    _check_the_first_prompt(api, offer, tally)
    for turn, (question, tool) in enumerate(_QUESTIONS):
        found = api.result(turn).replace(_PREFIX, "").split("\n")
        tally.claim(f"ToolSearch for “{question}” finds {tool}", tool in found, ", ".join(found))
    first = len(searches)
    _check_schemas(api, first, ("create_leg", "list_legs"), offer, tally)
    seen, expected = _unmarked(api.result(first + 1)), _unmarked(json.dumps(called(at, "get_day", database, **day)))
    tally.claim("get_day's answer is given to the model as it is", seen == expected, seen)
    _check_an_error(api, first + 2, tally)
    for turn, tool in ((first + 3, "list_legs"), (first + 4, "export_trip")):
        text = api.result(turn)
        whole = len(text) < _MOST_CHARACTERS and not any(mark in text for mark in _CUT) and len(text) > 10_000
        tally.claim(f"{tool} of a huge trip: {len(text):,} characters, none of them put into a file", whole, text)
    text = api.result(first + 5)
    tally.claim("a day of a trip is read as a resource", planned.first_day in text and "Umbrella Stand" in text, text)


def check_over_http(at: Desk, key: str, served: Served, tally: Tally) -> None:
    script = [
        use("ToolSearch", query="door code", max_results=5),
        _call("list_legs", tripId=served.planned.trip),
        _call("export_trip", tripId=served.planned.trip),
    ]
    with standing_in(script) as api:
        init = _ask(at, api, "What is the door code?")
    _check_what_is_listed(init, offered_over_http(), "HTTP", tally)
    found = api.result(0)
    tally.claim("ToolSearch for “door code” finds get_secret, where codes are masked", "get_secret" in found, found)
    shown = api.result(1) + api.result(2)
    codes = _door_codes()
    hidden = len(codes) > 0 and "Kyoto" in shown and not any(code in shown for code in codes)
    tally.claim("the model is shown the legs, and none of their door codes", hidden)
    sent = json.dumps(api.requests)
    tally.claim("nor the key that the client calls us with", key not in sent)


def check_a_prompt(at: Desk, database: Path, planned: Planned, tally: Tally) -> None:
    offer = offered(on_this_computer(database))
    (prompt,) = (prompt for prompt in offer.prompts if prompt.name == "review_trip")
    with standing_in([]) as api:
        _ask(at, api, f"/{_PREFIX}{prompt.name} {planned.trip}")
    expected = prompt.text({"tripId": planned.trip}, offer.names)
    seen = _shown(api)
    tally.claim(f"/{_PREFIX}{prompt.name} with a trip's id says the prompt, filled in", expected in seen, seen)
    pasted = "Hotel Granvia, 1 to 3 November, confirmation 4711"
    with standing_in([]) as api:
        _ask(at, api, f"/{_PREFIX}import_booking {planned.trip} {pasted}")
    seen = _shown(api)
    told = pasted in seen and "That may be cut" in seen
    tally.claim("a booking pasted behind a prompt is cut to a word, and the model is told to read the rest", told, seen)


def _shown(api: MessagesApi) -> str:
    """The model's first request."""
    return said(api.requests[0]["system"]) + "\n".join(said(each["content"]) for each in api.requests[0]["messages"])


def _ask(at: Desk, api: MessagesApi, question: str) -> dict[str, Any]:
    """What it says of itself at its start. A model's key is needed for the form alone."""
    words = ["-p", question, "--output-format", "stream-json", "--verbose"]
    allowed = ["--allowedTools", "mcp__trips,ToolSearch,ReadMcpResourceTool"]
    env = {"ANTHROPIC_BASE_URL": api.url, "ANTHROPIC_API_KEY": "of-no-use"}
    ended = at.run("claude", *words, *allowed, env=env)
    for line in map(json.loads, ended.out.splitlines()):
        if line.get("subtype") == "init":
            return line
    raise LookupError(f"it said nothing of itself: {ended.err}")


def _call(tool: str, **arguments: str) -> Block:
    return use(f"{_PREFIX}{tool}", **arguments)


def _unmarked(text: str) -> Any:
    """The marks around other people's words are drawn anew in each answer."""
    return json.loads(re.sub(r"\[(/?)[0-9a-f]{6}\]", r"[\1mark]", text))


def _check_what_is_listed(init: dict[str, Any], offer: Offer, way: str, tally: Tally) -> None:
    tally.claim(f"over {way} it has connected at its start", init["mcp_servers"][0]["status"] == "connected", init)
    ours: Sequence[str] = [name for name in init["tools"] if name.startswith(_PREFIX)]
    missing = {f"{_PREFIX}{name}" for name in offer.names}.symmetric_difference(ours)
    tally.claim(f"over {way} it lists our {len(offer.names)} tools, and no other", not missing, missing)
    prompts = {f"{_PREFIX}{prompt.name}" for prompt in offer.prompts}
    missing = prompts.symmetric_difference(name for name in init["slash_commands"] if name.startswith(_PREFIX))
    tally.claim(f"over {way} it has our {len(prompts)} prompts as commands", not missing, missing)


def _check_the_first_prompt(api: MessagesApi, offer: Offer, tally: Tally) -> None:
    shown = _shown(api)
    whole = offer.instructions in shown
    tally.claim(f"the model is shown our instructions, all {len(offer.instructions):,} characters", whole, shown)
    unnamed = [name for name in offer.names if f"{_PREFIX}{name}" not in shown]
    tally.claim("and the name of every tool", not unnamed, unnamed)


def _check_schemas(api: MessagesApi, turn: int, tools: Sequence[str], offer: Offer, tally: Tally) -> None:
    """What is loaded by a search stands in the request that follows."""
    given = {tool["name"]: tool for tool in api.requests[turn + 1]["tools"]}
    ours = {listing["name"]: listing for listing in offer.listing}
    for name in tools:
        loaded = given.get(f"{_PREFIX}{name}", {})
        seen = (loaded.get("description"), loaded.get("input_schema"))
        expected = (ours[name]["description"], ours[name]["inputSchema"])
        tally.claim(
            f"{name}, once found, is loaded with its description and schema as we list it", seen == expected, seen
        )


def _check_an_error(api: MessagesApi, turn: int, tally: Tally) -> None:
    block, text = api.result_block(turn), api.result(turn)
    named = "titel: unknown field" in text and "startDate: required" in text
    tally.claim("a misspelt argument: the model is told which, as an error", block.get("is_error") and named, text)


def _door_codes() -> list[str]:
    legs = Sample.load().sync["legs"]
    return [stay["doorCode"] for leg in legs if "doorCode" in (stay := leg.get("accommodation", {}))]
