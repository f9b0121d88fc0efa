"""The HTTP settings, read from the environment and the command's flags; flags take precedence."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Self

from trips_mcp.addresses import MOST_PER_ADDRESS, TrustedProxies, is_loopback
from trips_mcp.setting_values import Auth, SettingsError, Transport, variable
from trips_mcp.settings import Settings
from trips_mcp.settings_table import KEYS, RATE_LIMIT, SETTINGS, WORKERS, Given

PORT: Final = 8848
MAX_CALLS: Final = 256
MAX_CALLS_PER_CALLER: Final = 64
MOST_PER_MINUTE: Final = 60
CALL_SECONDS: Final = 60
"""Longer than a REST client's deadline, so that its error comes before this timeout."""
BODY_SECONDS: Final = 20
QUIET_SECONDS: Final = 15

_URLS: Final = tuple(setting.name for setting in SETTINGS if setting.kind == "url")
_OF_THE_KEY: Final = "TRIPS_MCP_SCOPES"


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpSettings:
    transport: Transport = "http"
    host: str = "127.0.0.1"
    port: int = PORT
    workers: int = 1
    """Processes behind the port."""
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
    rate_limit: int | None = MOST_PER_MINUTE
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
        given = Given(env, flags)
        source, limit = given.chosen(RATE_LIMIT)
        chosen = given.values(setting for setting in SETTINGS if setting.http)
        settings = cls(**chosen, chosen_rate_limit=source if limit else None)
        if settings.workers > 1:
            _check_workers(settings)
        return settings


def _check_workers(http: HttpSettings) -> None:
    """Raises: SettingsError."""
    name = f"{WORKERS.flag} ({WORKERS.name})"
    if not hasattr(os, "fork"):
        raise SettingsError(f"{name} is for Linux and macOS; start several servers behind a proxy instead.")
    if http.transport == "sse":
        raise SettingsError(f"{name} is not for --transport sse, whose streams need one process; leave it out.")


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


def settings_of_callers(env: Mapping[str, str], flags: Mapping[str, str] | None = None) -> Settings:
    """The settings of a server whose callers bring their keys; the server's own keys and scopes are ignored.

    `flags`: as in Settings.from_env. With TRIPS_MCP_DATABASE, the embedded backend serves the callers, with keys that
    `backend create-key` makes. Otherwise they call the services at the base URLs, or at the default ones.

    Raises: SettingsError.
    """
    own = {name: text for name, text in env.items() if name not in (*KEYS, _OF_THE_KEY)}
    settings = Settings.from_env(own, flags, caller_apis=("trips", "events"))
    urls = [name for name in _URLS if variable(env, name)]
    if settings.chosen_database and urls:
        raise SettingsError(
            f"TRIPS_MCP_DATABASE and {urls[0]} are both set, and callers have keys of one of the two; unset the other."
        )
    return replace(settings, team=settings.chosen_database is not None)
