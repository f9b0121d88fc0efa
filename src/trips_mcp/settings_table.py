"""The table of all settings; what is known of a setting is in its row, and everything else is derived from it.

The rows give Settings and HttpSettings their values, commands their flags, the doctor its report, and docs/settings.md
and manifest.json their entries. Every start imports this module, so it imports only the standard library.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, Generic, Literal, NamedTuple, TypeVar

from trips_mcp import setting_values as values
from trips_mcp.setting_values import SettingsError

TRIPS_URL: Final = "https://keen-sturgeon-487.convex.site/api/v1"
EVENTS_URL: Final = "https://api.travelmode.ai"
PREFIX: Final = "TRIPS_MCP_"

Group = Literal["start", "offer", "http"]
Kind = Literal["text", "choice", "list", "switch", "key", "url", "database", "file"]
T_co = TypeVar("T_co", covariant=True)
D = TypeVar("D")


class BundleField(NamedTuple):
    """The field of a bundle's form that sets a variable."""

    name: str
    title: str
    description: str
    """`{toolsets}` stands for the names of all toolsets."""
    type: Literal["string", "boolean", "directory"] = "string"


class Setting(NamedTuple, Generic[T_co]):
    name: str
    field: str
    """The field of Settings, or of HttpSettings if `http`."""
    parse: Callable[[str, str], T_co]
    """From the name of the flag or variable, and the text. Raises: SettingsError."""
    doc: str
    """What docs/settings.md says, as Markdown."""
    kind: Kind = "text"
    """How it is shown and passed on: a key is secret, a URL may have a password, a path becomes absolute."""
    default: str = ""
    """As a user would write it; empty if there is none, or if it depends on the computer."""
    group: Group | None = None
    """The commands whose flags include it: those that start a server, choose what is offered, or serve over HTTP."""
    metavar: str = ""
    help: str = ""
    http: bool = False
    """Whether only a server over HTTP reads it."""
    bundle: BundleField | None = None

    @property
    def flag(self) -> str:
        return "--" + self.name.removeprefix(PREFIX).lower().replace("_", "-")

    def value(self, given: "Given", default: D) -> T_co | D:
        """Raises: SettingsError."""
        source, text = given.chosen(self)
        return self.parse(source, text) if text else default


class Given:
    """The texts of variables and flags; a flag takes precedence."""

    def __init__(self, env: Mapping[str, str], flags: Mapping[str, str]) -> None:
        """`flags`: flag name, such as `--trip`, → text.

        Raises: SettingsError for an empty flag: its value was probably a variable that is not set.
        """
        self._env = env
        self._flags = flags
        for name, text in flags.items():
            if not text.strip():
                raise SettingsError(f"{name} is empty; give it a value, or leave it out.")

    def chosen(self, setting: Setting[object]) -> tuple[str, str]:
        """The name of the flag or variable, and its text, empty if it is not set."""
        if setting.group and setting.flag in self._flags:
            return setting.flag, self._flags[setting.flag].strip()
        return setting.name, values.variable(self._env, setting.name, is_key=setting.kind == "key")

    def values(self, settings: Iterable[Setting[object]]) -> dict[str, Any]:
        """The values of those that are set, by field. Raises: SettingsError."""
        chosen = [(setting, *self.chosen(setting)) for setting in settings]
        return {setting.field: setting.parse(source, text) for setting, source, text in chosen if text}


