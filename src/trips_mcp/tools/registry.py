"""The registry of all tools, by toolset, in the order that agents see them."""

from typing import Any

from trips_mcp.tools.resources import (
    action_items,
    commitments,
    events,
    exports,
    get_secret,
    itinerary,
    legs,
    map_pins,
    me,
    members,
    messages,
    shares,
    sync,
    trip_files,
    trips,
)
from trips_mcp.tools.tool import Tool

TOOLSETS: dict[str, tuple[Tool[Any, Any], ...]] = {
    "trips": (
        me.get_me,
        trips.list_trips,
        trips.create_trip,
        trips.get_trip,
        trips.update_trip,
        trips.archive_trip,
        exports.export_trip,
        trip_files.export_file,
        sync.sync_trip,
    ),
    "itinerary": (
        itinerary.get_day,
        itinerary.get_timeline,
        itinerary.check_trip,
        itinerary.search_trip,
    ),
    "legs": (
        legs.list_legs,
        legs.create_leg,
        legs.upsert_legs,
        legs.update_leg,
        legs.delete_leg,
        get_secret.get_secret,
    ),
    "action_items": (
        action_items.list_action_items,
        action_items.create_action_item,
        action_items.upsert_action_items,
        action_items.update_action_item,
        action_items.delete_action_item,
    ),
    "commitments": (
        commitments.list_commitments,
        commitments.create_commitment,
        commitments.update_commitment,
        commitments.delete_commitment,
    ),
    "map_pins": (
        map_pins.list_map_pins,
        map_pins.create_map_pin,
        map_pins.upsert_map_pins,
        map_pins.update_map_pin,
        map_pins.delete_map_pin,
    ),
    "messages": (
        messages.list_channels,
        messages.list_messages,
        messages.send_message,
    ),
    "members": (members.list_members,),
    "shares": (
        shares.create_share_token,
        shares.revoke_share_token,
        shares.get_shared_trip,
        shares.export_shared_trip,
    ),
    "events": (
        events.create_event,
        events.get_event,
        events.update_event,
        events.delete_event,
        events.list_trip_events,
    ),
}

TOOLS = tuple(tool for tools in TOOLSETS.values() for tool in tools)
