"""Edits of one member of a JSON text, which leave every other character unchanged.

The text must be a JSON object. The values on the path must be objects too.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

_SPACE: Final = re.compile(r"[ \t\r\n]*")
_DECODER: Final = json.JSONDecoder()


@dataclass(frozen=True, slots=True)
class _Member:
    name: str
    start: int
    value: int
    end: int


def with_member(text: str, path: Sequence[str], value: object) -> str:
    """Creates missing objects on the path."""
    opening = _after_space(text, 0)
    for depth, name in enumerate(path[:-1]):
        member = _last(_members(text, opening), name)
        if member is None:
            for missing in reversed(path[depth + 1 :]):
                value = {missing: value}
            return _with_new(text, opening, name, value)
        opening = member.value
    member = _last(_members(text, opening), path[-1])
    if member is None:
        return _with_new(text, opening, path[-1], value)
    return text[: member.value] + _rendered(text, value, member.value) + text[member.end :]


def without_member(text: str, path: Sequence[str]) -> str:
    opening = _after_space(text, 0)
    for name in path[:-1]:
        member = _last(_members(text, opening), name)
        if member is None:
            return text
        opening = member.value
    while (members := _members(text, opening)) and (member := _last(members, path[-1])):
        text = _without(text, opening, members, members.index(member))
    return text


def _members(text: str, opening: int) -> list[_Member]:
    found: list[_Member] = []
    at = _after_space(text, opening + 1)
    while text[at] != "}":
        name, after = _DECODER.raw_decode(text, at)
        value = _after_space(text, _after_space(text, after) + 1)
        _, end = _DECODER.raw_decode(text, value)
        found.append(_Member(name, at, value, end))
        at = _after_space(text, end)
        if text[at] == ",":
            at = _after_space(text, at + 1)
    return found


def _last(members: list[_Member], name: str) -> _Member | None:
    """The last member of that name, like JSON parsers."""
    return next((member for member in reversed(members) if member.name == name), None)


def _with_new(text: str, opening: int, name: str, value: object) -> str:
    members = _members(text, opening)
    key = f"{json.dumps(name, ensure_ascii=False)}: "
    if members and _in_a_line(text[opening : members[-1].end]):
        return _put(text, members[-1].end, f", {key}{json.dumps(value, ensure_ascii=False)}")
    newline = _newline(text)
    if members:
        indent = newline + _indent_at(text, members[-1].start)
        return _put(text, members[-1].end, f",{indent}{key}{_rendered(text, value, members[-1].start)}")
    outer = newline + _indent_at(text, opening)
    inner = outer + _unit(text)
    closing = _after_space(text, opening + 1)
    return f"{text[: opening + 1]}{inner}{key}{_indented(text, value, inner)}{outer}{text[closing:]}"


def _without(text: str, opening: int, members: list[_Member], index: int) -> str:
    if index + 1 < len(members):
        return text[: members[index].start] + text[members[index + 1].start :]
    if index > 0:
        return text[: members[index - 1].end] + text[members[index].end :]
    return text[: opening + 1] + text[_after_space(text, members[index].end) :]


def _rendered(text: str, value: object, at: int) -> str:
    """The value on several lines, unless the whole text is one line."""
    if _in_a_line(text.strip()):
        return json.dumps(value, ensure_ascii=False)
    return _indented(text, value, _newline(text) + _indent_at(text, at))


def _indented(text: str, value: object, line_start: str) -> str:
    return json.dumps(value, ensure_ascii=False, indent=_unit(text)).replace("\n", line_start)


def _in_a_line(text: str) -> bool:
    return "\n" not in text


def _newline(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _unit(text: str) -> str:
    """One step of indentation, taken from the first member on its own line."""
    found = re.search(r"^([ \t]+)\"", text, re.MULTILINE)
    return found[1] if found else "  "


def _indent_at(text: str, at: int) -> str:
    line = text[text.rfind("\n", 0, at) + 1 : at]
    return line[: len(line) - len(line.lstrip(" \t"))]


def _put(text: str, at: int, added: str) -> str:
    return text[:at] + added + text[at:]


def _after_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at