DATABASE: Final = Setting(
    "TRIPS_MCP_DATABASE",
    "chosen_database",
    values.text,
    "the embedded backend's file, or a folder for it, or `postgresql+asyncpg://user:password@host/name` with "
    "`trips-mcp[postgresql]` ([how](database.md)); default `trips.db` in your user data folder",
    kind="database",
    metavar="URL",
    help="SQLAlchemy URL or file path (TRIPS_MCP_DATABASE)",
    bundle=BundleField(
        "database_folder",
        "Folder for trips on this computer",
        "Where trips.db is kept while there is no key. Leave empty for your user data folder.",
        "directory",
    ),
)
TRANSPORT: Final = Setting(
    "TRIPS_MCP_TRANSPORT",
    "transport",
    values.transport,
    "`stdio`, `http` or `sse`; with `serve`, or with flags alone",
    kind="choice",
    default="stdio",
    group="start",
    metavar="stdio|http|sse",
    help="how clients reach the server",
    http=True,
)
HOST: Final = Setting(
    "TRIPS_MCP_HOST",
    "host",
    values.host,
    "the address to listen on",
    default="127.0.0.1",
    group="http",
    metavar="ADDRESS",
    help="address to listen on; 0.0.0.0 is every address of this computer",
    http=True,
)
PORT: Final = Setting(
    "TRIPS_MCP_PORT",
    "port",
    values.number_in(range(2**16)),
    "the port to listen on; `0` selects a free one",
    default="8848",
    group="http",
    metavar="N",
    help="port to listen on; 0 selects a free one and prints it",
    http=True,
)
WORKERS: Final = Setting(
    "TRIPS_MCP_WORKERS",
    "workers",
    values.number_in(range(1, 65)),
    "processes behind the port, on Linux and macOS ([when](deploy.md#workers))",
    default="1",
    group="http",
    metavar="N",
    help="processes behind the port, such as one for each core",
    http=True,
)
TRUSTED_PROXY: Final = Setting(
    "TRIPS_MCP_TRUSTED_PROXY",
    "trusted_proxies",
    values.trusted_proxies,
    "proxies whose `X-Forwarded-For` is trusted, as `10.0.0.5` or `10.0.0.0/24`; default none",
    kind="list",
    group="http",
    metavar="ADDRESS",
    help="a proxy whose X-Forwarded-For is trusted, as 10.0.0.5 or 10.0.0.0/24; may be repeated",
    http=True,
)
MAX_CONNECTIONS_PER_ADDRESS: Final = Setting(
    "TRIPS_MCP_MAX_CONNECTIONS_PER_ADDRESS",
    "max_connections_per_address",
    values.number_in(range(1, 10**6)),
    "concurrent connections of each address, except trusted proxies",
    default="500",
    group="http",
    metavar="N",
    help="concurrent connections of each address, except trusted proxies",
    http=True,
)
RATE_LIMIT: Final = Setting(
    "TRIPS_MCP_RATE_LIMIT",
    "rate_limit",
    values.rate_limit,
    "requests per minute and key to the embedded backend of a team server, or `off`",
    default="60",
    group="http",
    metavar="N|off",
    help="requests per minute and key, if the embedded backend serves a team",
    http=True,
)

