"""Sentences for a model that name tools, of which not all may be offered. A tool's name stands in backticks."""

from collections.abc import Iterable, Iterator, Set

Wordings = str | tuple[str, ...]
"""One sentence, or several of which the first that fits is said."""


def worded(sentences: Iterable[Wordings], offered: Set[str]) -> Iterator[str]:
    """Of each the first wording that names no tool but offered ones; nothing where there is none."""
    for wordings in sentences:
        choices = (wordings,) if isinstance(wordings, str) else wordings
        yield from [wording for wording in choices if _tools(wording) <= offered][:1]


def _tools(wording: str) -> set[str]:
    return set(wording.split("`")[1::2])
