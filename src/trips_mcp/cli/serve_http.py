"""The server over HTTP: its flags, its listening socket and its start messages."""

import os
import socket
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from functools import partial
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final

from trips_mcp.addresses import is_loopback
from trips_mcp.cli.command import CommandError, run_async
from trips_mcp.cli.output import remark
from trips_mcp.cli.selection_flags import chosen, given
from trips_mcp.settings import Settings, SettingsError

if TYPE_CHECKING:
    from trips_mcp.server.http.settings import Auth, HttpSettings

_FLAGS: Final = (
    ("--host", "ADDRESS", "address to listen on (127.0.0.1)"),
    ("--port", "N", "0 takes a free one and says which (8848)"),
    (
        "--auth",
        "key|none",
        "who may call: whoever sends a Trips API key, or this computer's programs (none if only they can, else key)",
    ),
    ("--allowed-host", "NAME", "a name it is called by, as trips.example.com; may be repeated"),
    ("--allowed-origin", "ORIGIN", "whose web pages may call it, as https://app.example.com; may be repeated"),
    ("--trusted-proxy", "ADDRESS", "a proxy whose X-Forwarded-For counts, as 10.0.0.5 or 10.0.0.0/24; may be repeated"),
    ("--max-calls", "N", "calls at once, of all callers (256)"),
    ("--max-calls-per-caller", "N", "calls at once of each caller (64)"),
    ("--max-connections-per-address", "N", "connections at once of each address, but of trusted proxies (500)"),
    ("--rate-limit", "N|off", "requests a minute and key, to our own backend for a team (60)"),
)
_OWN_KEYS: Final = ("OSOTO_API_KEY", "TRAVELMODE_TOKEN")
HTTP_FLAGS: Final = tuple(flag for flag, *_ in _FLAGS)
_REPEATED: Final = ("--allowed-host", "--allowed-origin", "--trusted-proxy")


def flags_of_http(parser: ArgumentParser) -> None:
    group = parser.add_argument_group(
        "over HTTP", "Each may also be set as a variable, --host as TRIPS_MCP_HOST; the flag wins."
    )
    for flag, value, text in _FLAGS:
        group.add_argument(flag, metavar=value, help=text, action="append" if flag in _REPEATED else "store")


def serve_http(arguments: Namespace) -> int:
    """Runs until a signal ends it."""
    from trips_mcp.client.errors import CannotConnectError
    from trips_mcp.server.preload import gc_paused
    from trips_mcp.tools.selection.rules import choose

    with gc_paused():
        from trips_mcp.server.http.factory import app_for_callers, app_for_this_computer
        from trips_mcp.server.http.run import log_request, serve
        from trips_mcp.server.http.settings import HttpSettings, auth_of, settings_of_callers

    try:
        http = HttpSettings.from_env(os.environ, chosen_http(arguments))
        with _listening(http) as listener:
            address = listener.getsockname()[0]
            auth = auth_of(http, address)
            if auth == "key":
                settings = settings_of_callers(os.environ, chosen(arguments))
                opening = app_for_callers(settings, http, address, log_request)
            else:
                settings = Settings.from_env(os.environ, chosen(arguments))
                opening = app_for_this_computer(settings, http, address, log_request)
            _check_rate_limit(http, settings)
            choose(settings)  # reports an invalid choice of tools at the start, not to the first caller
            announce = partial(_announce, listener, http, auth, settings)
            run_async(serve, opening, http, listener, settings.log, announce)
    except (SettingsError, CannotConnectError) as error:
        raise CommandError(str(error)) from None
    return 0


def chosen_http(arguments: Namespace) -> Mapping[str, str]:
    """The given flags, by name. Raises: CommandError."""
    return given(arguments, ("--transport", *HTTP_FLAGS))


def _check_rate_limit(http: "HttpSettings", settings: Settings) -> None:
    """Raises: CommandError."""
    if http.chosen_rate_limit and not settings.team:
        raise CommandError(
            f"{http.chosen_rate_limit} is for a team on our own backend, and other services have limits of their own; "
            "set TRIPS_MCP_DATABASE and --auth key, or leave it out."
        )


def _listening(http: "HttpSettings") -> socket.socket:
    """Raises: CommandError."""
    try:
        family = socket.AF_INET6 if ":" in http.host else socket.AF_INET
        listener = socket.create_server((http.host, http.port), family=family)
        # asyncio sets this only on sockets created with IPPROTO_TCP; without it every response waits 40 ms
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return listener
    except (OSError, UnicodeError) as error:  # a host name that can't be encoded is a UnicodeError
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "not a host name"
        raise CommandError(
            f"cannot listen on {http.host} port {http.port} ({reason}); choose another with --host and --port, "
            "or --port 0 for any free one."
        ) from None


def _announce(listener: socket.socket, http: "HttpSettings", auth: "Auth", settings: Settings) -> None:
    host, port = listener.getsockname()[:2]
    base = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    places = f"{base}/mcp and {base}/sse" if http.transport == "http" else f"{base}/sse"
    for notice in settings.notices:
        remark(notice)
    if auth == "key" and (own := [name for name in _OWN_KEYS if os.environ.get(name, "").strip()]):
        remark(f"{' and '.join(own)} has no part here: each call acts with its caller's own key.")
    if not is_loopback(host):
        remark(
            f"Warning: {host} can be reached from other computers, and keys and trips travel unencrypted; "
            "put a TLS proxy in front."
        )
        if not http.allowed_hosts and ip_address(host).is_unspecified:
            remark("Only calls to localhost are answered: name the host that others call with --allowed-host.")
    remark(f"Serving {places}; {_who(auth, settings)}.")


def _who(auth: "Auth", settings: Settings) -> str:
    if auth == "none":
        return "anybody on this computer may call"
    if settings.team:
        return "each call needs a key, from trips-mcp backend create-key, as Authorization: Bearer"
    return "each call needs its caller's Trips API key as Authorization: Bearer"