SETTINGS: Final[tuple[Setting[object], ...]] = (
    Setting(
        "OSOTO_API_KEY",
        "trips_key",
        values.key,
        "key of the Trips API (Osoto: Settings, API Keys)",
        kind="key",
        bundle=BundleField(
            "osoto_api_key",
            "Osoto API key",
            "From Osoto: Settings, API Keys. Leave both keys empty to keep trips in a file on this computer.",
        ),
    ),
    Setting(
        "OSOTO_BASE_URL",
        "trips_url",
        values.text,
        "another Trips API, including `/api/v1`; the default is Osoto's",
        kind="url",
        default=TRIPS_URL,
        bundle=BundleField(
            "osoto_base_url",
            "Osoto address",
            "Of another Trips API, up to /api/v1; it needs a key. Leave empty for Osoto.",
        ),
    ),
    Setting(
        "TRAVELMODE_TOKEN",
        "events_token",
        values.key,
        "bearer token of the Events API (Travelmode)",
        kind="key",
        bundle=BundleField(
            "travelmode_token", "Travelmode token", "For itinerary events. Leave empty if you have none."
        ),
    ),
    Setting(
        "TRAVELMODE_BASE_URL",
        "events_url",
        values.text,
        "another Events API, without `/v1`; the default is Travelmode's",
        kind="url",
        default=EVENTS_URL,
        bundle=BundleField(
            "travelmode_base_url",
            "Travelmode address",
            "Of another Events API, without /v1; it needs a token. Leave empty for Travelmode.",
        ),
    ),
    DATABASE,
    Setting(
        "TRIPS_MCP_JOURNAL",
        "chosen_journal",
        values.text,
        "file of the journal, which prevents duplicate writes ([how](reliability.md)); default `journal.db` in your "
        "user state folder, `off` for memory only",
        kind="file",
    ),
    Setting(
        "TRIPS_MCP_HISTORY",
        "chosen_history",
        values.text,
        "file of the history: plans, and what each write changed; default `history.db` in your user state folder, "
        "`off` records no changes. A server for callers with their own keys keeps it in memory for an hour, unless a "
        "file is named here",
        kind="file",
    ),
    Setting(
        "TRIPS_MCP_SCOPES",
        "scopes",
        values.scopes,
        "scopes of the trips key, as `trips:read trips:write:<tripId>`; then calls that lack a scope are not sent",
        kind="list",
    ),
    Setting("TRIPS_MCP_LOG", "log", values.log, "`debug`, `info`, `warning` or `error`, on stderr", default="warning"),
    Setting(
        "TRIPS_MCP_TOOLSETS",
        "toolsets",
        values.names,
        "offer only these sets of tools, as `trips,legs`",
        kind="list",
        group="offer",
        metavar="NAME,...",
        help="offer only these sets of tools, and the tools of --tools; `trips-mcp tools` shows them",
        bundle=BundleField(
            "toolsets",
            "Toolsets",
            "Offer these alone, with commas between them: {toolsets}. Leave empty for all.",
        ),
    ),
    Setting(
        "TRIPS_MCP_TOOLS",
        "tools",
        values.names,
        "offer only these tools, together with those of the toolsets",
        kind="list",
        group="offer",
        metavar="NAME,...",
        help="offer only these tools, and those of --toolsets",
    ),
    Setting(
        "TRIPS_MCP_EXCLUDE_TOOLS",
        "exclude_tools",
        values.names,
        "never offer these",
        kind="list",
        group="offer",
        metavar="NAME,...",
        help="never offer these",
    ),
    Setting(
        "TRIPS_MCP_TRIP",
        "trip",
        values.trip,
        "bind the server to the trip with this id",
        group="offer",
        metavar="ID",
        help="bind the server to this one trip: tools need no trip id, and accept no other",
    ),
    Setting(
        "TRIPS_MCP_EVENT_TRIPS",
        "event_trips",
        values.event_trips,
        "each trip's number in the Events API, as `jx7abc=42,jx8def=43`, if the two services share no ids",
        kind="list",
        group="offer",
        metavar="ID=NUMBER,...",
        help="the number of each of these trips in the Events API",
    ),
    Setting(
        "TRIPS_MCP_READ_ONLY",
        "read_only",
        values.switch,
        "offer only tools that change nothing",
        kind="switch",
        default="off",
        group="offer",
        metavar="on|off",
        help="offer only tools that change nothing, whatever else is chosen",
        bundle=BundleField("read_only", "Read only", "Offer nothing that changes anything.", "boolean"),
    ),
    Setting(
        "TRIPS_MCP_NO_OUTBOUND",
        "no_outbound",
        values.switch,
        "omit `send_message`, `create_share_token` and `revoke_share_token`",
        kind="switch",
        default="off",
        group="offer",
        metavar="on|off",
        help="offer no tool that sends messages or shares data with other people",
    ),
    Setting(
        "TRIPS_MCP_MASK_SECRETS",
        "mask_secrets",
        values.switch,
        "mask secrets such as door codes; `get_secret` then shows one at a time ([what is promised](safety.md)). "
        "Default: on over HTTP, off over stdio",
        kind="switch",
        default="off",
        group="offer",
        metavar="on|off",
        help="mask secrets such as door codes in answers; get_secret then shows one at a time",
    ),
    Setting(
        "TRIPS_MCP_FILES",
        "chosen_files",
        values.text,
        "a folder from which agents may read bookings, and to which exports are written; over stdio only "
        "([how](importing.md#a-folder-for-files)); default none",
        kind="file",
        group="offer",
        metavar="DIR",
        help="a folder from which agents may read bookings, and to which exports are written; over stdio only",
        bundle=BundleField(
            "files_folder",
            "Folder for bookings and exports",
            "Agents may read bookings from it, and exports are written to it. Leave empty for none.",
            "directory",
        ),
    ),
    TRANSPORT,
    HOST,
    PORT,
    WORKERS,
    Setting(
        "TRIPS_MCP_AUTH",
        "auth",
        values.auth,
        "`key`, each request acts with its caller's key, or `none`, for this computer only; default `none` on "
        "loopback, else `key`; `none` is refused with an allowed host or origin that is not loopback, or with a "
        "trusted proxy",
        group="http",
        metavar="key|none",
        help="key: each request brings its caller's key; none: only programs of this computer call "
        "(default: none if only they can, else key)",
        http=True,
    ),
    Setting(
        "TRIPS_MCP_ALLOWED_HOST",
        "allowed_hosts",
        values.allowed_hosts,
        "host names that requests may use besides loopback names, as `trips.example.com`",
        kind="list",
        group="http",
        metavar="NAME",
        help="a host name that requests may use, as trips.example.com; may be repeated",
        http=True,
    ),
    Setting(
        "TRIPS_MCP_ALLOWED_ORIGIN",
        "allowed_origins",
        values.allowed_origins,
        "origins of web pages that may call it, as `https://app.example.com`; with keys any exact origin, as "
        "`vscode-file://vscode-app`",
        kind="list",
        group="http",
        metavar="ORIGIN",
        help="an origin whose web pages may call the server, as https://app.example.com; may be repeated",
        http=True,
    ),
    TRUSTED_PROXY,
    Setting(
        "TRIPS_MCP_MAX_CALLS",
        "max_calls",
        values.number_in(range(1, 10**6)),
        "concurrent calls of all callers",
        default="256",
        group="http",
        metavar="N",
        help="concurrent calls of all callers",
        http=True,
    ),
    Setting(
        "TRIPS_MCP_MAX_CALLS_PER_CALLER",
        "max_calls_per_caller",
        values.number_in(range(1, 10**6)),
        "concurrent calls of each caller",
        default="64",
        group="http",
        metavar="N",
        help="concurrent calls of each caller",
        http=True,
    ),
    MAX_CONNECTIONS_PER_ADDRESS,
    RATE_LIMIT,
)
NAMES: Final = tuple(setting.name for setting in SETTINGS)
OURS: Final = tuple(name for name in NAMES if name.startswith(PREFIX))
KEYS: Final = tuple(setting.name for setting in SETTINGS if setting.kind == "key")
