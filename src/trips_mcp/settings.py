"""The settings, read once from the environment and the command's flags.

Every start imports this module, so it imports only the standard library.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, Self, TypeGuard, get_args

Api = Literal["trips", "events"]
Log = Literal["debug", "info", "warning", "error"]

TRIPS_URL: Final = "https://keen-sturgeon-487.convex.site/api/v1"
EVENTS_URL: Final = "https://api.travelmode.ai"

_PREFIX = "TRIPS_MCP_"
OF_HTTP: Final = (  # read by server.http.settings
    "TRIPS_MCP_ALLOWED_HOST",
    "TRIPS_MCP_ALLOWED_ORIGIN",
    "TRIPS_MCP_AUTH",
    "TRIPS_MCP_HOST",
    "TRIPS_MCP_MAX_CALLS",
    "TRIPS_MCP_MAX_CALLS_PER_CALLER",
    "TRIPS_MCP_MAX_CONNECTIONS_PER_ADDRESS",
    "TRIPS_MCP_PORT",
    "TRIPS_MCP_RATE_LIMIT",
    "TRIPS_MCP_TRANSPORT",
    "TRIPS_MCP_TRUSTED_PROXY",
)
OURS: Final = (
    "TRIPS_MCP_DATABASE",
    "TRIPS_MCP_EVENT_TRIPS",
    "TRIPS_MCP_EXCLUDE_TOOLS",
    "TRIPS_MCP_HISTORY",
    "TRIPS_MCP_JOURNAL",
    "TRIPS_MCP_LOG",
    "TRIPS_MCP_MASK_SECRETS",
    "TRIPS_MCP_NO_OUTBOUND",
    "TRIPS_MCP_READ_ONLY",
    "TRIPS_MCP_SCOPES",
    "TRIPS_MCP_TOOLS",
    "TRIPS_MCP_TOOLSETS",
    "TRIPS_MCP_TRIP",
    *OF_HTTP,
)
_NO_FILE: Final = "off"
_SCOPE: Final = re.compile(r"(trips|messages):(read|write)(:[^:\s,]+)?")
_ON: Final = ("1", "true", "yes", "on")
_OFF: Final = ("0", "false", "no", "off")
_LARGEST_NUMBER: Final = 2**53 - 1
_NAME: Final = r"[A-Za-z_]\w*"
_REFERENCE: Final = re.compile(
    r"\$\{[^{}]*\}|\$?\{\{[^{}]*\}\}|\{env:[^{}]*\}|\{env\.[^{}]*\}" rf"|\$(?:env:)?{_NAME}|%{_NAME}%"
)
"""A value that is only a variable reference, in the forms of MCP clients, shells and CI systems."""
_HAS_REFERENCE: Final = re.compile(rf"\$\{{|\{{\{{|\{{env[:.]|^(?:\$(?:env:)?{_NAME}(?:[/\\]|$)|%{_NAME}%)")
"""A reference inside a value. `$NAME` and `%NAME%` count only at the start: a URL may contain `$` and `%41%`."""
_LEFT_EMPTY: Final = re.compile(r"\s*\$\{user_config\.\w+\}\s*")
"""The placeholder that a bundle's host may pass for a field that its user left empty."""
_SERVICE_LINK: Final = re.compile(
    rf"{_PREFIX}(?:SERVICE_(?:HOST|PORT(?:_[A-Z0-9_]+)?)|PORT_[0-9]+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)"
)
"""Variables that Kubernetes sets in each container for a Service named trips-mcp."""
_SERVICE_ADDRESS: Final = re.compile(r"(?:tcp|udp|sctp)://\S+")
"""What Kubernetes sets as TRIPS_MCP_PORT, the name of our own setting."""
_BASE_URLS: Final = {"OSOTO_API_KEY": "OSOTO_BASE_URL", "TRAVELMODE_TOKEN": "TRAVELMODE_BASE_URL"}
_SERVICES: Final[dict[str, str]] = {"OSOTO_API_KEY": "Trips API", "TRAVELMODE_TOKEN": "Events API"}


class SettingsError(ValueError):
    """Invalid setting; the message is one sentence and never contains a key."""


