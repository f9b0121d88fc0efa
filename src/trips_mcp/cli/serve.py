"""The command `trips-mcp serve`, the MCP server over stdio or HTTP.

Flags without a command are its flags, because client configurations add them to bare `trips-mcp`.
"""

import os
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence

from trips_mcp.cli.command import Command, CommandError
from trips_mcp.cli.output import remark
from trips_mcp.cli.parser import Parser, normalized
from trips_mcp.cli.selection_flags import chosen, flags_that_choose
from trips_mcp.cli.serve_http import chosen_http, flags_of_http, serve_http
from trips_mcp.cli.serve_stdio import serve_stdio

_STDIO = "stdio"


def serve(words: Sequence[str]) -> int:
    """Like `trips-mcp serve` with these flags, without loading the other commands."""
    parser = Parser(prog="trips-mcp", usage="trips-mcp [FLAG ...]", allow_abbrev=False)
    flags_of_a_server(parser)
    try:
        return _run(parser.parse_args(normalized(words, ())))
    except CommandError as error:
        remark(f"trips-mcp: {error}")
        return 2


def flags_of_a_server(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--transport", choices=[_STDIO, "http", "sse"], help=f"how clients reach it (default: {_STDIO})"
    )
    flags_that_choose(parser)
    flags_of_http(parser)


def _run(arguments: Namespace) -> int:
    transport = arguments.transport or os.environ.get("TRIPS_MCP_TRANSPORT", "").strip() or _STDIO
    if transport != _STDIO:
        return serve_http(arguments)
    chosen_http(arguments)  # an empty flag is an error here too
    return serve_stdio(chosen(arguments))


SERVE = Command(words="serve", summary="serve the tools over MCP", flags=flags_of_a_server, run=_run)
