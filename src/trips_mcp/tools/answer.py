"""The answer to a call: a result with secrets masked, other people's words quoted, no empty values, and a size limit.

Texts and lists of a result that is too large are cut, and a remark says so.
"""

import json
import sys
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final, Self, TypeVar

from pydantic import BaseModel

from trips_mcp.client.errors import TripsError
from trips_mcp.contract.models import Result, with_parts
from trips_mcp.json_values import is_list, is_object
from trips_mcp.tools.secrets import masked
from trips_mcp.tools.tool_mentions import Hint, hints_without
from trips_mcp.tools.untrusted_text import UNMARKED, Quoting, holds_others

M = TypeVar("M", bound=BaseModel)
R = TypeVar("R", bound=Result)

Prose = Callable[[R, Hint], str]
"""Makes text for an agent from a result, in which other people's words are quoted; tool names go through the `Hint`."""

LARGEST: Final = 40_000
"""Characters of a result. Hosts cut larger ones, or put them where the model does not see them."""
_FEW: Final = 20
_TOO_LARGE: Final = "The result is too large to show, even cut; ask for less of it."
_CUT: Final = "… [cut]"

as_text: Final[Callable[[object], str]] = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
"""Compact JSON. The encoder is made once: making it takes longer than encoding a small result."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A text file beside the answer: MCP's embedded resource."""

    uri: str
    media_type: str
    text: str


@dataclass(frozen=True, slots=True)
class Answer:
    """Text and structured content, each complete in itself."""

    text: str
    structured: dict[str, Any] | None = None
    is_error: bool = False
    meta: dict[str, Any] | None = None
    """For the host, not for the model."""
    failure: TripsError | None = None
    """The client error that the text reports."""
    attachment: Attachment | None = None
    drawn: Callable[[], Awaitable[dict[str, Any] | None]] | None = None
    """Makes what a page draws, if it can, in place of the structured content, for hosts that draw it."""


@dataclass(frozen=True, slots=True)
class Showing:
    """How one answer is rendered."""

    masks: bool
    quoting: Quoting | None = None
    """None if nothing in the result is quoted."""
    others: bool = False
    """Whether unquoted texts may be other people's."""
    absent: Collection[str] = ()
    """Tools that must not be named."""

    @classmethod
    def of(
        cls, result: Result, *, masks: bool, quotes: bool, others: bool = False, absent: Collection[str] = ()
    ) -> Self:
        """`others`: whether other people may have written the texts that only members can write."""
        if quotes and holds_others(type(result)):
            return cls(masks, Quoting.of(result, members_too=others), absent=absent)
        return cls(masks, None, quotes and others, absent)

    def structured(self, result: Result) -> dict[str, Any]:
        return _content_of(self._shown(result))

    def answer(self, structured: dict[str, Any], remarks: Iterable[str], prose: str | None = None) -> Answer:
        """An answer from the output of `structured`; remarks come first, in the text too."""
        body = as_text(structured)
        head = self._head(structured, body if prose is None else body + prose, remarks)
        # our remarks replace a service's own field of that name
        whole = {**head, **structured, **head} if head else structured
        if prose is not None:
            return Answer("\n".join((*head.get("remarks", ()), *filter(None, (head.get("quoting"), prose)))), whole)
        return Answer(as_text(whole) if head else body, whole)

    def whole(self, result: R, remarks: Iterable[str], prose: Prose[R] | None = None) -> Answer:
        """The whole result, or as much as fits."""
        answer = self._in_words(result, remarks, prose)
        if _fits(answer, prose):
            return answer
        shorter = result
        for shortening in Shortening.ever_shorter():
            shorter = shortening.of(result)
            answer = self._in_words(shorter, (*remarks, shortening.remark), prose)
            if _fits(answer, prose):
                return answer
        found = self.structured(shorter)
        few = {name: found[name] for name in list(found)[:_FEW] if not isinstance(found[name], (dict, list))}
        return self.answer(few, (*remarks, _TOO_LARGE))

    def _in_words(self, result: R, remarks: Iterable[str], prose: Prose[R] | None) -> Answer:
        if prose is None:
            return self.answer(self.structured(result), remarks)
        shown = self._shown(result)
        return self.answer(_content_of(shown), remarks, prose(shown, hints_without(self.absent)))

    def _shown(self, result: R) -> R:
        if self.masks:
            result = masked(result)
        return result if self.quoting is None else self.quoting.quoted(result)

    def _head(self, structured: dict[str, Any], shown: str, remarks: Iterable[str]) -> dict[str, Any]:
        head: dict[str, Any] = {}
        if said := [told for remark in remarks if (told := hints_without(self.absent)(remark))]:
            head["remarks"] = said
        if self.quoting is not None and self.quoting.mark in shown:
            head["quoting"] = self.quoting.explanation
        elif self.others and any(structured.values()):
            head["quoting"] = UNMARKED
        return head


def _fits(answer: Answer, prose: Prose[Any] | None) -> bool:
    """Checks both forms; without prose they have the same length."""
    return len(answer.text) <= LARGEST and (prose is None or len(as_text(answer.structured or {})) <= LARGEST)


def _content_of(shown: Result) -> dict[str, Any]:
    return with_content(shown.model_dump(mode="json", exclude_none=True, exclude_unset=True))


def with_content(found: dict[str, Any]) -> dict[str, Any]:
    """Without null and empty values. Takes parsed JSON, so only plain dicts and lists."""
    kept: dict[str, Any] = {}
    for key, value in found.items():
        if value.__class__ is dict:
            value = with_content(value)
        elif value.__class__ is list:
            value = _with_content(value)
        if value or value == 0:  # also keeps False
            kept[key] = value
    return kept


def _with_content(parts: list[Any]) -> list[Any]:
    """Keeps every item, as positions may matter."""
    return [
        with_content(part) if part.__class__ is dict else _with_content(part) if part.__class__ is list else part
        for part in parts
    ]


@dataclass(slots=True)
class Shortening:
    """How much of each text and list is kept, and whether anything was cut."""

    characters: int
    entries: int
    cut_texts: bool = False
    cut_lists: bool = False

    @classmethod
    def ever_shorter(cls) -> Iterator[Self]:
        """The shortest text limit is longer than any id."""
        for characters, entries in ((4000, 200), (1000, 100), (300, 30), (300, 5)):
            yield cls(characters, entries)

    @classmethod
    def of_texts(cls, characters: int) -> Self:
        return cls(characters, sys.maxsize)

    @property
    def remark(self) -> str:
        texts = f"a text that ends in “{_CUT}” is cut, never write it back" if self.cut_texts else ""
        lists = f"lists end after {self.entries} entries" if self.cut_lists else ""
        return f"Too large to show whole: {'; '.join(filter(None, (texts, lists)))}."

    def of(self, result: M) -> M:
        """The same object if nothing is cut."""
        return with_parts(result, self._cut)

    def _cut(self, _: str, value: Any) -> Any:
        if isinstance(value, str):
            return self._cut_text(value)
        if is_list(value) and len(value) > self.entries:
            self.cut_lists = True
            value = value[: self.entries]
        elif is_object(value):
            self.cut_lists |= len(value) > self.entries
            kept = {self._cut_text(key): part for key, part in list(value.items())[: self.entries]}
            value = value if kept.keys() == value.keys() else kept
        return with_parts(value, self._cut)

    def _cut_text(self, text: str) -> str:
        if len(text) <= self.characters:
            return text
        self.cut_texts = True
        return text[: self.characters] + _CUT
