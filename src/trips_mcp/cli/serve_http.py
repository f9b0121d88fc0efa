"""The server over HTTP, from its settings to its start messages."""

import os
import socket
from argparse import Namespace
from dataclasses import replace
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final

from trips_mcp.cli.command import CommandError, run_async
from trips_mcp.cli.listener import base_url, listening, warn_if_public
from trips_mcp.cli.output import remark
from trips_mcp.cli.settings import given
from trips_mcp.setting_values import SettingsError
from trips_mcp.settings import Settings
from trips_mcp.settings_table import KEYS, WORKERS

if TYPE_CHECKING:
    from trips_mcp.server.http.settings import Auth, HttpSettings

_OF_WORKERS: Final = (
    "trips_mcp.backend.app",
    "trips_mcp.client.journal_store",
    "trips_mcp.history.sqlite",
    "trips_mcp.server.handlers",
    "trips_mcp.tools.registry",
)
"""What serving needs: loaded before the workers are forked, so that they share its memory and start at once."""


def serve_http(arguments: Namespace) -> int:
    """Runs until a signal ends it."""
    from trips_mcp.client.errors import CannotConnectError
    from trips_mcp.server.preload import gc_paused
    from trips_mcp.tools.selection import choose

    with gc_paused():
        from trips_mcp.server.http.factory import app_for_callers, app_for_this_computer
        from trips_mcp.server.http.run import log_request, serve
        from trips_mcp.server.http.settings import HttpSettings, auth_of, settings_of_callers
        from trips_mcp.server.http.workers import Supervisor, Worker, WorkersError, shared_folder
        from trips_mcp.server.logs import log_to_stderr

    has_uvloop = find_spec("uvloop") is not None  # `trips-mcp[uvloop]`: a tenth less CPU time for a call

    def serve_alone() -> None:
        opening = app_of(settings, http, address, log_request)
        run_async(serve, opening, http, listener, settings.log, announce, use_uvloop=has_uvloop)

    def serve_in_workers() -> None:
        _check_is_shared(settings)
        with gc_paused():
            for module in _OF_WORKERS:
                import_module(module)
        with shared_folder() as folder:
            shared = replace(settings, shared_folder=folder)

            def work(worker: Worker) -> None:
                opening = app_of(shared, http, address, log_request, worker=worker)
                run_async(serve, opening, http, listener, settings.log, worker.ready, worker, use_uvloop=has_uvloop)

            log_to_stderr(settings.log)
            Supervisor(http.workers, listener, work, announce, folder).run()

    try:
        http = HttpSettings.from_env(os.environ, given(arguments, "start", "http"))
        with listening(http.host, http.port) as listener:
            address = listener.getsockname()[0]
            auth = auth_of(http, address)
            if auth == "key":
                settings = settings_of_callers(os.environ, given(arguments, "offer"))
                app_of = app_for_callers
            else:
                settings = Settings.from_env(os.environ, given(arguments, "offer"))
                app_of = app_for_this_computer
            _check_rate_limit(http, settings)
            if settings.chosen_files is not None:
                raise SettingsError("--files (TRIPS_MCP_FILES) is for a server over stdio; leave it out over HTTP.")
            choose(settings)  # reports an invalid choice of tools at the start, not to the first caller
            announce = partial(_announce, listener, http, auth, settings)
            if http.workers == 1:
                serve_alone()
            else:
                serve_in_workers()
    except (SettingsError, CannotConnectError, WorkersError) as error:
        raise CommandError(str(error)) from None
    return 0


def _check_is_shared(settings: Settings) -> None:
    """Raises: CommandError if the database is in the memory of one process."""
    from trips_mcp.backend import DatabaseError
    from trips_mcp.backend.store.database import in_memory, locate

    try:
        if settings.one_store and in_memory(locate(settings.database)):
            raise CommandError(
                f"{WORKERS.flag} ({WORKERS.name}) needs a database that processes can share; name a file or PostgreSQL."
            )
    except DatabaseError as error:
        raise CommandError(str(error)) from None


def _check_rate_limit(http: "HttpSettings", settings: Settings) -> None:
    """Raises: CommandError."""
    if http.chosen_rate_limit and not settings.team:
        raise CommandError(
            f"{http.chosen_rate_limit} is for a team on our own backend, and other services have limits of their own; "
            "set TRIPS_MCP_DATABASE and --auth key, or leave it out."
        )


def _announce(listener: socket.socket, http: "HttpSettings", auth: "Auth", settings: Settings) -> None:
    host, base = listener.getsockname()[0], base_url(listener)
    places = f"{base}/sse" if http.transport == "sse" else f"{base}/mcp"
    if http.transport == "http" and http.workers == 1:
        places = f"{places} and {base}/sse"
    for notice in settings.notices:
        remark(notice)
    if auth == "key" and (own := [name for name in KEYS if os.environ.get(name, "").strip()]):
        remark(f"{' and '.join(own)} is not used here: each call acts with its caller's own key.")
    warn_if_public(listener)
    if not http.allowed_hosts and ip_address(host).is_unspecified:
        remark("Only calls to localhost are answered: name the host that others call with --allowed-host.")
    remark(f"Serving {places}; {_who(auth, settings)}.")


def _who(auth: "Auth", settings: Settings) -> str:
    if auth == "none":
        return "anybody on this computer may call"
    if settings.team:
        return "each call needs a key, from trips-mcp backend create-key, as Authorization: Bearer"
    return "each call needs its caller's Trips API key as Authorization: Bearer"
