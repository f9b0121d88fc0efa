"""The view of a whole trip: all of it if it fits, else a summary and how to read the parts."""

from dataclasses import dataclass
from typing import Any, Final

from pydantic.alias_generators import to_camel

from trips_mcp.client.outcome import Outcome
from trips_mcp.contract.models import Params, Result
from trips_mcp.json_values import is_list, is_object
from trips_mcp.tools.results.answer import LARGEST, Answer, ToolRefusedError, as_text
from trips_mcp.tools.results.cursors import Position
from trips_mcp.tools.results.fields import Tree, check, is_nameable, ours, selected, theirs, wire_name, with_ours
from trips_mcp.tools.results.lists import MOVED, Item, Listed, Read, Show, Window, fitting
from trips_mcp.tools.results.render import Showing, with_content
from trips_mcp.tools.results.truncation import Shortening

_SUMMARY: Final = 15_000
"""Characters of the items in a summary."""
_LONGEST: Final = 200
"""Characters of a text in a summary; no title is longer."""

_MOST_NAMES: Final = 40

_OF_ONE_SECTION: Final = "cursor: give it with the `fields` it came with, which name one section."


@dataclass(frozen=True, kw_only=True)
class Exported:
    sections: tuple[Listed, ...]
    parts: str
    """How to read the parts if the whole is too large."""

    @property
    def names(self) -> str:
        lists = ", ".join(to_camel(section.within) for section in self.sections)
        return f"trip, {lists}; or within, as legs.accommodation.name"

    def asked(self, params: type[Params]) -> type[Params]:
        return with_ours(params, self.names)

    async def answer(self, asked: Params, params: type[Params], read: Read, show: Show) -> Answer:
        """Raises: ToolRefusedError, TripsError."""
        tree, position = ours(asked)
        outcome = await read(theirs(asked, params, None))
        result: Result = outcome.result
        showing = show(result)
        section = self._named(type(result)).get(next(iter(tree)) if len(tree) == 1 else "")
        if section is not None:
            (inner,) = tree.values()
            return _of_section(section, outcome, showing, inner, position)
        if position != Position():
            raise ToolRefusedError(_OF_ONE_SECTION)
        return self._whole(outcome, showing, tree)

    def _whole(self, outcome: Outcome[Any], showing: Showing, tree: Tree) -> Answer:
        result: Result = outcome.result
        whole = showing.structured(result)
        check(tree, [type(result)], [whole])
        answer = showing.answer(self._lean(whole, type(result), tree), outcome.notes)
        if len(answer.text) <= LARGEST:
            return answer
        summary = self._summary(whole, type(result), tree)
        if any(map(_is_long, summary.values())):
            shorter = Shortening.of_texts(_LONGEST).of(result)
            summary = self._summary(showing.structured(shorter), type(result), tree)
        remark = f"Too large to show whole ({len(answer.text):,} characters), so this is a summary. {self.parts}"
        return showing.answer(summary, (*outcome.notes, remark))

    def _lean(self, whole: Item, kind: type[Result], tree: Tree) -> Item:
        named = self._named(kind)
        not_shown: list[str] = []
        lean: Item = {}
        for name, value in whole.items():
            inner: Tree = tree.get(name, {})
            if tree and name not in tree:
                continue
            if (section := named.get(name)) is None:
                lean[name] = selected(value, inner)
                continue
            lean[name] = [section.lean(item, inner) for item in value]
            not_shown += [f"{name}.{more}" for more in ([] if inner else section.not_shown(value))]
        return {**lean, "notShown": not_shown} if not_shown else lean

    def _summary(self, whole: Item, kind: type[Result], tree: Tree) -> Item:
        """The trip itself, counts, and as many brief items of each list as fit."""
        told = [name for name in whole if (not tree or name in tree) and is_nameable(name)]
        wanted = {name: whole[name] for name in told[:_MOST_NAMES]}
        lists = {name: value for name, value in wanted.items() if is_list(value)}
        trip = list(wanted.get("trip", {}).items())
        summary: Item = {
            "trip": {name: value for name, value in trip[:_MOST_NAMES] if not isinstance(value, (dict, list))},
            "counts": {name: len(value) for name, value in lists.items()},
        }
        room = _SUMMARY
        for name, section in self._named(kind).items():
            summary[name] = fitting(map(section.in_brief, lists.get(name, [])), room)
            room -= len(as_text(summary[name]))
        return with_content(summary)

    def _named(self, kind: type[Result]) -> dict[str, Listed]:
        """The sections by wire name."""
        return {wire_name(kind, section.within): section for section in self.sections}


def _is_long(value: Any) -> bool:
    """Whether it contains a text longer than a title, marks around it not counted."""
    if isinstance(value, str):
        return len(value) > _LONGEST + 50
    parts = value.values() if is_object(value) else value if is_list(value) else ()
    return any(map(_is_long, parts))


def _of_section(section: Listed, outcome: Outcome[Any], showing: Showing, tree: Tree, position: Position) -> Answer:
    """One list of the trip by itself, in parts if it is long."""
    result: Result = outcome.result
    items = getattr(result, section.within)
    start = position.start(section.ids(items))
    if start is None or position.page is not None:
        raise ToolRefusedError(MOVED)
    alone = type(result).model_construct({section.within}, **{section.within: items})
    return section.shown(Outcome(alone, outcome.notes), showing, tree, Window(start))
