"""`trips-mcp serve`: the MCP server, told over which transport."""

from argparse import ArgumentParser, Namespace

from trips_mcp.cli.command import Command
from trips_mcp.cli.stdio import serve_stdio


def _flags(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--transport", choices=["stdio"], default="stdio", help="how clients reach it (default: %(default)s)"
    )


def _run(_: Namespace) -> int:
    return serve_stdio()


SERVE = Command(words="serve", summary="serve the tools over MCP", flags=_flags, run=_run)
