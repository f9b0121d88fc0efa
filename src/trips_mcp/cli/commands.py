"""All commands except bare `trips-mcp`: their table, the parser, and the handling of their errors."""

from argparse import SUPPRESS, Namespace, RawDescriptionHelpFormatter
from collections.abc import Sequence
from functools import cache

from trips_mcp import __version__
from trips_mcp.cli import OF_NO_SERVER
from trips_mcp.cli.backend_admin import (
    BACKEND_CREATE_KEY,
    BACKEND_KEYS,
    BACKEND_MEMBERS,
    BACKEND_MIGRATE,
    BACKEND_MOVE_TRIP,
    BACKEND_REVOKE_KEY,
)
from trips_mcp.cli.backend_serve import BACKEND_SERVE
from trips_mcp.cli.call import CALL
from trips_mcp.cli.command import WORDS, Command, CommandError
from trips_mcp.cli.demo import DEMO
from trips_mcp.cli.doctor import DOCTOR
from trips_mcp.cli.export import EXPORT
from trips_mcp.cli.history import HISTORY, UNDO
from trips_mcp.cli.import_bookings import IMPORT
from trips_mcp.cli.install import INSTALL
from trips_mcp.cli.output import OutputError, discard, finish, remark, set_up_output
from trips_mcp.cli.parser import Parser, normalized
from trips_mcp.cli.serve import SERVE, serve
from trips_mcp.cli.tools import TOOLS

COMMANDS: tuple[Command, ...] = (
    SERVE,
    INSTALL,
    DEMO,
    TOOLS,
    CALL,
    EXPORT,
    IMPORT,
    HISTORY,
    UNDO,
    DOCTOR,
    BACKEND_SERVE,
    BACKEND_CREATE_KEY,
    BACKEND_KEYS,
    BACKEND_REVOKE_KEY,
    BACKEND_MEMBERS,
    BACKEND_MOVE_TRIP,
    BACKEND_MIGRATE,
)

_INTRODUCTION = """\
A traveller's trips as tools for AI agents.
With no command it serves MCP over stdio, which is what MCP clients start; it takes the flags of serve."""

_GROUPS = {"backend": "the embedded backend as a REST service of its own"}


def run(words: Sequence[str]) -> int:
    set_up_output()
    words = normalized(words, {command.words for command in COMMANDS}, flags_with_value())
    if words and words[0].startswith("-") and words[0] not in OF_NO_SERVER:
        return serve(words)
    try:
        return _run(words)
    except CommandError as error:
        remark(f"trips-mcp: {error}")
        return 2
    except OutputError as error:
        discard()
        remark(f"trips-mcp: {error}")
        return 1
    except BrokenPipeError:  # the reader closed the pipe: `trips-mcp tools | head`
        discard()
        return 1


def _run(words: Sequence[str]) -> int:
    try:
        arguments = _parsed(words)
    except SystemExit:  # argparse has printed the help
        finish()
        raise
    code: int = arguments.run(arguments)
    finish()
    return code


def _parsed(words: Sequence[str]) -> Namespace:
    """Also accepts words after flags, for commands with any number of words; argparse alone does not."""
    arguments, further = parser().parse_known_args(words)
    if further and (not hasattr(arguments, WORDS) or any(word.startswith("-") for word in further)):
        arguments.parser.error(f"unrecognized arguments: {' '.join(further)}")
    if further:
        setattr(arguments, WORDS, [*getattr(arguments, WORDS), *further])
    return arguments


def parser() -> Parser:
    return _parsers()[0]


def flags_with_value() -> set[str]:
    """Flags of any command that take the word after them."""
    return {flag for below in _parsers()[1] for flag in below.flags_with_value()}


@cache
def _parsers() -> tuple[Parser, list[Parser]]:
    """The parser, and those of the commands below it."""
    all_below: list[Parser] = []
    top = Parser(
        prog="trips-mcp",
        usage="trips-mcp [-h] [--version] [FLAG ... | COMMAND ...]",
        description=_help(),
        formatter_class=RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    top.add_argument("--version", action="version", version=f"trips-mcp {__version__}")
    below = top.add_subparsers(
        prog=top.prog, metavar="COMMAND", required=True, help=SUPPRESS
    )  # the description lists them
    groups = {
        name: below.add_parser(name, description=text).add_subparsers(metavar="COMMAND", required=True)
        for name, text in _GROUPS.items()
    }
    for command in COMMANDS:
        group, _, word = command.words.rpartition(" ")
        sub = (groups[group] if group else below).add_parser(
            word, help=command.summary if group else None, description=command.summary, allow_abbrev=False
        )
        command.flags(sub)
        sub.set_defaults(run=command.run, parser=sub)
        all_below.append(sub)
    return top, all_below


def _help() -> str:
    width = max(len(command.words) for command in COMMANDS)
    lines = (f"  {command.words:<{width}}  {command.summary}" for command in COMMANDS)
    return "\n".join((_INTRODUCTION, "", "commands:", *lines, "", "Each has its own --help."))