@dataclass(frozen=True)
class Settings:
    # A URL is as secret as a key: it may contain a password, though it should not.
    trips_url: str = field(default=TRIPS_URL, repr=False)
    trips_key: str | None = field(default=None, repr=False)
    events_url: str = field(default=EVENTS_URL, repr=False)
    events_token: str | None = field(default=None, repr=False)
    chosen_database: str | None = field(default=None, repr=False)
    """The configured value; use `database`."""
    chosen_journal: str | None = field(default=None, repr=False)
    """The configured value; use `journal`."""
    chosen_history: str | None = field(default=None, repr=False)
    """The configured value; use `history`."""
    team: bool = False
    """Whether the embedded backend serves both APIs to callers with keys."""
    caller_apis: tuple[Api, ...] = ()
    """The APIs whose keys come with each call, not from these settings."""
    scopes: tuple[str, ...] | None = None
    """The scopes of the trips key; None if not set."""
    log: Log = "warning"
    toolsets: tuple[str, ...] = ()
    """Offer the tools of these sets and of `tools`; all tools if both are empty."""
    tools: tuple[str, ...] = ()
    exclude_tools: tuple[str, ...] = ()
    """Never offered; takes precedence over `toolsets` and `tools`."""
    read_only: bool = False
    """Whether to offer only read-only tools; takes precedence over every other choice."""
    trip: str | None = None
    """The only trip that the tools can use."""
    no_outbound: bool = False
    """Whether to omit the tools that send messages or share data with other people."""
    mask_secrets: bool | None = None
    """Whether secrets such as door codes are masked in results; None uses the transport's default."""
    event_trips: Mapping[str, int] = field(default_factory=dict[str, int])
    """Trip id → its number in the Events API, as linked by the user."""
    switched_off: tuple[Api, ...] = ()
    """APIs whose key is an unexpanded variable reference."""
    notices: tuple[str, ...] = ()
    """Sentences that the user should see although nothing failed."""

    @classmethod
    def from_env(
        cls, env: Mapping[str, str], flags: Mapping[str, str] | None = None, *, caller_apis: tuple[Api, ...] = ()
    ) -> Self:
        """`flags`: flag name, such as `--trip`, → text. A flag takes precedence over its variable.

        Raises: SettingsError.
        """
        given = {name: text.strip() for name, text in env.items() if _is_set(name, text)} | _flags(flags or {})
        _check_names(given)
        _check_base_urls(given, caller_apis)
        unexpanded = tuple(name for name in _SERVICES if _is_reference(given.get(name, "")))
        return cls(
            trips_url=_expanded(given, "OSOTO_BASE_URL") or TRIPS_URL,
            trips_key=None if "OSOTO_API_KEY" in unexpanded else _key(given, "OSOTO_API_KEY"),
            events_url=_expanded(given, "TRAVELMODE_BASE_URL") or EVENTS_URL,
            events_token=None if "TRAVELMODE_TOKEN" in unexpanded else _key(given, "TRAVELMODE_TOKEN"),
            chosen_database=_expanded(given, "TRIPS_MCP_DATABASE"),
            chosen_journal=_expanded(given, "TRIPS_MCP_JOURNAL"),
            chosen_history=_expanded(given, "TRIPS_MCP_HISTORY"),
            caller_apis=caller_apis,
            scopes=_scopes(given),
            log=_log(given),
            toolsets=_names(given, "TRIPS_MCP_TOOLSETS"),
            tools=_names(given, "TRIPS_MCP_TOOLS"),
            exclude_tools=_names(given, "TRIPS_MCP_EXCLUDE_TOOLS"),
            read_only=_switch(given, "TRIPS_MCP_READ_ONLY") or False,
            trip=_trip(given),
            no_outbound=_switch(given, "TRIPS_MCP_NO_OUTBOUND") or False,
            mask_secrets=_switch(given, "TRIPS_MCP_MASK_SECRETS"),
            event_trips=_event_trips(given),
            switched_off=tuple(_api(name) for name in unexpanded),
            notices=tuple(map(_key_not_expanded, unexpanded)),
        )

    @property
    def embedded(self) -> bool:
        """Whether the embedded backend serves both APIs from a local database, without keys."""
        return not (self.trips_key or self.events_token or self.caller_apis or self.switched_off or self.team)

    @property
    def one_store(self) -> bool:
        """Whether a trip's `number` is its id in the Events API (docs/contract.md#one-store-for-both)."""
        return self.embedded or self.team

    @property
    def apis(self) -> tuple[Api, ...]:
        """The available APIs: those with a key, here or from callers, or both of the embedded backend."""
        if self.one_store:
            return ("trips", "events")
        keys: tuple[tuple[Api, str | None], ...] = (("trips", self.trips_key), ("events", self.events_token))
        return tuple(api for api, key in keys if key or api in self.caller_apis)

    def masks_secrets(self, *, by_default: bool) -> bool:
        """`by_default`: the transport's default."""
        return by_default if self.mask_secrets is None else self.mask_secrets

    @property
    def database(self) -> str:
        """A SQLAlchemy URL or a file's path. In a folder, the file is `trips.db`."""
        if self.chosen_database is None:
            return _default_database()
        folder = os.path.expanduser(self.chosen_database)  # noqa: PTH111 - pathlib would slow the start
        is_folder = os.path.isdir(folder)  # noqa: PTH112
        return os.path.join(folder, "trips.db") if is_folder else self.chosen_database  # noqa: PTH118

    @property
    def journal(self) -> str | None:
        """A file's path; None keeps the journal in memory only."""
        return _state_file(self.chosen_journal, "journal.db")

    @property
    def history(self) -> str | None:
        """A file's path; None records no changes."""
        return _state_file(self.chosen_history, "history.db")


