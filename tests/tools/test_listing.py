"""What agents see is reviewed as files. UPDATE_SNAPSHOTS=1 rewrites them."""

import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from trips_mcp.contract import OPERATIONS
from trips_mcp.server.instructions import instructions
from trips_mcp.settings import Settings
from trips_mcp.tools import TOOLS, Tool
from trips_mcp.tools.listing import catalogue
from trips_mcp.tools.selection import choose

SNAPSHOTS = Path(__file__).parent / "snapshots"
LARGE = {"create_leg": 2600, "upsert_legs": 2600, "update_leg": 2600, "sync_trip": 2600}

every_tool = pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)


def prompt_bytes(tool: Tool[Any, Any]) -> int:
    """What a client puts into the model's prompt for this tool."""
    listing = tool.listing()
    shown = {part: listing[part] for part in ("name", "description", "inputSchema")}
    return len(json.dumps(shown, ensure_ascii=False, separators=(",", ":")).encode())


def schemas_in(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield schema
    for inner in schema.get("properties", {}).values():
        yield from schemas_in(inner)
    if "items" in schema:
        yield from schemas_in(schema["items"])


@every_tool
def test_the_listing_is_the_reviewed_one(tool: Tool[Any, Any]) -> None:
    snapshot = SNAPSHOTS / f"{tool.name}.json"
    if os.environ.get("UPDATE_SNAPSHOTS"):
        snapshot.write_text(json.dumps(tool.listing(), indent=2, ensure_ascii=False) + "\n", "utf-8")

    assert tool.listing() == json.loads(snapshot.read_text("utf-8"))


def test_no_tool_is_left_out_of_its_toolset() -> None:
    modules = [module for name, module in sys.modules.items() if name.startswith("trips_mcp.tools.")]
    defined = {value.name for module in modules for value in vars(module).values() if isinstance(value, Tool)}

    assert defined == {tool.name for tool in TOOLS}


def test_no_snapshot_is_left_over() -> None:
    assert {path.stem for path in SNAPSHOTS.iterdir()} == {tool.name for tool in TOOLS}


def test_every_operation_is_a_tool_and_the_others_answer_with_what_operations_read() -> None:
    own = [operation.name for operation in OPERATIONS]

    assert [tool.name for tool in TOOLS if tool.name in own] == own
    assert [tool.name for tool in TOOLS if tool.name not in own] == [
        "export_file", "get_day", "get_timeline", "check_trip", "search_trip", "show_trip", "get_stay",
        "get_secret", "plan_changes", "apply_plan", "plan_import", "plan_move", "plan_copy", "list_changes",
        "plan_undo",
    ]  # fmt: skip


def test_the_shipped_listing_is_that_of_the_tools() -> None:
    assert catalogue(("trips", "events")) == [tool.listing() for tool in TOOLS]


def test_a_server_of_one_api_lists_that_apis_tools_alone() -> None:
    events = [tool["name"] for tool in catalogue(("events",))]

    assert events == ["create_event", "get_event", "update_event", "delete_event", "list_trip_events"]
    assert len(catalogue(("trips",))) == len(TOOLS) - len(events)


def test_the_whole_catalogue_fits_its_budget() -> None:
    assert sum(prompt_bytes(tool) for tool in TOOLS) <= 36_500


@every_tool
def test_a_tool_fits_its_budget(tool: Tool[Any, Any]) -> None:
    assert prompt_bytes(tool) <= LARGE.get(tool.name, 1000)


@every_tool
def test_every_client_accepts_the_schema(tool: Tool[Any, Any]) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9_]{0,40}", tool.name)
    assert tool.input_schema["type"] == "object"
    for schema in schemas_in(tool.input_schema):
        assert schema.keys() <= {
            "type", "description", "properties", "required", "additionalProperties",
            "items", "enum",
        }  # fmt: skip
        assert schema["type"] in {"object", "array", "string", "number", "integer", "boolean"}
        assert schema["type"] != "array" or "type" in schema["items"]
        if schema["type"] == "object":  # closed, or any object at all
            assert schema["additionalProperties"] is ("properties" not in schema)
        assert all(isinstance(choice, str) for choice in schema.get("enum", ()))


