"""The settings, read once from the environment and the command's flags; their rows are in `settings_table`.

Every start imports this module, so it imports only the standard library.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, Self

from trips_mcp.setting_values import Log, SettingsError, is_reference, nearest, variable
from trips_mcp.settings_table import EVENTS_URL, KEYS, OURS, PREFIX, SETTINGS, TRIPS_URL, Given

Api = Literal["trips", "events"]

_NO_FILE: Final = "off"
_APIS: Final[dict[str, Api]] = {"OSOTO_API_KEY": "trips", "TRAVELMODE_TOKEN": "events"}
_BASE_URLS: Final = {"OSOTO_API_KEY": "OSOTO_BASE_URL", "TRAVELMODE_TOKEN": "TRAVELMODE_BASE_URL"}
_SERVICES: Final = {"OSOTO_API_KEY": "Trips API", "TRAVELMODE_TOKEN": "Events API"}


@dataclass(frozen=True)
class Settings:
    """The settings of one server or command."""

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
    chosen_files: str | None = None
    """The configured value; use `files`."""
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
    shared_folder: str | None = None
    """Where the workers of one server keep together what a single process keeps in memory."""

    @classmethod
    def from_env(
        cls, env: Mapping[str, str], flags: Mapping[str, str] | None = None, *, caller_apis: tuple[Api, ...] = ()
    ) -> Self:
        """`flags`: flag name, such as `--trip`, → text. A flag takes precedence over its variable.

        Raises: SettingsError.
        """
        _check_names(env)
        unexpanded = tuple(name for name in KEYS if is_reference(variable(env, name, is_key=True)))
        chosen = Given(env, flags or {}).values(
            setting for setting in SETTINGS if not setting.http and setting.name not in unexpanded
        )
        _check_base_urls(env, caller_apis)
        return cls(
            **chosen,
            caller_apis=caller_apis,
            switched_off=tuple(_APIS[name] for name in unexpanded),
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

    @property
    def files(self) -> str | None:
        """The absolute path of the folder that agents may read from and write to; None allows none."""
        if self.chosen_files is None:
            return None
        return os.path.abspath(os.path.expanduser(self.chosen_files))  # noqa: PTH100, PTH111 - as above


def _default_database() -> str:
    from platformdirs import user_data_path  # needed only to open the database

    return str(user_data_path("trips-mcp", appauthor=False) / "trips.db")


def _state_file(chosen: str | None, default: str) -> str | None:
    """The path of a file of the server's own; None if it is switched off."""
    if chosen is not None:
        return None if chosen.lower() == _NO_FILE else chosen
    from platformdirs import user_state_path

    return str(user_state_path("trips-mcp", appauthor=False) / default)


def _check_base_urls(env: Mapping[str, str], caller_apis: tuple[Api, ...]) -> None:
    """Raises: SettingsError for the base URL of an API that no key is set for."""
    for key, url in _BASE_URLS.items():
        if variable(env, url) and not variable(env, key, is_key=True) and _APIS[key] not in caller_apis:
            raise SettingsError(f"{url} is set without {key}; set both, or neither.")


def _key_not_expanded(name: str) -> str:
    return (
        f"{name} is a reference such as ${{NAME}}, which the program that started this server did not expand, "
        f"so the {_SERVICES[name]} is off; write the key itself there, or remove {name}."
    )


def _check_names(env: Mapping[str, str]) -> None:
    """Raises: SettingsError for an unknown name: a misspelled limit must not start a server without the limit."""
    for name in sorted(env):
        if name.startswith(PREFIX) and name not in OURS and variable(env, name):
            raise SettingsError(f"{name} is not a setting; {_nearest(name)}.")


def _nearest(name: str) -> str:
    tails = {known.removeprefix(PREFIX): known for known in OURS}
    near = nearest(name.removeprefix(PREFIX), tails)
    return f"rename it to {tails[near[0]]}, or remove it" if near else f"remove it. The settings are {', '.join(OURS)}"
