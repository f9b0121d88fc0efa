"""JSON in mails, with the mistakes that browsers and Gmail accept."""

import html
import json
import re
from typing import Any, Final

DEEPEST: Final = 60
"""Levels of nesting; deeper values are dropped."""
_LARGEST: Final = 2_000_000
"""Characters of a script that are read."""

_SPACE: Final = re.compile(r"(?:[\s\ufeff\u200b;]|<!--|-->|<!\[CDATA\[|\]\]>)+")
_BARE: Final = re.compile(r"[^\s,:\]}\[{\"']+")
_ESCAPE: Final = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_ESCAPED: Final = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}
_COMMENTS: Final = {"//": "\n", "/*": "*/"}
_WORDS: Final[dict[str, Any]] = {"true": True, "false": False, "null": None, "undefined": None}


def read_loose_json(text: str) -> list[Any]:
    """All values of a script. What cannot be read is dropped; never raises.

    Accepts missing and surplus commas and brackets, comments, single quotes, bare keys, line breaks in strings,
    HTML entities, and several objects one after the other.
    """
    text = text[:_LARGEST].strip().strip("\ufeff;")
    for candidate in dict.fromkeys((text, html.unescape(text))):
        try:
            return [json.loads(candidate, strict=False)]
        except (ValueError, RecursionError):
            continue
    if '"' not in text and "&quot;" in text:
        text = html.unescape(text)
    return _LooseParser(text).values()


class _LooseParser:
    """Recursive descent that skips what it does not expect. Each step consumes input, so it ends."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def values(self) -> list[Any]:
        found: list[Any] = []
        while self._peek():
            if self._text[self._at] in "{[":
                found.append(self._value(0))
            else:
                self._at += 1
        return found

    def _peek(self) -> str:
        """The next character that is no space or comment; empty at the end."""
        while True:
            space = _SPACE.match(self._text, self._at)
            if space is not None:
                self._at = space.end()
            end = _COMMENTS.get(self._text[self._at : self._at + 2])
            if end is None:
                return self._text[self._at : self._at + 1]
            found = self._text.find(end, self._at + 2)
            self._at = found + len(end) if found >= 0 else len(self._text)

    def _value(self, depth: int) -> Any:
        mark = self._peek()
        if mark == "{":
            return self._object(depth + 1)
        if mark == "[":
            return self._list(depth + 1)
        if mark in ('"', "'"):
            return self._string(mark)
        return self._bare()

    def _object(self, depth: int) -> dict[str, Any] | None:
        found: dict[str, Any] = {}
        self._at += 1
        if depth > DEEPEST:
            return self._skip()
        while (mark := self._peek()) and mark not in "}]":
            if mark in ",:":
                self._at += 1
                continue
            key = self._string(mark) if mark in "\"'" else str(self._bare())
            if self._peek() == ":":
                self._at += 1
                if self._peek() not in ("}", ",", ""):
                    found[key] = self._value(depth)
        self._close("}")
        return found

    def _list(self, depth: int) -> list[Any] | None:
        found: list[Any] = []
        self._at += 1
        if depth > DEEPEST:
            return self._skip()
        while (mark := self._peek()) and mark not in "]}":
            if mark in ",:":
                self._at += 1
                continue
            found.append(self._value(depth))
        self._close("]")
        return found

    def _close(self, bracket: str) -> None:
        """A bracket of the other kind closes an outer value, as this one's own is missing."""
        if self._peek() == bracket:
            self._at += 1

    def _skip(self) -> None:
        """Drop everything: the nesting is an attack or garbage."""
        self._at = len(self._text)

    def _string(self, quote: str) -> str:
        """An unescaped quote ends the string only if what follows can follow a string."""
        start = end = self._at + 1
        while True:
            end = self._text.find(quote, end)
            if end < 0:
                end = len(self._text)
                break
            if not self._is_escaped(start, end) and self._can_end(end + 1):
                break
            end += 1
        self._at = end + 1
        return html.unescape(_ESCAPE.sub(_unescaped, self._text[start:end]))

    def _is_escaped(self, start: int, end: int) -> bool:
        at = end
        while at > start and self._text[at - 1] == "\\":
            at -= 1
        return (end - at) % 2 == 1

    def _can_end(self, at: int) -> bool:
        rest = self._text[at : at + 80].lstrip()
        return rest[:1] in ("", ",", ":", "}", "]", '"', "'", "/", "<", ";")

    def _bare(self) -> Any:
        found = _BARE.match(self._text, self._at)
        if found is None:
            self._at += 1
            return None
        self._at = found.end()
        word = found[0]
        if word in _WORDS:
            return _WORDS[word]
        try:
            return json.loads(word)
        except ValueError:
            return word


def _unescaped(found: re.Match[str]) -> str:
    code = found[1]
    if len(code) == 5:
        return chr(int(code[1:], 16))
    return _ESCAPED.get(code, code)