@every_tool
def test_where_required_ids_come_from_is_said_in_the_instructions_or_the_description(tool: Tool[Any, Any]) -> None:
    settings = Settings.from_env({"OSOTO_API_KEY": "osk_secret", "TRAVELMODE_TOKEN": "tm_secret"})
    names = {tool.name for tool in TOOLS}
    said = instructions(settings, names)
    required: list[str] = tool.input_schema.get("required", [])

    assert len(tool.description) <= 1024
    assert tool.title
    for name in required:
        if name.endswith(("Id", "_id")):
            assert re.search(rf"\b{name}\b[a-zA-Z ]* from `[a-z_]+`|\b{name} is", f"{said} {tool.description}"), name
        if name == "token":
            assert "token of its link" in tool.description
            assert "create_share_token" in tool.description
    assert not tool.lookup or tool.lookup in names


def what_is_searched(listing: dict[str, Any]) -> set[str]:
    """The words of a tool, to a host that shows a model no tool before it has searched for one."""
    hint = listing.get("_meta", {}).get("anthropic/searchHint", "")
    return set(re.findall(r"\w+", f"{listing['description']} {hint}".lower()))


@pytest.mark.parametrize("env", [{}, {"TRIPS_MCP_TRIP": "jx7abc"}], ids=["any trip", "bound to one"])
@pytest.mark.parametrize(
    ("question", "name"),
    [
        ("door code", "list_legs"),
        ("wifi password", "list_legs"),
        ("hotel address", "list_legs"),
        ("tomorrow", "get_day"),
        ("where tonight", "get_day"),
        ("next flight", "get_day"),
        ("packing", "list_action_items"),
        ("restaurant reservation", "create_commitment"),
        ("find hotel", "search_trip"),
    ],
)
def test_a_tool_is_found_by_the_words_of_users(question: str, name: str, env: dict[str, str]) -> None:
    listings = choose(Settings.from_env(env)).listing

    assert name in [each["name"] for each in listings if set(question.split()) <= what_is_searched(each)]


DOCUMENTED_HINTS = {  # readOnly, destructive, idempotent
    "GET": (True, False, True),
    "create": (False, False, False),
    "create, with clientRef": (False, False, True),
    "upsert, sync": (False, True, True),
    "update, delete": (False, True, True),
    "update_commitment": (False, True, False),
    "share": (False, True, False),
}
OTHER_PEOPLES_WORDS = {
    "list_messages", "send_message", "create_share_token", "get_shared_trip", "export_shared_trip",
    "get_event", "list_trip_events", "get_day", "get_timeline", "check_trip", "search_trip", "export_trip",
    "export_file", "show_trip",
    "plan_changes", "apply_plan", "plan_import", "plan_move", "plan_copy", "list_changes", "plan_undo",
}  # fmt: skip


def documented_row(name: str) -> str:
    verb = name.split("_")[0]
    if name == "create_share_token":
        return "share"
    if name == "update_commitment":
        return name
    if name in ("create_leg", "create_action_item", "create_map_pin"):
        return "create, with clientRef"
    if verb in ("update", "archive", "delete", "revoke"):
        return "update, delete"
    if verb in ("upsert", "sync", "apply"):
        return "upsert, sync"
    return "create" if verb in ("create", "send") else "GET"


@every_tool
def test_the_hints_are_those_of_the_contract(tool: Tool[Any, Any]) -> None:
    read_only, destructive, idempotent = DOCUMENTED_HINTS[documented_row(tool.name)]

    assert tool.hints == {
        "readOnlyHint": read_only,
        "destructiveHint": destructive,
        "idempotentHint": idempotent,
        "openWorldHint": tool.name in OTHER_PEOPLES_WORDS,
    }
