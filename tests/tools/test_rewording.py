"""Texts that name a tool, without that tool."""

from typing import Any

import pytest

from trips_mcp.tools.tool_mentions import reworded, without


@pytest.mark.parametrize(
    ("text", "absent", "said"),
    [
        ("Change a leg (legId from list_legs).", "get_trip", "Change a leg (legId from list_legs)."),
        ("Change a leg (legId from list_legs).", "list_legs", "Change a leg."),
        ("Read legs (tripId from list_trips). 100 a page.", "list_trips", "Read legs. 100 a page."),
        ("Plan it (tripId from list_trips; legId from list_legs).", "list_trips", "Plan it (legId from list_legs)."),
        ("Plan it (tripId from list_trips; legId from list_legs).", "list_legs", "Plan it (tripId from list_trips)."),
        ("Plan it (tripId from list_trips; legId from list_legs).", "list_legs list_trips", "Plan it."),
        ("Plan it (tripId, legId).", "tripId", "Plan it."),
        ("Read it, by the tripId of list_trips; see get_trip.", "list_trips", "Read it; see get_trip."),
        ("Read it, by the tripId of list_trips; see get_trip.", "get_trip", "Read it, by the tripId of list_trips."),
        ("Read it, by the id of the link or of create_trip. Mind it.", "create_trip",
            "Read it, by the id of the link. Mind it."),
        ("Put it away. Nothing is lost; update_trip reopens it.", "update_trip", "Put it away. Nothing is lost."),
        ("Put it away. Later, update_trip reopens it. Fine.", "update_trip", "Put it away. Fine."),
        ("Call first when you need create_trip: returns the user.", "create_trip", "Returns the user."),
        ("Ids: create_trip takes one; list_legs gives others.", "create_trip", "Ids: list_legs gives others."),
        ("Use list_legs, list_pins or get_trip.", "list_pins", "Use list_legs or get_trip."),
        ("Use list_legs, list_pins or get_trip.", "list_pins get_trip", "Use list_legs."),
        ("Use `list_legs` and `list_pins`, or wait.", "list_legs", "Use `list_pins`, or wait."),
        ("Read it. Use list_legs or list_pins.", "list_legs list_pins", "Read it."),
        ("Start a trip, in a group from get_me (any group).", "get_me", "Start a trip (any group)."),
        ("As create_trip takes them", "create_trip", ""),
        ("Not create_trips nor recreate_trip.", "create_trip", "Not create_trips nor recreate_trip."),
    ],
)  # fmt: skip
def test_text_about_an_absent_tool_is_removed(text: str, absent: str, said: str) -> None:
    assert without(text, set(absent.split())) == said


def test_a_tool_keeps_its_first_sentence_and_an_argument_may_do_without_any() -> None:
    items = {"type": "array", "description": "As create_trip takes them"}
    schema: dict[str, Any] = {"type": "object", "properties": {"items": items}}
    listing: dict[str, Any] = {
        "name": "x",
        "description": "Undo create_trip. Then call create_trip.",
        "inputSchema": schema,
    }

    found = reworded(listing, {"create_trip"})

    assert found["description"] == "Undo create_trip."
    assert found["inputSchema"]["properties"] == {"items": {"type": "array"}}
    assert "description" in items, "what is there for others stays untouched"
