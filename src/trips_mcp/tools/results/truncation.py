"""Truncation of results that are too large: texts and lists are cut, and a remark says so."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Self, TypeVar

from pydantic import BaseModel

from trips_mcp.json_values import is_list, is_object
from trips_mcp.tools.results.fields import with_parts

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
