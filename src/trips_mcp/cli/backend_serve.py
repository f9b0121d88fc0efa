"""The command `trips-mcp backend serve`: the embedded backend as a REST service with keys and limits."""

import signal
import socket
from argparse import ArgumentParser, Namespace
from typing import Final

from trips_mcp.addresses import MOST_PER_ADDRESS, TrustedProxies
from trips_mcp.cli.command import Command, CommandError, run_async
from trips_mcp.cli.listener import base_url, listening, warn_if_public
from trips_mcp.cli.output import remark
from trips_mcp.cli.settings import add_database_flag, add_flag, database_of, given_of
from trips_mcp.setting_values import SettingsError
from trips_mcp.settings_table import HOST, MAX_CONNECTIONS_PER_ADDRESS, PORT, RATE_LIMIT, TRUSTED_PROXY, Given

_SETTINGS: Final = (HOST, PORT, RATE_LIMIT, TRUSTED_PROXY, MAX_CONNECTIONS_PER_ADDRESS)
_PORT: Final = "8849"
"""Its own default, so that it can run beside a server over HTTP."""
_SECONDS_FOR_OPEN_REQUESTS = 5


def _flags(parser: ArgumentParser) -> None:
    add_database_flag(parser)
    for setting in _SETTINGS:
        add_flag(parser, setting, default=_PORT if setting is PORT else "")


def _run(arguments: Namespace) -> int:
    database = database_of(arguments.database)
    try:
        given = Given({}, given_of(arguments, *_SETTINGS))
        host = HOST.value(given, HOST.default)
        port = PORT.value(given, int(_PORT))
        rate_limit = RATE_LIMIT.value(given, int(RATE_LIMIT.default))
        proxies = TRUSTED_PROXY.value(given, TrustedProxies())
        per_address = MAX_CONNECTIONS_PER_ADDRESS.value(given, MOST_PER_ADDRESS)
    except SettingsError as error:
        raise CommandError(str(error)) from None
    with listening(host, port) as listener:
        run_async(_serve, listener, database, rate_limit, proxies, per_address)
    return 0


async def _serve(
    listener: socket.socket, database: str, rate_limit: int | None, proxies: TrustedProxies, per_address: int
) -> None:
    import uvicorn

    from trips_mcp.backend import DatabaseError, open_backend
    from trips_mcp.cli.backend_http import guarded, protocol_of

    try:
        async with open_backend(database, require_keys=True, rate_limit=rate_limit) as app:
            server = uvicorn.Server(
                uvicorn.Config(
                    guarded(app, proxies),
                    http=protocol_of(proxies, per_address),
                    ws="none",
                    proxy_headers=False,
                    lifespan="off",
                    log_level="warning",
                    access_log=False,
                    timeout_graceful_shutdown=_SECONDS_FOR_OPEN_REQUESTS,
                )
            )
            # uvicorn raises the signal again after shutdown; this handler takes it, so the exit code stays 0
            for ending in (signal.SIGINT, signal.SIGTERM):
                signal.signal(ending, server.handle_exit)
            _announce(listener)
            await server.serve(sockets=[listener])
    except DatabaseError as error:
        raise CommandError(str(error)) from None


def _announce(listener: socket.socket) -> None:
    base = base_url(listener)
    warn_if_public(listener)
    remark(
        f"Serving {base}/api/v1 (OSOTO_BASE_URL) and {base} (TRAVELMODE_BASE_URL); "
        "a key for both: trips-mcp backend create-key."
    )


BACKEND_SERVE = Command(
    words="backend serve", summary="serve both REST APIs over HTTP, with keys and limits", flags=_flags, run=_run
)