def variable(env: Mapping[str, str], name: str) -> str:
    """The text of a variable, empty if it is not set, or if Kubernetes set it for a Service named trips-mcp."""
    text = env.get(name, "").strip()
    return "" if is_service_link(name, text) else text


def is_service_link(name: str, text: str) -> bool:
    """Whether Kubernetes injected this variable. No valid setting has such a name or value."""
    is_address = name == f"{_PREFIX}PORT" and _SERVICE_ADDRESS.fullmatch(text) is not None
    return is_address or _SERVICE_LINK.fullmatch(name) is not None


def _is_set(name: str, text: str) -> bool:
    """An unexpanded key counts as set, so we never fall back to the local file."""
    if is_service_link(name, text.strip()):
        return False
    return bool(text.strip()) and (name in _SERVICES or not _LEFT_EMPTY.fullmatch(text))


def _default_database() -> str:
    from platformdirs import user_data_path  # needed only to open the database

    return str(user_data_path("trips-mcp", appauthor=False) / "trips.db")


def _state_file(chosen: str | None, default: str) -> str | None:
    """The path of a file of the server's own; None if it is switched off."""
    if chosen is not None:
        return None if chosen.lower() == _NO_FILE else chosen
    from platformdirs import user_state_path

    return str(user_state_path("trips-mcp", appauthor=False) / default)


def _api(key_name: str) -> Api:
    return "trips" if key_name == "OSOTO_API_KEY" else "events"


def _key(given: Mapping[str, str], name: str) -> str | None:
    key = given.get(name)
    if key is not None and (has_reference(key) or not _is_one_word(key)):
        raise SettingsError(f"{name} holds characters that no key has; copy the key again, alone.")
    return key


def _is_one_word(key: str) -> bool:
    return key.isascii() and key.isprintable() and " " not in key


def _is_reference(text: str) -> bool:
    return _REFERENCE.fullmatch(text) is not None


def has_reference(text: str) -> bool:
    """Whether the text contains an unexpanded variable."""
    return _HAS_REFERENCE.search(text) is not None


def _check_base_urls(given: Mapping[str, str], caller_apis: tuple[Api, ...]) -> None:
    """Raises: SettingsError for the base URL of an API that no key is set for."""
    for key_name, name in _BASE_URLS.items():
        if name in given and key_name not in given and _api(key_name) not in caller_apis:
            _expanded(given, name)
            raise SettingsError(f"{name} is set without {key_name}; set both, or neither.")


def _expanded(given: Mapping[str, str], name: str) -> str | None:
    value = given.get(name)
    if value is not None and has_reference(value):
        raise SettingsError(not_expanded(name))
    return value


def not_expanded(name: str) -> str:
    return f"{name} still has a variable in it that was not expanded, such as ${{NAME}}; write out its value."


