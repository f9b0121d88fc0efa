"""The doctor's check of the settings of a server over HTTP."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trips_mcp.addresses import is_loopback
from trips_mcp.cli.doctor.finding import Diagnosis
from trips_mcp.setting_values import SettingsError
from trips_mcp.settings_table import SETTINGS, TRANSPORT, Given

if TYPE_CHECKING:
    from trips_mcp.server.http.settings import HttpSettings


@dataclass(frozen=True, slots=True)
class HttpMode:
    finding: Diagnosis
    of_callers: bool
    """Whether each call brings its own key."""


def http_mode(env: Mapping[str, str], flags: Mapping[str, str]) -> HttpMode | None:
    """None if no flag or variable of HTTP is set, or the transport is stdio."""
    given = Given(env, flags)
    if (
        not any(given.chosen(setting)[1] for setting in SETTINGS if setting.http)
        or given.chosen(TRANSPORT)[1] == TRANSPORT.default
    ):
        return None
    from trips_mcp.server.http.settings import HttpSettings

    try:
        return _looked_at(HttpSettings.from_env(env, flags))
    except SettingsError as error:
        return HttpMode(Diagnosis("http", "fail", "a server over HTTP would not start", str(error)), of_callers=False)


def _looked_at(http: "HttpSettings") -> HttpMode:
    from trips_mcp.server.http.settings import UnsafeAuthError, auth_of

    here = is_loopback(http.host)
    facts: dict[str, object] = {"host": http.host, "port": http.port, "allowedHosts": list(http.allowed_hosts)}
    try:
        auth = auth_of(http, http.host)
    except UnsafeAuthError as error:
        found = f"TRIPS_MCP_AUTH is none, and {error.why}"
        to_do = f"The server does not start like this; {error.to_do}, or set TRIPS_MCP_AUTH to key."
        return HttpMode(Diagnosis("http", "fail", found, to_do, {**facts, "auth": http.auth}), of_callers=False)
    facts["auth"] = auth
    who = "each call needs its caller's key" if auth == "key" else "anybody on this computer may call"
    found = f"{http.host} port {http.port}, {who}"
    if not here and not http.allowed_hosts:
        to_do = "Only calls to localhost are answered; set TRIPS_MCP_ALLOWED_HOST to the name that others call."
        return HttpMode(Diagnosis("http", "warn", found, to_do, facts), auth == "key")
    if not here:
        to_do = "Keys and trips travel unencrypted; put a TLS proxy in front."
        return HttpMode(Diagnosis("http", "warn", found, to_do, facts), auth == "key")
    return HttpMode(Diagnosis("http", "ok", found, facts=facts), auth == "key")
