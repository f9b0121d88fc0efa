"""The selection of tools by settings: what is offered, why the rest is not, and the size of the catalogue."""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from trips_mcp.client.client import Permissions
from trips_mcp.client.errors import MissingScopeError
from trips_mcp.settings import Settings, SettingsError
from trips_mcp.tools import TOOLS, TOOLSETS, Tool
from trips_mcp.tools.listing import Entry, entries
from trips_mcp.tools.selection import Selection, choose

OTHER_TRIPS = {"list_trips", "create_trip", "plan_copy", "get_shared_trip", "export_shared_trip"}
OUTBOUND = {"send_message", "create_share_token", "revoke_share_token"}
THE_TRIP = {"tripId", "trip_id", "trip_ids"}
KEYS = {"OSOTO_API_KEY": "osk_1", "TRAVELMODE_TOKEN": "t1"}

Keeps = Callable[[Entry], bool]


def chosen(env: dict[str, str] | None = None, /, **flags: str) -> Selection:
    """With flags as in `read_only="on"`."""
    given = {f"--{name.replace('_', '-')}": text for name, text in flags.items()}
    return choose(Settings.from_env(env or {}, given))


def name_of(entry: Entry) -> str:
    return entry["listing"]["name"]


def names(choice: Selection) -> list[str]:
    return [name_of(entry) for entry in choice.entries]


def by_default(entry: Entry) -> bool:
    return name_of(entry) != "get_secret"


def reads(entry: Entry) -> bool:
    """A plan is for a write, so it needs the scope of one."""
    return entry["listing"]["annotations"]["readOnlyHint"] and not entry["scope"].endswith(":write")


def of_one_trip(entry: Entry) -> bool:
    return name_of(entry) not in OTHER_TRIPS


def of_the_trips_api_and_one_trip(entry: Entry) -> bool:
    return entry["api"] == "trips" and of_one_trip(entry)


CASES: list[tuple[dict[str, str], dict[str, str], Keeps]] = [
    ({}, {}, by_default),
    ({}, {"mask_secrets": "on"}, lambda _: True),
    ({}, {"toolsets": "legs,members"}, lambda it: it["toolset"] in ("legs", "members")),
    ({}, {"toolsets": "members,legs"}, lambda it: it["toolset"] in ("legs", "members")),
    ({}, {"tools": "list_trips,export_trip"}, lambda it: name_of(it) in ("list_trips", "export_trip")),
    (
        {},
        {"toolsets": "legs", "tools": "list_trips,list_legs"},
        lambda it: it["toolset"] == "legs" or name_of(it) == "list_trips",
    ),
    ({}, {"exclude_tools": "get_me"}, lambda it: name_of(it) != "get_me"),
    (
        {},
        {"toolsets": "legs", "tools": "get_me", "exclude_tools": "get_me,delete_leg"},
        lambda it: it["toolset"] == "legs" and name_of(it) != "delete_leg",
    ),
    ({}, {"read_only": "on"}, reads),
    ({}, {"read_only": "on", "tools": "create_leg,list_legs"}, lambda it: name_of(it) == "list_legs"),
    ({}, {"no_outbound": "on"}, lambda it: name_of(it) not in OUTBOUND),
    ({}, {"no_outbound": "on", "tools": "send_message,get_me"}, lambda it: name_of(it) == "get_me"),
    ({}, {"trip": "jx7"}, of_one_trip),
    ({}, {"trip": "jx7", "toolsets": "trips,shares", "read_only": "on"},
        lambda it: it["toolset"] in ("trips", "shares") and reads(it) and name_of(it) not in OTHER_TRIPS),
    ({"OSOTO_API_KEY": "osk_1"}, {}, lambda it: it["api"] == "trips"),
    ({"TRAVELMODE_TOKEN": "t1"}, {}, lambda it: it["api"] == "events"),
    ({"OSOTO_API_KEY": "${K}"}, {}, lambda _: False),
    (KEYS, {"trip": "jx7"}, of_the_trips_api_and_one_trip),
    (KEYS, {"trip": "jx7", "event_trips": "jx8=1"}, of_the_trips_api_and_one_trip),
    (KEYS, {"trip": "jx7", "event_trips": "jx7=1"}, of_one_trip),
    (KEYS, {"event_trips": "jx7=1"}, lambda _: True),
    ({"TRIPS_MCP_READ_ONLY": "1"}, {"read_only": "off"}, lambda _: True),
]  # fmt: skip