def _scopes(given: Mapping[str, str]) -> tuple[str, ...] | None:
    named = _expanded(given, "TRIPS_MCP_SCOPES")
    if named is None:
        return None
    scopes = tuple(named.replace(",", " ").split())
    if not scopes or not all(map(_SCOPE.fullmatch, scopes)):
        raise SettingsError(
            "TRIPS_MCP_SCOPES must list the key's scopes, each trips:read, trips:write, messages:read or "
            "messages:write, with :<tripId> behind it where the key is limited to a trip."
        )
    return scopes


def _log(given: Mapping[str, str]) -> Log:
    level = (_expanded(given, "TRIPS_MCP_LOG") or "warning").lower()
    if not _is_log(level):
        raise SettingsError(f"TRIPS_MCP_LOG must be one of {', '.join(get_args(Log))}.")
    return level


def _is_log(text: str) -> TypeGuard[Log]:
    return text in get_args(Log)


def _flags(given: Mapping[str, str]) -> dict[str, str]:
    """Raises: SettingsError for an empty flag: its value was probably a variable that is not set."""
    for name, text in given.items():
        if not text.strip():
            raise SettingsError(f"{name} is empty; give it a value, or leave it out.")
    return {name: text.strip() for name, text in given.items()}


def _chosen(given: Mapping[str, str], name: str) -> tuple[str, str | None]:
    """The name of the flag or variable that is set, and its text."""
    flag = "--" + name.removeprefix(_PREFIX).lower().replace("_", "-")
    source = flag if flag in given else name
    return source, _expanded(given, source)


def _names(given: Mapping[str, str], name: str) -> tuple[str, ...]:
    source, listed = _chosen(given, name)
    if listed is None:
        return ()
    names = tuple(listed.replace(",", " ").split())
    if not names:
        raise SettingsError(f"{source} names nothing; list names with commas between them, or leave it out.")
    return names


def _switch(given: Mapping[str, str], name: str) -> bool | None:
    source, text = _chosen(given, name)
    if text is None:
        return None
    if text.lower() not in _ON + _OFF:
        raise SettingsError(f"{source} must be one of {', '.join(_ON)}, or of {', '.join(_OFF)}.")
    return text.lower() in _ON


def _trip(given: Mapping[str, str]) -> str | None:
    source, trip = _chosen(given, "TRIPS_MCP_TRIP")
    if trip is not None and not _is_trip_id(trip):
        raise SettingsError(f"{source} must be the id of one trip, exactly as list_trips gives it.")
    return trip


def _is_trip_id(text: str) -> bool:
    """Whether the text can be one segment of a URL's path and one word of a list."""
    return len(text) <= 256 and text.isprintable() and text.strip(".") != "" and not set(text) & set(" ,=/\\%")


def _event_trips(given: Mapping[str, str]) -> dict[str, int]:
    source, listed = _chosen(given, "TRIPS_MCP_EVENT_TRIPS")
    links: dict[str, int] = {}
    for link in (listed or "").replace(",", " ").split():
        trip, _, number = link.partition("=")
        if not _is_trip_id(trip) or not _is_number(number) or links.setdefault(trip, int(number)) != int(number):
            raise SettingsError(
                f"{source} must give trips their number in the Events API, as <tripId>=42, with commas between them."
            )
    if listed is not None and not links:
        raise SettingsError(f"{source} names nothing; list <tripId>=42 with commas between them, or leave it out.")
    return links


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 16 and 1 <= int(text) <= _LARGEST_NUMBER


def _key_not_expanded(name: str) -> str:
    return (
        f"{name} is a reference such as ${{NAME}}, which the program that started this server did not expand, "
        f"so the {_SERVICES[name]} is off; write the key itself there, or remove {name}."
    )


def _check_names(given: Mapping[str, str]) -> None:
    """Raises: SettingsError for an unknown name: a misspelled limit must not start a server without the limit."""
    for name in sorted(given):
        if name.startswith(_PREFIX) and name not in OURS:
            raise SettingsError(f"{name} is not a setting; {_nearest(name)}.")


def _nearest(name: str) -> str:
    from trips_mcp.spelling import nearest  # needed only for the error

    tails = {known.removeprefix(_PREFIX): known for known in OURS}
    near = nearest(name.removeprefix(_PREFIX), tails)
    return f"rename it to {tails[near[0]]}, or remove it" if near else f"remove it. The settings are {', '.join(OURS)}"
