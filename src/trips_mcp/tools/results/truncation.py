"""Truncation of results that are too large: texts and lists are cut, and a remark says so."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from operator import is_not
from typing import Any, Final, Self, TypeVar

from pydantic import BaseModel

from trips_mcp.json_values import is_list, is_object
from trips_mcp.tools.results.fields import with_changes

M = TypeVar("M", bound=BaseModel)

_CUT: Final = "… [cut]"


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
        changed: dict[str, Any] = {}
        for name in type(result).model_fields:
            value = getattr(result, name)
            if (cut := self._cut(value)) is not value:
                changed[name] = cut
        extra = self._cut(result.model_extra)
        return result if not changed and extra is result.model_extra else with_changes(result, changed, extra)

    def _cut(self, value: Any) -> Any:
        if isinstance(value, str):
            return self._cut_text(value)
        if is_list(value):
            self.cut_lists |= len(value) > self.entries
            cut = [self._cut(part) for part in value[: self.entries]]
            return cut if len(cut) < len(value) or any(map(is_not, cut, value)) else value
        if is_object(value):
            self.cut_lists |= len(value) > self.entries
            kept = {self._cut_text(key): self._cut(part) for key, part in list(value.items())[: self.entries]}
            return kept if kept != value else value
        return self.of(value) if isinstance(value, BaseModel) else value

    def _cut_text(self, text: str) -> str:
        if len(text) <= self.characters:
            return text
        self.cut_texts = True
        return text[: self.characters] + _CUT
