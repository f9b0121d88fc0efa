"""Rendering of results: secrets masked, other people's words quoted, no empty values, limited size."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Any, Final, Self, TypeVar

from trips_mcp.contract.models import Result
from trips_mcp.tools.results.answer import LARGEST, Answer, as_text
from trips_mcp.tools.results.secrets import masked
from trips_mcp.tools.results.truncation import Shortening
from trips_mcp.tools.results.untrusted_text import UNMARKED, Quoting, holds_others
from trips_mcp.tools.selection.tool_mentions import Hint, hints_without

R = TypeVar("R", bound=Result)

Prose = Callable[[R, Hint], str]
"""Makes text for an agent from a result, in which other people's words are quoted; tool names go through the `Hint`."""

_FEW: Final = 20
_TOO_LARGE: Final = "The result is too large to show, even cut; ask for less of it."


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
        return with_content(self._shown(result).model_dump(mode="json", exclude_none=True, exclude_unset=True))

    def answer(self, structured: dict[str, Any], remarks: Iterable[str], prose: str | None = None) -> Answer:
        """An answer from the output of `structured`; remarks come first, in the text too."""
        body = as_text(structured)
        head = self._head(structured, body if prose is None else body + prose, remarks)
        whole = (
            {**head, **structured, **head} if head else structured
        )  # our remarks replace a service's own field of that name
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
        told = prose(self._shown(result), hints_without(self.absent))
        return self.answer(self.structured(result), remarks, told)

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
