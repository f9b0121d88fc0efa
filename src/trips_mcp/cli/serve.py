"""The command `trips-mcp serve`, the MCP server over stdio or HTTP.

Flags without a command are its flags, because client configurations add them to bare `trips-mcp`.
"""

import os
from argparse import Namespace
from collections.abc import Sequence

from trips_mcp.cli import serve_stdio
from trips_mcp.cli.command import Command, CommandError
from trips_mcp.cli.output import OutputError, discard, remark
from trips_mcp.cli.parser import Parser, normalized
from trips_mcp.cli.serve_http import serve_http
from trips_mcp.cli.settings import add_server_flags, given
from trips_mcp.setting_values import variable
from trips_mcp.settings_table import TRANSPORT, WORKERS


def serve(words: Sequence[str]) -> int:
    """Like `trips-mcp serve` with these flags, without loading the other commands."""
    parser = Parser(prog="trips-mcp", usage="trips-mcp [FLAG ...]", allow_abbrev=False)
    add_server_flags(parser)
    try:
        return _run(parser.parse_args(normalized(words, ())))
    except CommandError as error:
        remark(f"trips-mcp: {error}")
        return 2
    except OutputError as error:
        discard()
        remark(f"trips-mcp: {error}")
        return 1


def _run(arguments: Namespace) -> int:
    transport = arguments.transport or variable(os.environ, TRANSPORT.name) or TRANSPORT.default
    if transport != TRANSPORT.default:
        return serve_http(arguments)
    if WORKERS.flag in given(arguments, "http"):  # an empty flag is an error here too
        raise CommandError(f"{WORKERS.flag} is for a server over HTTP; add --transport http, or leave it out.")
    return serve_stdio(given(arguments, "offer"))


SERVE = Command(words="serve", summary="serve the tools over MCP", flags=add_server_flags, run=_run)
