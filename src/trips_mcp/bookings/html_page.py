"""HTML of mails: JSON-LD, also with mistakes, microdata and the visible text. Nothing is fetched, nothing is shown."""

import html
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from trips_mcp.json_values import JsonObject, is_list, is_object

LARGEST: Final = 2_000_000
"""Characters of a page that are read."""
_DEEPEST: Final = 200
"""Open elements that are kept track of. Deeper ones still give text."""

_VOID: Final = frozenset(
    re.findall(
        r"\w+",
        "area base br col embed hr img input link meta param source track wbr keygen basefont bgsound frame ",
    )
)
_BLOCKS: Final = frozenset(
    re.findall(
        r"\w+",
        "address article blockquote br dd div dl dt footer form h1 h2 h3 h4 h5 h6 "
        "header hr li ol p section table td th tr ul ",
    )
)
_VALUE_ATTRIBUTES: Final = {
    "a": "href", "area": "href", "link": "href", "img": "src", "audio": "src", "embed": "src", "iframe": "src",
    "source": "src", "video": "src", "object": "data", "data": "value", "meter": "value", "time": "datetime",
}  # fmt: skip
_RAW: Final = frozenset(["script", "style", "textarea", "title", "noscript", "xmp"])
_MARKUP: Final = re.compile("<[A-Za-z/!?]")
_SCRIPT: Final = re.compile(r"<script\b([^<>]{0,2000})>", re.IGNORECASE)
_ITEMREF: Final = re.compile(r"""\bitemref\s*=\s*["']([^"'<>]{1,500})["']""", re.IGNORECASE)
_MOST_REFERENCES: Final = 100
_ID: Final = re.compile(r"\bid\s*=", re.IGNORECASE)
_ITEM: Final = re.compile("item", re.IGNORECASE)
_END_TAG: Final = re.compile(r"</([A-Za-z][^\s/>]{0,40})[^<>]{0,200}>")
_START_TAG: Final = re.compile(
    r"""<([A-Za-z][^\s/>"'=]{0,40})((?:[^<>"']{1,2000}+|"[^"]{0,8000}+"|'[^']{0,8000}+'){0,200}+)>"""
)
_BROKEN_TAG: Final = re.compile(r"<([A-Za-z][^\s/>]{0,40})([^<>]{0,2000})>")
"""With an odd number of quotes."""
_ATTRIBUTE: Final = re.compile(r"""([^\s=/>"']{1,80})(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>"']*)))?""")
_SPACE: Final = re.compile(r"[^\S\n]+")
_LINES: Final = re.compile(r"\s*\n\s*")
DEEPEST: Final = 60
"""Levels of nesting; deeper values are dropped."""
_LARGEST: Final = 2_000_000
"""Characters of a script that are read."""
_JSON_SPACE: Final = re.compile(r"(?:[\s\ufeff\u200b;]|<!--|-->|<!\[CDATA\[|\]\]>)+")
_BARE: Final = re.compile(r"[^\s,:\]}\[{\"']+")
_ESCAPE: Final = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_ESCAPED: Final = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}
_COMMENTS: Final = {"//": "\n", "/*": "*/"}
_WORDS: Final[dict[str, Any]] = {"true": True, "false": False, "null": None, "undefined": None}


@dataclass(slots=True)
class _Element:
    tag: str
    item: JsonObject | None = None
    names: Sequence[str] = ()
    """Properties whose value is this element's text."""
    owner: JsonObject | None = None
    text: list[str] = field(default_factory=list[str])


def read_html(page: str) -> Sequence[JsonObject]:
    """JSON-LD objects, then microdata items in the same form."""
    page = page[:LARGEST]
    lower = page.lower() if len(page.lower()) == len(page) else page
    found = [*_json_ld(page, lower)]
    return [*found, *_MicrodataReader(page, lower).items] if "itemscope" in lower else found


def visible_text(page: str) -> str:
    """What a reader sees, a line per block."""
    page = page[:LARGEST]
    lower = page.lower() if len(page.lower()) == len(page) else page
    parts: list[str] = []
    for text, tag, _, is_end in _tokens(page, lower):
        parts.append(text)
        if tag in _BLOCKS or (tag in _RAW and is_end):
            parts.append("\n")
    text = html.unescape("".join(parts))
    return _LINES.sub("\n", _SPACE.sub(" ", text)).strip()


def _json_ld(page: str, lower: str) -> Iterator[JsonObject]:
    for script in _SCRIPT.finditer(page):
        if "json" in script[1].lower():
            end = lower.find("</script", script.end())
            yield from _objects(read_loose_json(page[script.end() : end if end >= 0 else len(page)]))


