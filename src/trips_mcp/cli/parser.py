"""The command line parser: flags on either side of a command, usage errors in one sentence."""

import re
import sys
from argparse import ArgumentParser
from collections.abc import Collection, Sequence
from typing import Any, Final, NoReturn

from trips_mcp.cli.output import remark, say
from trips_mcp.cli.settings import FLAGS_WITH_VALUE, SWITCHES
from trips_mcp.setting_values import SWITCH_WORDS, nearest

_UNKNOWN: Final = "unrecognized arguments: "
_CHOICE: Final = re.compile(r"argument ([^:]+): invalid choice: '(.*)' \(choose from (.*)\)", re.DOTALL)
_LONGEST: Final = 100


class Parser(ArgumentParser):
    """Errors are one sentence; --help shows the usage."""

    def error(self, message: str) -> NoReturn:  # pyright: ignore[reportImplicitOverride] - not in 3.11's typing
        remark(f"trips-mcp: {self._sentence(message)} See `{self.prog} --help`.")
        self.exit(2)

    def _print_message(self, message: str, file: Any = None) -> None:  # pyright: ignore[reportImplicitOverride]
        """`file` is stdout for --help and --version, and None if stdout is closed."""
        if message and file is not sys.stderr:
            say(message.rstrip("\n"))
        else:
            super()._print_message(message, file)

    def _sentence(self, message: str) -> str:
        if message.startswith(_UNKNOWN):
            return self._unknown(message.removeprefix(_UNKNOWN).split())
        if choice := _CHOICE.fullmatch(message):
            what, said, known = choice[1], choice[2], choice[3].replace("'", "")
            near = _did_you_mean(said, known.split(", "))
            return f"there is no {what} {said[:_LONGEST]!r};{near} it is one of {known}."
        return f"{message.removeprefix('argument ').rstrip('.')}."

    def _unknown(self, words: Sequence[str]) -> str:
        flag = next((word.partition("=")[0] for word in words if word.startswith("-")), None)
        if flag is None:
            return f"{words[0][:_LONGEST]!r} is one word too many."
        near = _did_you_mean(flag, self._flags())
        return f"{flag[:_LONGEST]} is not a flag of {self.prog}{';' if near else '.'}{near}"

    def _flags(self) -> list[str]:
        return [flag for flag in self._option_string_actions if flag.startswith("--")]

    def flags_with_value(self) -> set[str]:
        """Flags that take the word after them."""
        return {flag for flag in self._flags() if self._option_string_actions[flag].nargs is None}


def _did_you_mean(said: str, known: Collection[str]) -> str:
    found = nearest(said, known)
    return f" did you mean {found[0]}?" if found else ""


def normalized(
    words: Sequence[str], commands: Collection[str], with_value: Collection[str] = FLAGS_WITH_VALUE
) -> list[str]:
    """Joins each switch with its value, and moves flags before a command behind it.

    `commands` are whole: `tools`, `backend keys`. `with_value`: the flags that take the word after them.
    """
    rest = _with_values(words)
    command: list[str] = []
    flags: list[str] = []
    paths = [path.split() for path in commands]
    while following := {path[len(command)] for path in paths if path[: len(command)] == command != path}:
        place = _command_in(rest, following, with_value)
        if place is None:
            break
        flags += rest[:place]
        command.append(rest[place])
        rest = rest[place + 1 :]
    return [*command, *flags, *rest]


def _with_values(words: Sequence[str]) -> list[str]:
    """Any word but a switch's own values belongs to the command."""
    joined: list[str] = []
    rest = list(words)
    while rest and rest[0] != "--":
        word = rest.pop(0)
        if word in SWITCHES:
            word = f"{word}={rest.pop(0) if rest and rest[0].lower() in SWITCH_WORDS else 'on'}"
        joined.append(word)
    return [*joined, *rest]


def _command_in(words: Sequence[str], commands: Collection[str], with_value: Collection[str]) -> int | None:
    place = 0
    while place < len(words) and words[place].startswith("-") and words[place] not in ("--", "-h", "--help"):
        place += 2 if words[place] in with_value else 1
    return place if place < len(words) and words[place] in commands else None
