"""The HTTP settings, read from the environment and the command's flags; flags take precedence."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal, Self, TypeGuard, get_args

from trips_mcp.addresses import MOST_PER_ADDRESS, TrustedProxies, is_loopback
from trips_mcp.settings import Settings, SettingsError, has_reference, not_expanded, variable

Transport = Literal["http", "sse"]
Auth = Literal["key", "none"]

PORT: Final = 8848
MAX_CALLS: Final = 256
MAX_CALLS_PER_CALLER: Final = 64
RATE_LIMIT: Final = 60
CALL_SECONDS: Final = 60
"""Longer than a REST client's deadline, so that its error comes before this timeout."""
BODY_SECONDS: Final = 20
QUIET_SECONDS: Final = 15

_KEYS: Final = ("OSOTO_API_KEY", "TRAVELMODE_TOKEN")
_URLS: Final = ("OSOTO_BASE_URL", "TRAVELMODE_BASE_URL")
_OF_THE_KEY: Final = "TRIPS_MCP_SCOPES"
_NAME: Final = r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?"
_HOST: Final = re.compile(_NAME)
_ORIGIN: Final = re.compile(rf"https?://{_NAME}|(?!https?:)[A-Za-z][A-Za-z0-9+.-]*://[A-Za-z0-9_.:\[\]-]+")
"""Origins of web pages, and of programs with their own scheme, such as `vscode-file://vscode-app`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpSettings:
    transport: Transport = "http"
    host: str = "127.0.0.1"
    port: int = PORT
    auth: Auth | None = None
    """None derives it: no key if only this computer can reach the server, else `key`."""
    allowed_hosts: tuple[str, ...] = ()
    """Host names that requests may use, besides loopback names."""
    allowed_origins: tuple[str, ...] = ()
    """Origins of web pages that may call the server, besides loopback origins."""
    trusted_proxies: TrustedProxies = field(default_factory=TrustedProxies)
    """Proxies whose `X-Forwarded-For` header is trusted."""
    max_connections_per_address: int = MOST_PER_ADDRESS
    max_calls: int = MAX_CALLS
    """Concurrent calls of all callers."""
    max_calls_per_caller: int = MAX_CALLS_PER_CALLER
    rate_limit: int | None = RATE_LIMIT
    """Requests per minute and key to the embedded backend; None for no limit."""
    chosen_rate_limit: str | None = None
    """The flag or variable that set `rate_limit`, if any."""
    call_seconds: float = CALL_SECONDS
    """Timeout of a call."""
    body_seconds: float = BODY_SECONDS
    """Timeout for a request's whole body."""
    quiet_seconds: float = QUIET_SECONDS
    """Idle seconds before a stream sends a comment, as proxies close idle connections."""

    @property
    def non_loopback_names(self) -> tuple[str, ...]:
        """Allowed hosts and origins that are not loopback: with them, others reach the server through a proxy."""
        origins = [origin for origin in self.allowed_origins if not _is_loopback_origin(origin)]
        return (*(host for host in self.allowed_hosts if not is_loopback(host)), *origins)

    @classmethod
    def from_env(cls, env: Mapping[str, str], flags: Mapping[str, str]) -> Self:
        """`flags`: flag name, such as `--host`, → text. Raises: SettingsError."""
        given = _Given(env, flags)
        return cls(
            transport=_transport(given),
            host=given.text("--host", "127.0.0.1").removeprefix("[").removesuffix("]"),
            port=given.number("--port", PORT, range(2**16)),
            auth=_auth(given),
            allowed_hosts=given.matching("--allowed-host", _HOST, "names of hosts, as trips.example.com"),
            allowed_origins=given.matching("--allowed-origin", _ORIGIN, "origins, as https://app.example.com"),
            trusted_proxies=_trusted_proxies(given),
            max_connections_per_address=given.number(
                "--max-connections-per-address", MOST_PER_ADDRESS, range(1, 10**6)
            ),
            max_calls=given.number("--max-calls", MAX_CALLS, range(1, 10**6)),
            max_calls_per_caller=given.number("--max-calls-per-caller", MAX_CALLS_PER_CALLER, range(1, 10**6)),
            rate_limit=_rate_limit(given),
            chosen_rate_limit=given.source("--rate-limit"),
        )


