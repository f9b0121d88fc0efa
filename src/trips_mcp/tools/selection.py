"""The rules that select the offered tools, and the reasons why others are hidden.

A tool is hidden for the first of these reasons: it writes and the server is read-only; its API is not set up; the key
lacks the scope; it reaches other people; it is about trips other than the bound one; it is excluded; others were
chosen; it reveals masked secrets and none is masked. The order of tools is fixed, so equal settings give equal
listings. On a server bound to one trip, no argument names a trip. Standard library only: this is on the start path.
"""

import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

from trips_mcp.scopes import Scope
from trips_mcp.setting_values import nearest
from trips_mcp.settings import Settings, SettingsError
from trips_mcp.tools.listing import PATH, Entry, entries

_ALWAYS: Final = ("any key", "nobody")
"""Scopes that every key has."""
_KEYS: Final = {"trips": ("Trips", "OSOTO_API_KEY"), "events": ("Events", "TRAVELMODE_TOKEN")}
_FOR_MASKED_SECRETS: Final = frozenset({"get_secret"})
_WITH_SECRETS: Final = "list_legs"

TRIP_ID: Final = "tripId"
NUMBER: Final = "trip_id"
NUMBERS: Final = "trip_ids"
"""How the Events API names the trip, and the trips, by their numbers."""
_FILLED_IN: Final = frozenset({TRIP_ID, NUMBER, NUMBERS})

_OF_NO_TRIP: Final = frozenset({"get_me", "apply_plan", "plan_undo"})
"""`apply_plan` and `plan_undo` themselves check the trip of the plan and of the change."""
_OF_A_NEW_TRIP: Final = frozenset({"plan_copy"})
_SOME_TRIP: Final = r"\b(?:one or more trips|(?:one|a single|a)( whole)? trip)\b"