def _tokens(page: str, lower: str) -> Iterator[tuple[str, str, str, bool]]:
    """The text before each tag, the tag's name and attributes, and whether it is an end tag.

    In linear time, whatever the page is; `html.parser` is quadratic for some. The last tag is empty.
    """
    at = start = 0
    while (mark := _MARKUP.search(page, at)) is not None:
        at = mark.start()
        following = page[at + 1]
        if following in "!?":
            text, at = page[start:at], _after(page, "-->" if page.startswith("<!--", at) else ">", at)
            start = at
            yield text, "", "", False
            continue
        is_end = following == "/"
        found = _END_TAG.match(page, at) if is_end else _START_TAG.match(page, at) or _BROKEN_TAG.match(page, at)
        if found is None:
            at += 1
            continue
        text, tag, at = page[start:at], found[1].lower(), found.end()
        if tag in _RAW and not is_end:
            end = lower.find(f"</{tag}", at)
            at = end if end >= 0 else len(page)
        start = at
        yield text, tag, "" if is_end else found[2], is_end
    yield page[start:], "", "", False


def _after(page: str, mark: str, at: int) -> int:
    found = page.find(mark, at + 2)
    return found + len(mark) if found >= 0 else len(page)


class _MicrodataReader:
    """Tolerant of unclosed and crossed elements: an end tag closes up to its start, if that is open."""

    def __init__(self, page: str, lower: str) -> None:
        self.items: list[JsonObject] = []
        self._stack: list[_Element] = []
        self._collecting: list[_Element] = []
        self._fragments: dict[str, JsonObject] = {
            name: {} for names in _ITEMREF.findall(page)[:_MOST_REFERENCES] for name in names.split()
        }
        """By id: the properties of elements that an item takes in with `itemref`."""
        self._references: list[tuple[JsonObject, str]] = []
        for text, tag, attributes, is_end in _tokens(page, lower):
            if self._collecting and text:
                self._collect(html.unescape(text))
            if is_end:
                self._end(tag)
            elif tag:
                self._start(tag, attributes)
        self._close_from(0)
        for item, names in self._references:
            for name in dict.fromkeys(names.split()):
                for prop, value in self._fragments.get(name, {}).items():
                    _add(item, prop, value)

    def _start(self, tag: str, attributes: str) -> None:
        element = _Element(tag)
        if _ITEM.search(attributes) or (self._fragments and _ID.search(attributes)):
            given = {
                name.lower(): html.unescape(double or single or bare)
                for name, double, single, bare in _ATTRIBUTE.findall(attributes)
            }
            fragment = self._fragments.get(given.get("id", ""))
            if "itemscope" in given or "itemprop" in given:
                self._read_microdata(element, given, fragment)
            elif fragment is not None:
                element.item = fragment
        if tag not in _VOID and not attributes.endswith("/") and len(self._stack) < _DEEPEST:
            self._stack.append(element)
            if element.names:
                self._collecting.append(element)

    def _end(self, tag: str) -> None:
        for depth in range(len(self._stack) - 1, -1, -1):
            if self._stack[depth].tag == tag:
                self._close_from(depth)
                return

    def _collect(self, data: str) -> None:
        for element in self._collecting:
            element.text.append(data)

    def _close_from(self, depth: int) -> None:
        for element in reversed(self._stack[depth:]):
            if element.names:
                self._collecting.remove(element)
                value = " ".join("".join(element.text).split())
                for name in element.names if value else ():
                    _add(element.owner, name, value)
        del self._stack[depth:]

    def _read_microdata(self, element: _Element, given: dict[str, str], fragment: JsonObject | None) -> None:
        owner = next((one.item for one in reversed(self._stack) if one.item is not None), fragment)
        names = given.get("itemprop", "").split()
        if "itemscope" in given:
            types = [_short(one) for one in given.get("itemtype", "").split()]
            element.item = {"@type": types[0] if len(types) == 1 else types}
            if "itemref" in given:
                self._references.append((element.item, given["itemref"]))
            if names and owner is not None:
                for name in names:
                    _add(owner, name, element.item)
            else:
                self.items.append(element.item)
            return
        if owner is None:
            return
        value = given.get("content", given.get(_VALUE_ATTRIBUTES.get(element.tag, "content")))
        if value is None:
            element.names, element.owner = names, owner
            return
        for name in names:
            _add(owner, name, value)


def _add(owner: JsonObject | None, name: str, value: Any) -> None:
    if owner is None or name.startswith("@"):
        return
    if name not in owner:
        owner[name] = value
    elif isinstance(owner[name], list):
        owner[name].append(value)
    else:
        owner[name] = [owner[name], value]


def _objects(values: Sequence[Any]) -> list[JsonObject]:
    once = [one for value in values for one in (value if is_list(value) else [value])]
    twice = [one for value in once for one in (value if is_list(value) else [value])]
    return [one for one in twice if is_object(one)]


def _short(url: str) -> str:
    return url.rstrip("/").rsplit("/", 1)[-1].rsplit("#", 1)[-1]


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
            space = _JSON_SPACE.match(self._text, self._at)
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