class _Given:
    """The values of flags and variables. Errors use the name, flag or variable, that set the value."""

    def __init__(self, env: Mapping[str, str], flags: Mapping[str, str]) -> None:
        self._env = env
        self._flags = flags

    def named(self, flag: str) -> tuple[str, str]:
        """The text, empty if not set, and the name of the flag or variable that set it."""
        if flag in self._flags:
            return self._flags[flag].strip(), flag
        name = "TRIPS_MCP_" + flag.removeprefix("--").replace("-", "_").upper()
        return variable(self._env, name), name

    def source(self, flag: str) -> str | None:
        """The name of the flag or variable that set it; None if not set."""
        text, name = self.named(flag)
        return name if text else None

    def text(self, flag: str, default: str) -> str:
        text, name = self.named(flag)
        if has_reference(text):
            raise SettingsError(not_expanded(name))
        return text or default

    def number(self, flag: str, default: int, within: range) -> int:
        text = self.text(flag, str(default))
        if not (text.isascii() and text.isdigit() and len(text) < 9 and int(text) in within):
            raise SettingsError(f"{self.named(flag)[1]} must be a number from {within[0]} to {within[-1]}.")
        return int(text)

    def matching(self, flag: str, pattern: re.Pattern[str], what: str) -> tuple[str, ...]:
        listed = self.text(flag, "").replace(",", " ").split()
        if not all(map(pattern.fullmatch, listed)):
            raise SettingsError(f"{self.named(flag)[1]} must list {what}, with commas between them.")
        return tuple(text.lower() for text in listed)


class UnsafeAuthError(SettingsError):
    """`--auth none` for a server that others than this computer's programs can reach."""

    def __init__(self, why: str, to_do: str) -> None:
        super().__init__(f"--auth none is for this computer alone, and {why}; {to_do}, or use --auth key.")
        self.why = why
        self.to_do = to_do


def auth_of(http: HttpSettings, address: str) -> Auth:
    """The authentication of a server that listens on this address. Raises: UnsafeAuthError."""
    unsafe = _unsafe_without_keys(http, address)
    if http.auth == "none" and unsafe is not None:
        raise unsafe
    return http.auth or ("none" if unsafe is None else "key")


def _unsafe_without_keys(http: HttpSettings, address: str) -> UnsafeAuthError | None:
    if not is_loopback(address):
        return UnsafeAuthError(f"{address} can be reached from others, who would act as you", "listen on 127.0.0.1")
    if http.non_loopback_names:
        return UnsafeAuthError(
            f"{http.non_loopback_names[0]} is a name that others call it by, who would act as you",
            "take it off --allowed-host and --allowed-origin",
        )
    if http.trusted_proxies:
        return UnsafeAuthError(
            "what a proxy passes on comes from others, who would act as you", "take off --trusted-proxy"
        )
    return None


def _is_loopback_origin(origin: str) -> bool:
    """False for a program's own scheme, which does not tell the computer."""
    scheme, _, host = origin.partition("://")
    return scheme in ("http", "https") and is_loopback(host)


def trusted_proxies_in(name: str, listed: Sequence[str]) -> TrustedProxies:
    """`name`: the flag or variable, for the error. Raises: SettingsError."""
    try:
        return TrustedProxies(listed)
    except ValueError:
        raise SettingsError(
            f"{name} must list addresses of proxies, as 10.0.0.5 or 10.0.0.0/24, with commas between them."
        ) from None


def _trusted_proxies(given: _Given) -> TrustedProxies:
    listed = given.text("--trusted-proxy", "").replace(",", " ").split()
    return trusted_proxies_in(given.named("--trusted-proxy")[1], listed)


def _rate_limit(given: _Given) -> int | None:
    text = given.text("--rate-limit", str(RATE_LIMIT))
    if text == "off":
        return None
    if text.isascii() and text.isdigit() and len(text) < 10 and int(text) > 0:
        return int(text)
    raise SettingsError(
        f"{given.named('--rate-limit')[1]} must be how many requests a minute each key may make, or off."
    )


def _transport(given: _Given) -> Transport:
    text = given.text("--transport", "http")
    if not _is_transport(text):
        raise SettingsError(f"{given.named('--transport')[1]} must be stdio, http or sse.")
    return text


def _is_transport(text: str) -> TypeGuard[Transport]:
    return text in get_args(Transport)


def _auth(given: _Given) -> Auth | None:
    text = given.text("--auth", "")
    if text and not _is_auth(text):
        raise SettingsError(f"{given.named('--auth')[1]} must be key or none.")
    return text or None


def _is_auth(text: str) -> TypeGuard[Auth | Literal[""]]:
    return text in ("", *get_args(Auth))


def settings_of_callers(env: Mapping[str, str], flags: Mapping[str, str] | None = None) -> Settings:
    """The settings of a server whose callers bring their keys; the server's own keys and scopes are ignored.

    `flags`: as in Settings.from_env. With TRIPS_MCP_DATABASE, the embedded backend serves the callers, with keys that
    `backend create-key` makes. Otherwise they call the services at the base URLs, or at the default ones.

    Raises: SettingsError.
    """
    own = {name: text for name, text in env.items() if name not in (*_KEYS, _OF_THE_KEY)}
    settings = Settings.from_env(own, flags, caller_apis=("trips", "events"))
    urls = [name for name in _URLS if env.get(name, "").strip()]
    if settings.chosen_database and urls:
        raise SettingsError(
            f"TRIPS_MCP_DATABASE and {urls[0]} are both set, and callers have keys of one of the two; unset the other."
        )
    return replace(settings, team=settings.chosen_database is not None)