class Hidden(NamedTuple):
    setting: str
    """The setting that hides the tool, as the user may have written it."""
    sentence: str
    """The answer to a call of it."""
    brings_back: bool = False
    """Whether the tool is hidden because that setting is missing."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)  # nothing compares it, and the start is faster
class Selection:
    """The tools that these settings offer, and why they do not offer the others."""

    entries: list[Entry]
    """The offered tools, in the fixed order."""
    hidden: dict[str, Hidden]
    """The hidden tools, by name."""

    @property
    def listing(self) -> list[dict[str, Any]]:
        """The listings of the offered tools, in wire format."""
        return [entry["listing"] for entry in self.entries]


def choose(settings: Settings, *, masks: bool = False) -> Selection:
    """`masks`: whether this transport masks secrets by default.

    Raises: SettingsError for an unknown tool or toolset, and if no tool is left.
    """
    known = entries()
    settings = replace(settings, mask_secrets=settings.masks_secrets(by_default=masks))
    _check_names(settings, known)
    hidden = {entry["listing"]["name"]: why for entry in known if (why := _why_hidden(entry, settings)) is not None}
    _tell_where_else(hidden)
    offered = [entry for entry in known if entry["listing"]["name"] not in hidden]
    if settings.apis and not offered:
        causes = {hidden[entry["listing"]["name"]].setting for entry in known if _has_api(entry, settings)}
        raise SettingsError(f"No tool is left to offer under {', '.join(sorted(causes))}; allow at least one.")
    offered = [_with_files(_as_described(entry, settings), settings) for entry in offered]
    return Selection(entries=_as_listed(offered, hidden, settings.trip), hidden=hidden)


def _as_described(entry: Entry, settings: Settings) -> Entry:
    """The entry with the description that fits where the trips are kept."""
    said = entry.get("local") if settings.embedded else None if settings.one_store else entry.get("apart")
    return entry if said is None else {**entry, "listing": {**entry["listing"], "description": said}}


def _with_files(entry: Entry, settings: Settings) -> Entry:
    """The entry as a folder of `--files` changes it: with a `path`, or as a tool that writes there."""
    if settings.chosen_files is None:
        return entry
    listing = entry["listing"]
    if (path := entry.get("path")) is not None:
        schema: dict[str, Any] = {**listing["inputSchema"]}
        schema["properties"] = {**schema["properties"], PATH: path}
        del schema["required"]  # the file itself, which the path names
        return {**entry, "listing": {**listing, "inputSchema": schema}}
    if entry.get("writes_files") and not settings.read_only:
        return {**entry, "listing": {**listing, "annotations": {**listing["annotations"], "readOnlyHint": False}}}
    return entry


def _as_listed(offered: list[Entry], hidden: Collection[str], trip: str | None) -> list[Entry]:
    absent = frozenset(hidden)
    if trip is not None:
        absent |= _FILLED_IN
        offered = [{**entry, "listing": _of_one_trip(entry["listing"])} for entry in offered]
    elif all(absent.isdisjoint(entry.get("mentions", ())) for entry in offered):
        return offered
    from trips_mcp.tools.tool_mentions import reworded  # most servers do not need it, and start faster

    return [{**entry, "listing": reworded(entry["listing"], absent)} for entry in offered]


def _of_one_trip(listing: dict[str, Any]) -> dict[str, Any]:
    """The listing without the arguments that name the trip."""
    schema: dict[str, Any] = dict(listing["inputSchema"])
    schema["properties"] = {name: inner for name, inner in schema["properties"].items() if name not in _FILLED_IN}
    schema["required"] = [name for name in schema.get("required", ()) if name not in _FILLED_IN]
    if not schema["required"]:
        del schema["required"]
    return {**listing, "description": re.sub(_SOME_TRIP, _the_trip, listing["description"]), "inputSchema": schema}


def _the_trip(found: re.Match[str]) -> str:
    return f"the{found[1] or ''} trip"


def _why_hidden(entry: Entry, settings: Settings) -> Hidden | None:
    return next((why for rule in _RULES if (why := rule(entry, settings)) is not None), None)


def _only_reading(entry: Entry, settings: Settings) -> Hidden | None:
    """A tool that only prepares writes needs their scope."""
    reads = entry["listing"]["annotations"]["readOnlyHint"]
    if not settings.read_only or (reads and not entry["scope"].endswith(":write")):
        return None
    name = entry["listing"]["name"]
    does = "prepares changes of" if reads else "changes"
    return Hidden("--read-only", f"{name} {does} {_what(entry)}, and this server is read-only (--read-only).")


def _without_api(entry: Entry, settings: Settings) -> Hidden | None:
    if _has_api(entry, settings):
        return None
    api, key = _KEYS[entry["api"]]
    needs = f"{entry['listing']['name']} needs the {api} API, which is not set up: set {key} for this server."
    return Hidden(key, " ".join((needs, *settings.notices)), brings_back=True)


def _without_scope(entry: Entry, settings: Settings) -> Hidden | None:
    found = lack(entry, settings.scopes, events_too=settings.team, trip=settings.trip)
    if found is None:
        return None
    how = "has only for another trip" if found.elsewhere else "does not have"
    return Hidden(
        "TRIPS_MCP_SCOPES",
        f"{entry['listing']['name']} needs the scope {found.scope}, which this API key {how} (TRIPS_MCP_SCOPES); "
        "make a key with it in Osoto under Settings → API Keys, and set OSOTO_API_KEY and TRIPS_MCP_SCOPES.",
    )


def _not_outbound(entry: Entry, settings: Settings) -> Hidden | None:
    if not (settings.no_outbound and entry["outbound"]):
        return None
    name = entry["listing"]["name"]
    return Hidden("--no-outbound", f"{name} reaches people outside, and that is switched off here (--no-outbound).")


def _of_other_trips(entry: Entry, settings: Settings) -> Hidden | None:
    trip = settings.trip
    if trip is None:
        return None
    name = entry["listing"]["name"]
    if not _is_of_one_trip(entry):
        return Hidden("--trip", f"{name} is about other trips, and this server is bound to one (--trip {trip}).")
    if entry["api"] == "events" and not settings.one_store and trip not in settings.event_trips:
        return Hidden(
            "--event-trips",
            f"{name} needs the number that the trip {trip} has in the Events API; set --event-trips {trip}=<number>.",
            brings_back=True,
        )
    return None


def _is_of_one_trip(entry: Entry) -> bool:
    """A tool without an argument for the trip may be about any trip, so it must be known as harmless."""
    listing = entry["listing"]
    if listing["name"] in _OF_A_NEW_TRIP:
        return False
    return entry["api"] == "events" or listing["name"] in _OF_NO_TRIP or TRIP_ID in listing["inputSchema"]["properties"]


def _excluded(entry: Entry, settings: Settings) -> Hidden | None:
    name = entry["listing"]["name"]
    if name not in settings.exclude_tools:
        return None
    return Hidden("--exclude-tools", f"{name} is switched off for this server (--exclude-tools).")


def _not_chosen(entry: Entry, settings: Settings) -> Hidden | None:
    name = entry["listing"]["name"]
    if entry["toolset"] in settings.toolsets or name in settings.tools or not (settings.toolsets or settings.tools):
        return None
    given = (("--toolsets", settings.toolsets), ("--tools", settings.tools))
    flags = " and ".join(flag for flag, names in given if names)
    return Hidden(flags, f"{name} is not among the tools that were chosen for this server ({flags}).")


def _unmasked(entry: Entry, settings: Settings) -> Hidden | None:
    name = entry["listing"]["name"]
    if settings.mask_secrets or name not in _FOR_MASKED_SECRETS:
        return None
    return Hidden("--mask-secrets", f"{name} is for servers that mask secrets (--mask-secrets).", brings_back=True)


def _tell_where_else(hidden: dict[str, Hidden]) -> None:
    """Adds where unmasked secrets are shown, if that tool is offered."""
    for name in _FOR_MASKED_SECRETS:
        why = hidden.get(name)
        if why is not None and why.setting == "--mask-secrets" and _WITH_SECRETS not in hidden:
            hidden[name] = why._replace(sentence=f"{why.sentence.removesuffix('.')}; here {_WITH_SECRETS} has them.")


_RULES: Final[tuple[Callable[[Entry, Settings], Hidden | None], ...]] = (
    _only_reading,
    _without_api,
    _without_scope,
    _not_outbound,
    _of_other_trips,
    _excluded,
    _not_chosen,
    _unmasked,
)


def _has_api(entry: Entry, settings: Settings) -> bool:
    return entry["api"] in settings.apis


def _what(entry: Entry) -> str:
    return "events" if entry["api"] == "events" else "trips"


def _check_names(settings: Settings, known: Iterable[Entry]) -> None:
    if not (settings.toolsets or settings.tools or settings.exclude_tools):
        return
    tools = tuple(entry["listing"]["name"] for entry in known)
    toolsets = tuple(dict.fromkeys(entry["toolset"] for entry in known))
    for setting, given, kind, there in (
        ("--toolsets (TRIPS_MCP_TOOLSETS)", settings.toolsets, "toolset", toolsets),
        ("--tools (TRIPS_MCP_TOOLS)", settings.tools, "tool", tools),
        ("--exclude-tools (TRIPS_MCP_EXCLUDE_TOOLS)", settings.exclude_tools, "tool", tools),
    ):
        for name in given:
            if name not in there:
                near = f"the nearest is {found[0]}, and " if (found := nearest(name, there)) else ""
                raise SettingsError(
                    f"{setting} names {_shown(name)}, which is no {kind}; {near}the toolsets are {', '.join(toolsets)}."
                )


def _shown(name: str) -> str:
    """Repeats only what looks like a tool's name: a key may have been pasted here."""
    might_be_a_name = name.replace("_", "").replace("-", "").isalpha() and len(name) <= 41
    return name if might_be_a_name else "something"


