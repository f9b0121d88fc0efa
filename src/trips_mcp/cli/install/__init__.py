"""The command `trips-mcp install CLIENT`, which edits the configuration of an MCP client."""

import re
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from urllib.parse import urlsplit

from trips_mcp.cli.command import Command
from trips_mcp.cli.install.clients import CLIENTS
from trips_mcp.cli.settings import add_flags

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_LONGEST_TOOL = 64
"""Maximum characters of a tool name in model APIs. Clients name tools mcp__NAME__tool."""


def _flags(parser: ArgumentParser) -> None:
    parser.add_argument("client", choices=sorted(CLIENTS), metavar="CLIENT", help=", ".join(CLIENTS))
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--print", action="store_true", help="print the entry and where it belongs; change nothing")
    what.add_argument("--remove", action="store_true", help="remove the server again")
    parser.add_argument(
        "--name", type=_name, default="trips", help="the server's name in the client (default: %(default)s)"
    )
    parser.add_argument(
        "--from",
        dest="package",
        metavar="PACKAGE",
        help="the package that uvx runs: trips-mcp==0.1.0, a wheel, a folder",
    )
    parser.add_argument(
        "--url", type=_url, help="a server that already runs, as http://127.0.0.1:8848/mcp, instead of starting one"
    )
    add_flags(parser, "offer")
    parser.epilog = (
        "OSOTO_API_KEY, TRAVELMODE_TOKEN, their base URLs and all TRIPS_MCP_ variables are copied, if set. "
        "Keys are never shown: --print puts a reference in their place."
    )


def _name(text: str) -> str:
    from trips_mcp.tools.listing import entries

    most = _LONGEST_TOOL - len(f"mcp____{max((entry['listing']['name'] for entry in entries()), key=len)}")
    if not _NAME.fullmatch(text):
        raise ArgumentTypeError(f"use letters, digits, - and _, at most {most} of them")
    if len(text) > most:
        raise ArgumentTypeError(
            f"{len(text)} characters are too many: tools are called mcp__NAME__tool, which model APIs take up to "
            f"{_LONGEST_TOOL} characters of; use at most {most}"
        )
    return text


def _url(text: str) -> str:
    try:
        parts = urlsplit(text)
        known = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0 and parts.username is None
    except ValueError:
        known = False
    if known and text.isascii() and text.isprintable() and not set(text) & set(" \"'<>\\`$"):
        return text
    raise ArgumentTypeError("expected the address of an MCP server, as http://127.0.0.1:8848/mcp")


def _run(arguments: Namespace) -> int:
    from trips_mcp.cli.install.actions import install, remove, show
    from trips_mcp.cli.install.machine import Machine
    from trips_mcp.cli.install.target import wanted

    client, machine = CLIENTS[arguments.client], Machine.this()
    if arguments.remove:
        remove(client, arguments.name, arguments.url, machine)
    elif arguments.print:
        show(client, arguments.name, wanted(arguments, client, machine), machine)
    else:
        install(client, arguments.name, wanted(arguments, client, machine), machine)
    return 0


INSTALL = Command(
    words="install", summary="add the server to the configuration of an MCP client", flags=_flags, run=_run
)