@pytest.mark.parametrize(("env", "flags", "keeps"), CASES)
def test_what_is_offered(env: dict[str, str], flags: dict[str, str], keeps: Keeps) -> None:
    masked = flags.get("mask_secrets") == "on"

    found = chosen(env, **flags)

    assert names(found) == [name_of(it) for it in entries() if keeps(it) and (masked or by_default(it))]
    assert found.hidden.keys() == {name_of(it) for it in entries()} - set(names(found))


def test_a_transport_may_mask_secrets_unless_the_settings_say() -> None:
    def has_get_secret(text: str) -> bool:
        return "get_secret" in names(choose(Settings.from_env({"TRIPS_MCP_MASK_SECRETS": text}), masks=True))

    has_it_at_all = "get_secret" in {tool.name for tool in TOOLS}
    assert (has_get_secret(""), has_get_secret("on"), has_get_secret("off")) == (has_it_at_all, has_it_at_all, False)


@pytest.mark.parametrize(
    ("env", "flags", "name", "sentence"),
    [
        ({}, {"read_only": "on"}, "create_leg",
            "create_leg changes trips, and this server is read-only (--read-only)."),
        ({}, {"read_only": "on", "exclude_tools": "create_leg", "tools": "get_me,create_leg"}, "create_leg",
            "create_leg changes trips, and this server is read-only (--read-only)."),
        ({}, {"read_only": "on"}, "create_event",
            "create_event changes events, and this server is read-only (--read-only)."),
        ({"OSOTO_API_KEY": "osk_1"}, {}, "get_event",
            "get_event needs the Events API, which is not set up: set TRAVELMODE_TOKEN for this server."),
        ({"TRIPS_MCP_SCOPES": "trips:read"}, {}, "create_leg",
            "create_leg needs the scope trips:write, which this API key does not have (TRIPS_MCP_SCOPES); make a key "
            "with it in Osoto under Settings → API Keys, and set OSOTO_API_KEY and TRIPS_MCP_SCOPES."),
        ({"TRIPS_MCP_SCOPES": "trips:write:jx7"}, {}, "create_trip",
            "create_trip needs the scope trips:write, which this API key has only for another trip (TRIPS_MCP_SCOPES); "
            "make a key with it in Osoto under Settings → API Keys, and set OSOTO_API_KEY and TRIPS_MCP_SCOPES."),
        ({}, {"no_outbound": "on"}, "send_message",
            "send_message reaches people outside, and that is switched off here (--no-outbound)."),
        ({}, {"trip": "jx7"}, "list_trips",
            "list_trips is about other trips, and this server is bound to one (--trip jx7)."),
        (KEYS, {"trip": "jx7"}, "get_event",
            "get_event needs the number that the trip jx7 has in the Events API; set --event-trips jx7=<number>."),
        ({}, {"exclude_tools": "get_me"}, "get_me",
            "get_me is switched off for this server (--exclude-tools)."),
        ({}, {"toolsets": "legs"}, "get_me",
            "get_me is not among the tools that were chosen for this server (--toolsets)."),
        ({}, {"toolsets": "legs", "tools": "list_trips"}, "get_me",
            "get_me is not among the tools that were chosen for this server (--toolsets and --tools)."),
    ],
)  # fmt: skip
def test_a_hidden_tool_names_the_setting_that_hides_it(
    env: dict[str, str], flags: dict[str, str], name: str, sentence: str
) -> None:
    assert chosen(env, **flags).hidden[name].sentence == sentence


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ({"toolsets": "legs,tripz"},
            "--toolsets (TRIPS_MCP_TOOLSETS) names tripz, which is no toolset; the nearest is trips"),
        ({"toolsets": "Map-Pins"}, "names Map-Pins, which is no toolset; the nearest is map_pins,"),
        ({"tools": "lst_legs"},
            "--tools (TRIPS_MCP_TOOLS) names lst_legs, which is no tool; the nearest is list_legs,"),
        ({"exclude_tools": "create_legs"}, "--exclude-tools (TRIPS_MCP_EXCLUDE_TOOLS) names create_legs, "),
        ({"tools": "osk_4711"}, "names something, which is no tool;"),
    ],
)  # fmt: skip
def test_an_unknown_tool_name_is_refused_with_the_nearest_and_the_toolsets(flags: dict[str, str], said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        chosen(**flags)

    assert said in str(caught.value)
    assert str(caught.value).endswith(f"the toolsets are {', '.join(TOOLSETS)}.")


@pytest.mark.parametrize(
    ("env", "flags", "causes"),
    [
        ({}, {"tools": "create_leg", "read_only": "on"}, "--read-only, --tools"),
        ({}, {"tools": "list_trips", "trip": "jx7"}, "--tools, --trip"),
        ({"TRIPS_MCP_SCOPES": "trips:read"}, {"tools": "list_messages"}, "--tools, TRIPS_MCP_SCOPES"),
        ({"TRAVELMODE_TOKEN": "t1"}, {"trip": "jx7"}, "--event-trips"),
        ({"OSOTO_API_KEY": "osk_1"}, {"toolsets": "events"}, "--toolsets"),
    ],
)
def test_a_selection_without_tools_is_refused(env: dict[str, str], flags: dict[str, str], causes: str) -> None:
    with pytest.raises(SettingsError) as caught:
        chosen(env, **flags)

    said = str(caught.value)
    assert said.startswith("No tool is left to offer under ")
    assert all(cause in said for cause in causes.split(", "))
    assert "KEY" not in said


def test_the_page_of_settings_names_the_toolsets() -> None:
    page = (Path(__file__).parents[2] / "docs/settings.md").read_text("utf-8")
    line = re.search(r"The toolsets are ([^.]+)\.", page)

    assert line is not None
    assert re.findall(r"`(\w+)`", line[1]) == list(TOOLSETS)


SCOPES = [
    "trips:read",
    "trips:read trips:write",
    "messages:read",
    "messages:write trips:read",
    "trips:read:jx7",
    "trips:read:jx7 trips:write:jx7 messages:read:jx7",
    "trips:read:jx8",
    "trips:read trips:write:jx8",
    "trips:read:jx8 trips:read:jx7 trips:write",
]


@pytest.mark.parametrize("scopes", SCOPES)
@pytest.mark.parametrize("trip", [None, "jx7"])
def test_tools_that_the_key_does_not_allow_are_not_listed(scopes: str, trip: str | None) -> None:
    """As the client would refuse it, for the trip the server is bound to, or else for any."""
    found = chosen({"TRIPS_MCP_SCOPES": scopes}, mask_secrets="on", **({"trip": trip} if trip else {}))
    trips = [trip] if trip else ["jx7", "jx8"]

    permits = {tool.name for tool in TOOLS if any(permitted(tool, scopes, each) for each in trips)}

    assert {tool.name for tool in TOOLS} & {*names(found)} == permits - (OTHER_TRIPS if trip else set())


def permitted(tool: Tool[Any, Any], scopes: str, trip: str) -> bool:
    operation = tool.uses[0]
    given = (
        {"trip_id": trip}
        if "tripId" in tool.input_schema["properties"] or tool.name in ("apply_plan", "plan_undo")
        else {}
    )
    try:
        Permissions(scopes.split()).check(operation, operation.params.model_construct(**given))
    except MissingScopeError:
        return False
    return True


def properties_in(schema: dict[str, Any]) -> Iterator[str]:
    for name, inner in schema.get("properties", {}).items():
        yield name
        yield from properties_in(inner)
    if "items" in schema:
        yield from properties_in(schema["items"])


def descriptions_in(listing: dict[str, Any]) -> Iterator[str]:
    yield listing["description"]
    waiting = [listing["inputSchema"]]
    while waiting:
        schema = waiting.pop()
        waiting += [*schema.get("properties", {}).values(), *([schema["items"]] if "items" in schema else [])]
        if "description" in schema:
            yield schema["description"]


def test_on_a_server_bound_to_one_trip_no_tool_asks_for_the_trip() -> None:
    whole = {name_of(entry): entry["listing"]["inputSchema"] for entry in entries()}

    for entry in chosen(trip="jx7", mask_secrets="on").entries:
        name, schema = name_of(entry), entry["listing"]["inputSchema"]
        assert not THE_TRIP & set(properties_in(schema))
        assert schema["properties"] == {key: it for key, it in whole[name]["properties"].items() if key not in THE_TRIP}
        assert schema.get("required", []) == [key for key in whole[name].get("required", ()) if key not in THE_TRIP]
        assert schema.get("required") != []
        assert [key for key in whole[name] if key in schema] == list(schema)


def test_every_tool_on_a_server_bound_to_one_trip_is_limited_to_it_or_about_none() -> None:
    properties = {tool.name: tool.input_schema["properties"].keys() for tool in TOOLS}
    events = {tool.name for tool in TOOLSETS["events"]}

    loose = {name for name in names(chosen(trip="jx7", mask_secrets="on")) if "tripId" not in properties[name]}

    assert loose == {"get_me", "apply_plan", "plan_undo", *events}


CHOICES: list[dict[str, str]] = [
    {"trip": "jx7"},
    {"read_only": "on"},
    {"no_outbound": "on"},
    {"trip": "jx7", "read_only": "on"},
    *({"toolsets": toolset} for toolset in TOOLSETS),
    *({"exclude_tools": tool.name} for tool in TOOLS),
]


@pytest.mark.parametrize("flags", CHOICES, ids=lambda flags: "-".join(f"{flag}={text}" for flag, text in flags.items()))
def test_descriptions_name_only_offered_tools(flags: dict[str, str]) -> None:
    masks = {"mask_secrets": "on"} if "get_secret" in flags.values() else {}
    found = chosen(**flags, **masks)
    absent = {*found.hidden, *(THE_TRIP if "trip" in flags else ())}

    for entry in found.entries:
        for text in descriptions_in(entry["listing"]):
            assert not absent & set(re.findall(r"\w+", text)), f"{name_of(entry)}: {text}"
        description = entry["listing"]["description"]
        assert re.fullmatch(r"[A-Z0-9][^\n]+\.", description), description
        assert not re.search(r"  |\(\)|\( | \)|[ (][.;:,)]|[;:,]\.", description), description
        assert not ("trip" in flags and re.search(r"\b(?:a|one|more)(?: \w+)? trips?\b", description)), description


def test_descriptions_are_unchanged_if_all_tools_are_offered() -> None:
    local = [entry["listing"] | ({"description": entry["local"]} if "local" in entry else {}) for entry in entries()]

    assert chosen(mask_secrets="on").listing == local


def test_a_choice_needs_the_standard_library_alone() -> None:
    program = (
        "import sys; from trips_mcp.settings import Settings; from trips_mcp.tools.selection import choose; "
        "choose(Settings.from_env({}, {'--trip': 'jx7', '--read-only': 'on', '--toolsets': 'legs'})); "
        "print(*sorted({name.partition('.')[0] for name in sys.modules} - sys.stdlib_module_names))"
    )

    done = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, text=True, timeout=60, check=True)

    assert not {"pydantic", "typing_extensions", "httpx", "mcp", "anyio"} & {*done.stdout.split()}


def prompt_bytes(listing: dict[str, Any]) -> int:
    """What a client puts into the model's prompt for this tool."""
    shown = {part: listing[part] for part in ("name", "description", "inputSchema")}
    return len(json.dumps(shown, ensure_ascii=False, separators=(",", ":")).encode())


@pytest.mark.parametrize(("flags", "limit"), [({}, 36_500), ({"trip": "jx7"}, 32_500)], ids=["all", "trip"])
def test_the_catalogue_fits_its_budget(flags: dict[str, str], limit: int) -> None:
    sizes = {name_of(it): prompt_bytes(it["listing"]) for it in chosen(mask_secrets="on", **flags).entries}

    for name, size in sizes.items():
        print(f"{name:24}{size:7,}")  # noqa: T201 - the table, for whoever looks at why it no longer fits
    print(f"{len(sizes)} tools{sum(sizes.values()):{24 + 7 - len(f'{len(sizes)} tools')},} of {limit:,} bytes")  # noqa: T201
    assert sum(sizes.values()) <= limit
