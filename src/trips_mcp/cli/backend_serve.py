"""The command `trips-mcp backend serve`: the embedded backend as a REST service with keys and limits."""

import signal
import socket
from argparse import ArgumentParser, ArgumentTypeError, Namespace

from trips_mcp.addresses import MOST_PER_ADDRESS, TrustedProxies, is_loopback
from trips_mcp.cli.command import Command, CommandError, run_async
from trips_mcp.cli.environment import database_of
from trips_mcp.cli.output import remark

_SECONDS_FOR_OPEN_REQUESTS = 5


def _flags(parser: ArgumentParser) -> None:
    parser.add_argument("--host", type=_host, default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument(
        "--port", type=_port, default=8849, help="0 takes a free one and says which (default: %(default)s)"
    )
    parser.add_argument("--database", metavar="URL", help="SQLAlchemy URL or file path (TRIPS_MCP_DATABASE)")
    parser.add_argument(
        "--rate-limit",
        type=_rate_limit,
        default=60,
        metavar="N|off",
        help="requests a minute and key (default: %(default)s)",
    )
    parser.add_argument(
        "--trusted-proxy",
        action="append",
        default=[],
        metavar="ADDRESS",
        help="a proxy whose X-Forwarded-For counts, as 10.0.0.5 or 10.0.0.0/24; may be repeated",
    )
    parser.add_argument(
        "--max-connections-per-address",
        type=_connections,
        default=MOST_PER_ADDRESS,
        metavar="N",
        help="connections at once of each address, but of trusted proxies (default: %(default)s)",
    )


def _host(text: str) -> str:
    if text.strip():
        return text
    raise ArgumentTypeError("must not be empty; 0.0.0.0 is every address of this computer")


def _port(text: str) -> int:
    if text.isascii() and text.isdigit() and int(text) < 2**16:
        return int(text)
    raise ArgumentTypeError(f"{text!r} is not a port, want 0 to 65535")


def _rate_limit(text: str) -> int | None:
    if text == "off":
        return None
    if text.isascii() and text.isdigit() and 0 < int(text) < 10**9:
        return int(text)
    raise ArgumentTypeError(f"{text!r} is not a limit, want requests a minute, or off")


def _connections(text: str) -> int:
    if text.isascii() and text.isdigit() and 0 < int(text) < 10**6:
        return int(text)
    raise ArgumentTypeError(f"{text!r} is not a number of connections, want 1 or more")


def _run(arguments: Namespace) -> int:
    database = database_of(arguments.database)
    try:
        proxies = TrustedProxies(",".join(arguments.trusted_proxy).replace(",", " ").split())
    except ValueError:
        raise CommandError("--trusted-proxy must be an address of a proxy, as 10.0.0.5 or 10.0.0.0/24.") from None
    with _listening(arguments.host, arguments.port) as listener:
        run_async(_serve, listener, database, arguments.rate_limit, proxies, arguments.max_connections_per_address)
    return 0


def _listening(host: str, port: int) -> socket.socket:
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.create_server((host, port), family=family)
        # asyncio sets this only on sockets created with IPPROTO_TCP; without it every response waits 40 ms
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return listener
    except (OSError, UnicodeError) as error:  # a host name that can't be encoded is a UnicodeError
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "not a host name"
        raise CommandError(
            f"cannot listen on {host} port {port} ({reason}); choose another with --host and --port, "
            "or --port 0 for any free one."
        ) from None


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
    host, port = listener.getsockname()[:2]
    if not is_loopback(host):
        remark(
            f"Warning: {host} can be reached from other computers, and keys and trips travel unencrypted; "
            "put a TLS proxy in front."
        )
    base = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    remark(
        f"Serving {base}/api/v1 (OSOTO_BASE_URL) and {base} (TRAVELMODE_BASE_URL); "
        "a key for both: trips-mcp backend create-key."
    )


BACKEND_SERVE = Command(
    words="backend serve", summary="serve both REST APIs over HTTP, with keys and limits", flags=_flags, run=_run
)
