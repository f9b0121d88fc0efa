"""`trips-mcp serve`: the MCP server, told over which transport, and what to offer.

Flags without a command are its flags: client configurations give them behind the bare `trips-mcp`.
"""

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence

from trips_mcp.cli.choices import chosen, flags_that_choose
from trips_mcp.cli.command import Command
from trips_mcp.cli.stdio import serve_stdio


def serve(words: Sequence[str]) -> int:
    """As `trips-mcp serve` with these flags, without loading the other commands."""
    parser = ArgumentParser(prog="trips-mcp", usage="trips-mcp [FLAG ...]", allow_abbrev=False)
    _flags(parser)
    return _run(parser.parse_args(words))


def _flags(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--transport", choices=["stdio"], default="stdio", help="how clients reach it (default: %(default)s)"
    )
    flags_that_choose(parser)


def _run(arguments: Namespace) -> int:
    return serve_stdio(chosen(arguments))


SERVE = Command(words="serve", summary="serve the tools over MCP", flags=_flags, run=_run)
