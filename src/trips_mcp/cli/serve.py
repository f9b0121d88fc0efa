"""`trips-mcp serve`: the MCP server, told over which transport."""

import os
from argparse import ArgumentParser, Namespace

from trips_mcp.cli.command import Command
from trips_mcp.cli.serve_http import flags_of_http, serve_http
from trips_mcp.cli.stdio import serve_stdio

_STDIO = "stdio"


def _flags(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--transport", choices=[_STDIO, "http", "sse"], help=f"how clients reach it (default: {_STDIO})"
    )
    flags_of_http(parser)


def _run(arguments: Namespace) -> int:
    transport = arguments.transport or os.environ.get("TRIPS_MCP_TRANSPORT", "").strip() or _STDIO
    return serve_stdio() if transport == _STDIO else serve_http(arguments)


SERVE = Command(words="serve", summary="serve the tools over MCP", flags=_flags, run=_run)
