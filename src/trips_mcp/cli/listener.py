"""The listening socket of a command that serves over HTTP, and what it prints about its address."""

import socket

from trips_mcp.addresses import is_loopback
from trips_mcp.cli.command import CommandError
from trips_mcp.cli.output import remark


def listening(host: str, port: int) -> socket.socket:
    """Raises: CommandError."""
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


def base_url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def warn_if_public(listener: socket.socket) -> None:
    host = listener.getsockname()[0]
    if not is_loopback(host):
        remark(
            f"Warning: {host} can be reached from other computers, and keys and trips travel unencrypted; "
            "put a TLS proxy in front."
        )
