"""HTML of mails: JSON-LD scripts, microdata and the visible text. Nothing is fetched, nothing is shown."""

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from trips_mcp.bookings.loose_json import read_loose_json
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
_HIDDEN: Final = frozenset(["style", "head", "template", "noscript", "script"])
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
_END_TAG: Final = re.compile(r"</([A-Za-z][^\s/>]{0,40})[^<>]{0,200}>")
_START_TAG: Final = re.compile(
    r"""<([A-Za-z][^\s/>"'=]{0,40})((?:[^<>"']{1,2000}+|"[^"]{0,8000}+"|'[^']{0,8000}+'){0,200}+)>"""
)
_BROKEN_TAG: Final = re.compile(r"<([A-Za-z][^\s/>]{0,40})([^<>]{0,2000})>")
"""With an odd number of quotes."""
_ATTRIBUTE: Final = re.compile(r"""([^\s=/>"']{1,80})(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>"']*)))?""")
_SPACE: Final = re.compile(r"[^\S\n]+")
_LINES: Final = re.compile(r"\s*\n\s*")


@dataclass(frozen=True, slots=True)
class HtmlPage:
    items: Sequence[JsonObject]
    """JSON-LD objects, then microdata items in the same form."""
    text: str
    """What a reader sees, a line per block."""


@dataclass(slots=True)
class _Element:
    tag: str
    item: JsonObject | None = None
    names: Sequence[str] = ()
    """Properties whose value is this element's text."""
    owner: JsonObject | None = None
    text: list[str] = field(default_factory=list[str])


def read_html(page: str) -> HtmlPage:
    reader = _PageReader(page[:LARGEST])
    return HtmlPage([*reader.json_ld, *reader.items], reader.text())


class _PageReader:
    """One pass in linear time, whatever the page is; `html.parser` is quadratic for some.

    Tolerant of unclosed and crossed elements: an end tag closes up to its start, if that is open.
    """

    def __init__(self, page: str) -> None:
        self.json_ld: list[JsonObject] = []
        self.items: list[JsonObject] = []
        self._page = page
        self._lower = page.lower() if len(page.lower()) == len(page) else page
        self._stack: list[_Element] = []
        self._collecting: list[_Element] = []
        self._visible: list[str] = []
        self._read()
        self._close_from(0)

    def text(self) -> str:
        return _LINES.sub("\n", _SPACE.sub(" ", "".join(self._visible))).strip()

    def _read(self) -> None:
        at, page = 0, self._page
        while (mark := _MARKUP.search(page, at)) is not None:
            self._data(page[at : mark.start()])
            at = self._markup(mark.start())
        self._data(page[at:])

    def _markup(self, at: int) -> int:
        """Reads what begins with `<`. Returns where it ends."""
        page = self._page
        if page.startswith("<!--", at):
            return self._after("-->", at + 4)
        following = page[at + 1 : at + 2]
        if following in ("!", "?"):
            return self._after(">", at)
        closing = _END_TAG.match(page, at)
        if closing is not None:
            self._end(closing[1].lower())
            return closing.end()
        opening = _START_TAG.match(page, at) or _BROKEN_TAG.match(page, at)
        if opening is None:
            self._data("<")
            return at + 1
        tag = opening[1].lower()
        self._start(tag, opening[2])
        return self._raw(tag, opening[2], opening.end()) if tag in _RAW else opening.end()

    def _after(self, mark: str, at: int) -> int:
        found = self._page.find(mark, at)
        return found + len(mark) if found >= 0 else len(self._page)

    def _raw(self, tag: str, attributes: str, at: int) -> int:
        """The content of a script or style, in which `<` means nothing."""
        end = self._lower.find(f"</{tag}", at)
        end = end if end >= 0 else len(self._page)
        if tag == "script" and "json" in attributes.lower():
            self.json_ld += _objects(read_loose_json(self._page[at:end]))
        return end

    def _start(self, tag: str, attributes: str) -> None:
        if tag in _BLOCKS:
            self._visible.append("\n")
        element = _Element(tag)
        if "item" in attributes.lower():
            given = {
                name.lower(): html.unescape(double or single or bare)
                for name, double, single, bare in _ATTRIBUTE.findall(attributes)
            }
            if "itemscope" in given or "itemprop" in given:
                self._read_microdata(element, given)
        if tag not in _VOID and not attributes.endswith("/") and len(self._stack) < _DEEPEST:
            self._stack.append(element)
            if element.names:
                self._collecting.append(element)

    def _end(self, tag: str) -> None:
        if tag in _BLOCKS:
            self._visible.append("\n")
        for depth in range(len(self._stack) - 1, -1, -1):
            if self._stack[depth].tag == tag:
                self._close_from(depth)
                return

    def _data(self, data: str) -> None:
        if not data:
            return
        data = html.unescape(data) if "&" in data else data
        for element in self._collecting:
            element.text.append(data)
        if not any(element.tag in _HIDDEN for element in self._stack[-3:]):
            self._visible.append(data)

    def _close_from(self, depth: int) -> None:
        for element in reversed(self._stack[depth:]):
            if element.names:
                self._collecting.remove(element)
            value = " ".join("".join(element.text).split())
            for name in element.names if value else ():
                _add(element.owner, name, value)
        del self._stack[depth:]

    def _read_microdata(self, element: _Element, given: dict[str, str]) -> None:
        owner = next((one.item for one in reversed(self._stack) if one.item is not None), None)
        names = given.get("itemprop", "").split()
        if "itemscope" in given:
            types = [_short(one) for one in given.get("itemtype", "").split()]
            element.item = {"@type": types[0] if len(types) == 1 else types}
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
    flat = [one for value in values for one in (value if is_list(value) else [value])]
    return [one for one in flat if is_object(one)]


def _short(url: str) -> str:
    return url.rstrip("/").rsplit("/", 1)[-1].rsplit("#", 1)[-1]
