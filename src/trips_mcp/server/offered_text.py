"""Sentences for models that name only offered tools; a tool name is in backticks."""

from collections.abc import Iterable, Iterator, Set

Wordings = str | tuple[str, ...]
"""One sentence, or alternatives of which the first suitable one is used."""


def worded(sentences: Iterable[Wordings], offered: Set[str]) -> Iterator[str]:
    """For each sentence, the first wording that names only offered tools; omitted if there is none."""
    for wordings in sentences:
        choices = (wordings,) if isinstance(wordings, str) else wordings
        yield from [wording for wording in choices if _tools(wording) <= offered][:1]


def _tools(wording: str) -> set[str]:
    return set(wording.split("`")[1::2])
