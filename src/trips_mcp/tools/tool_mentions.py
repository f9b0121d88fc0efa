"""Removal of absent tools from descriptions, answers and errors.

A model that reads about a tool calls it even if it is not listed. So we remove the smallest part of a description
that names an absent tool: one of several tools, a clause in brackets, a clause, a sentence. A tool's first sentence
stays if nothing of it would be left. Descriptions are reworded at the start, answers and errors as they are made.
"""

import re
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from trips_mcp.client.errors import TripsError
    from trips_mcp.contract.operation import Operation


Hint = Callable[[str], str]
"""Removes absent tools from one of our sentences; empty if nothing is left."""

_SENTENCES: Final = re.compile(r"(?<=\.) (?=[A-Z0-9`])")
_CLAUSES: Final = re.compile(r"([;:] )")
_BRACKETS: Final = re.compile(r" ?\(([^()]*)\)")
_WORD: Final = re.compile(r"[A-Za-z]\w+")
_NAME: Final = r"`?\b([a-z]+(?:_[a-z]+)+)\b`?"
_NAMES: Final = re.compile(_NAME)
_LISTED: Final = re.compile(rf"{_NAME}(?:(?:,? or |,? and |, ){_NAME})+")
_SOURCE: Final = re.compile(
    rf"(?: or (?:of |from |with |by |in )?|, (?:by|from|with|in) (?:(?:the|a) )?(?:\w+ (?:of |from ))?)"
    rf"{_NAME}(?=[.;:,)]| \(|$)"
)
"""` or of create_trip`, `, by the tripId of list_trips`: what can be removed from the end of a clause."""


def reworded(listing: dict[str, Any], absent: Collection[str]) -> dict[str, Any]:
    """The listing with `without` applied to its descriptions."""
    told = with_its_first(listing["description"], absent)
    return {**listing, "description": told, "inputSchema": _described(listing["inputSchema"], absent)}


def with_its_first(text: str, absent: Collection[str]) -> str:
    """As `without`, but the first sentence stays if nothing of it would be left."""
    first, *others = _SENTENCES.split(text)
    return " ".join(filter(None, (without(first, absent) or first, without(" ".join(others), absent))))


def without(text: str, absent: Collection[str]) -> str:
    """`text` without the parts that mention these names."""
    if not _names_any(text, absent):
        return text
    text = _LISTED.sub(lambda found: _shorter_list(found[0], absent), text)
    text = _BRACKETS.sub(lambda found: _shorter_brackets(found, absent), text)
    text = _SOURCE.sub(lambda found: "" if found[1] in absent else found[0], text)
    return " ".join(filter(None, (_clauses(sentence, absent) for sentence in _SENTENCES.split(text))))


def _described(schema: dict[str, Any], absent: Collection[str]) -> dict[str, Any]:
    found = dict(schema)
    if "description" in found:
        found["description"] = without(found["description"], absent)
        if not found["description"]:
            del found["description"]
    if "properties" in found:
        found["properties"] = {name: _described(inner, absent) for name, inner in found["properties"].items()}
    if "items" in found:
        found["items"] = _described(found["items"], absent)
    return found


def _names_any(text: str, absent: Collection[str]) -> bool:
    return any(word in absent for word in _WORD.findall(text))


def _shorter_list(listed: str, absent: Collection[str]) -> str:
    """`a, b or c` without the absent names; unchanged if all are absent."""
    names = [found[0] for found in _NAMES.finditer(listed)]
    there = [name for name in names if name.strip("`") not in absent]
    if not there or there == names:
        return listed
    *most, last = there
    joint = next((word for word in (" and ", " or ") if word in listed), ", ")
    return joint.join([", ".join(most), last]) if most else last


def _shorter_brackets(found: re.Match[str], absent: Collection[str]) -> str:
    """The brackets unchanged, with fewer clauses, or removed."""
    clauses = found[1].split("; ")
    kept = [clause for clause in clauses if not _names_any(clause, absent)]
    return found[0].replace(found[1], "; ".join(kept)) if kept else ""


def _clauses(sentence: str, absent: Collection[str]) -> str:
    """The clauses that name nothing absent, as a sentence; empty if there are none."""
    pieces = ["", *_CLAUSES.split(sentence.removesuffix("."))]
    clauses, joint = "", ""
    for before, clause in zip(pieces[::2], pieces[1::2], strict=True):
        joint = joint or before  # after a removed clause, the next one keeps the first joint
        if not _names_any(clause, absent):
            clauses, joint = clauses + (joint if clauses else "") + clause, ""
    return clauses[:1].upper() + clauses[1:] + "." * (clauses != "" and sentence.endswith("."))


def hints_without(absent: Collection[str]) -> Hint:
    """Only for our own words: other people's must stay complete."""
    return lambda sentence: without(sentence, absent)


def refusal_without(said: str, absent: Collection[str]) -> str:
    """Keeps the error; drops advice that names an absent tool."""
    return with_its_first(said, absent) if absent else said


def failure_without(said: str, error: "TripsError", tool: str, absent: Collection[str]) -> str:
    """Names `tool` in place of the failed operation if that is not offered as a tool."""
    operation: Operation[Any, Any] | None = getattr(error, "operation", None)
    if operation is not None and operation.name in absent:
        said = re.sub(rf"\b{operation.name}\b", tool, said)
    return refusal_without(said, [name for name in absent if name != tool])