class Lack(NamedTuple):
    scope: str
    """The scope that the tool needs and the key lacks."""
    elsewhere: bool
    """Whether the key has it for other trips."""


def lack(entry: Entry, scopes: Iterable[str] | None, *, events_too: bool, trip: str | None = None) -> Lack | None:
    """What the key lacks for this tool; None if it allows it for at least one trip, or if its scopes are unknown.

    The client checks each call by the same rule; here the arguments are not known yet.

    `events_too`: whether the scopes also apply to the Events API, whose tokens have none otherwise. `trip`: the bound
    trip.
    """
    if scopes is None or entry["scope"] in _ALWAYS or (entry["api"] == "events" and not events_too):
        return None
    limits = _limits(scopes, entry["scope"])
    if None in limits or _is_enough(limits, entry, trip):
        return None
    return Lack(entry["scope"], bool(limits))


def _is_enough(limits: set[str | None], entry: Entry, trip: str | None) -> bool:
    """A key limited to a trip may use the tools about that trip, and may list trips, which shows only that one."""
    listing = entry["listing"]
    if "tripId" in listing["inputSchema"]["properties"] or entry["toolset"] == "plans":
        return bool(limits) if trip is None else trip in limits
    return bool(limits) and (listing["annotations"]["readOnlyHint"] or entry["api"] == "events")


def _limits(scopes: Iterable[str], needed: str) -> set[str | None]:
    """The trips for which the key has this scope; None stands for every trip."""
    return {scope.trip_id for scope in map(Scope.parse, scopes) if scope.base == needed}
