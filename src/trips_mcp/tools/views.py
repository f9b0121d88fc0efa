"""The views of results that may be long: lists and whole trips, in parts, and reports on imports.

A list has lean items, and as many of them as fit. An item has the fields that the contract names, without what the
caller just said (the trip's id) and the usual values (`completed: false`). Other fields of the service are named once,
in `notShown`; `fields` selects them. A trip that is too large becomes a summary that says how to read its parts.
"""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Annotated, Any, Final, NamedTuple

from pydantic import Field
from pydantic.alias_generators import to_camel

from trips_mcp.client.outcome import Outcome
from trips_mcp.contract.batches import BatchReport, ItemError, ItemOutcome
from trips_mcp.contract.models import Params, Result
from trips_mcp.contract.trips import SyncReport
from trips_mcp.json_values import is_list, is_object
from trips_mcp.tools.answer import LARGEST, Answer, Shortening, Showing, as_text, with_content
from trips_mcp.tools.error_text import ToolRefusedError
from trips_mcp.tools.fields import (
    Position,
    Tree,
    check,
    is_nameable,
    is_ours,
    is_paged,
    named_fields,
    names_in_words,
    ours,
    selected,
    theirs,
    wire_name,
    with_ours,
)
from trips_mcp.tools.trip_reading import offload

Read = Callable[[Any], Awaitable[Outcome[Any]]]
Show = Callable[[Result], Showing]
Item = dict[str, Any]
Query = Annotated[str, Field(min_length=1, max_length=200, description="Words")]
"""The `query` of a list, which matches as search_trip does."""
Shown = tuple[BatchReport, tuple[str, ...]]
"""The part of a report that a model sees, and notes about the rest."""

_PAGES_TO_SEARCH: Final = 3
"""How far items added since may have moved the place where a list was cut."""
_BESIDE: Final = 700
"""Characters reserved for what stands beside the items, without the cursor."""
_MOST_NOT_SHOWN: Final = 20
_MOST_PAGES: Final = 10
"""Pages that a filter looks through."""
_LARGEST_PAGE: Final = 200

_SUMMARY: Final = 15_000
"""Characters of the items in a summary."""
_LONGEST: Final = 200
"""Characters of a text in a summary; no title is longer."""
_MOST_NAMES: Final = 40

_LARGE: Final = 50
"""Items of an import whose outcomes are all shown."""
_ROOM: Final = 30_000
"""Characters of a report's outcomes; the three lists of a sync share them."""
_FEW_SPANS: Final = 100
_DONE: Final = ("created", "updated", "unchanged")

MOVED: Final = "cursor: what it goes on from is gone; leave it out to start again."
OF_ANOTHER_LIST: Final = "cursor: it continues a list without this filter; leave it out to start again."
_OF_ONE_SECTION: Final = "cursor: give it with the `fields` it came with, which name one section."
_NO_MORE: Final = "The service has more, which this tool has no way to read."
_ALONE: Final = "One of `fields` alone may be shown whole."


class Window(NamedTuple):
    """Where the shown part of a list starts."""

    start: int
    page: str | None = None
    """The service's cursor of the page."""
    paged: bool = False
    """Whether the service takes a cursor."""
    most: int | None = None
    """The number of items to show at most, if the service did not limit them."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Filter arguments of a list whose service cannot filter."""

    params: type[Params]
    keep: Callable[[Any, Sequence[Any]], Sequence[Any]]
    """The items that match the arguments. Raises: ToolRefusedError for arguments that can match nothing."""

    remark: Callable[[Sequence[Any]], str | None] = lambda _: None
    """What else to say of all the items that were looked at."""

    def applies(self, asked: Params) -> bool:
        return bool(asked.model_dump(include=set(self.params.model_fields)))


@dataclass(frozen=True, kw_only=True)
class Listed:
    """The view of a list."""

    item: type[Result]
    within: str = "items"
    """The field that contains the list."""
    id: str = "id"
    known: frozenset[str] = frozenset({"tripId"})
    """Fields that the caller has just given."""
    usual: Mapping[str, object] = field(default_factory=dict[str, object])
    """Values that are left out."""
    on_request: frozenset[str] = frozenset()
    """Fields that are shown only if selected."""
    brief: tuple[str, ...] = ()
    """The fields of an item in a summary."""
    newest_last: bool = False
    """Whether the newest item is last; a long list is then cut at its beginning."""
    filter: Filter | None = None

    @property
    def names(self) -> str:
        return names_in_words(self.item, {self._wire_id, *self.known})

    def asked(self, params: type[Params]) -> type[Params]:
        return with_ours(params, self.names, self.filter.params if self.filter else None)

    async def answer(self, asked: Params, params: type[Params], read: Read, show: Show) -> Answer:
        """Raises: ToolRefusedError, TripsError."""
        tree, position = ours(asked)
        if self.filter is not None and self.filter.applies(asked):
            outcome, window = await self._filtered(self.filter, asked, params, position, read)
        else:
            outcome, window = await self._found(asked, params, position, read)
        return self.shown(outcome, show(outcome.result), tree, window)

    def shown(self, outcome: Outcome[Any], showing: Showing, tree: Tree, window: Window, above: str = "") -> Answer:
        """`above`: the path of the list in the answer. Raises: ToolRefusedError if the tree names an unknown field."""
        result: Result = outcome.result
        every = self._first_first(getattr(result, self.within))
        rest = every[window.start :]
        beside = showing.structured(result.model_copy(update={self.within: rest}))
        whole: list[Item] = beside.pop(self._name(result), [])
        following: str | None = beside.pop("nextCursor", None)
        check(tree, [self.item], whole, above if whole else "")
        if more := [] if tree else self.not_shown(whole):
            beside["notShown"] = more
        items = [self.lean(item, tree) for item in whole]
        ids = self.ids(every)
        farthest = Position.after(window.page, ids)
        room = LARGEST - len(as_text({**beside, "remarks": outcome.notes})) - len(str(farthest)) - _BESIDE
        count = len(fitting(items[: window.most], room))
        remarks = list(outcome.notes)
        if count == 0 and items:
            count = 1
            items[0], remark = self._shortened(result, rest[0], showing, tree, room)
            remarks.append(remark)
        shown = {**beside, self._name(result): self._first_first(items[:count])}
        if left := len(items) - count:
            shown["nextCursor"] = str(Position.after(window.page, ids[: window.start + count]))
            remarks.append(f"{'At least ' if following else ''}{left} more remain: pass nextCursor as cursor.")
        elif following and window.paged:
            shown["nextCursor"] = _passed_on(following)
        elif following:
            remarks.append(_NO_MORE)
        return showing.answer(shown, remarks)

    def lean(self, item: Item, tree: Tree) -> Item:
        """The selected fields of the item, and always its id."""
        if tree:
            return selected(item, {**tree, self._wire_id: {}})
        usual = self._usually
        return {name: value for name, value in item.items() if name in usual and not self._is_usual(name, value)}

    def in_brief(self, item: Item) -> Item:
        lean = self.lean(item, {}).items()
        return {name: value for name, value in lean if name == self._wire_id or name in self.brief}

    def not_shown(self, items: Iterable[Item]) -> list[str]:
        """The names of the fields that `lean` leaves out, except those the caller knows."""
        told = self._usually | self.known
        names = dict.fromkeys(name for item in items for name in item if name not in told and is_nameable(name))
        return list(names)[:_MOST_NOT_SHOWN]

    def ids(self, items: Iterable[Result]) -> list[str]:
        """An id for each item, or its JSON if it has none."""
        return [str(getattr(item, self.id, None) or item.model_dump_json()) for item in items]

    async def _found(
        self, asked: Params, params: type[Params], position: Position, read: Read
    ) -> tuple[Outcome[Any], Window]:
        paged, page = is_paged(params), position.page
        if page is not None and not paged:
            raise ToolRefusedError(MOVED)
        for _ in range(_PAGES_TO_SEARCH):
            outcome = await read(theirs(asked, params, page))
            start = position.start(self.ids(self._first_first(getattr(outcome.result, self.within))))
            if start is not None:
                return outcome, Window(start, page, paged)
            page = getattr(outcome.result, "next_cursor", None)
            if page is None or not paged:
                break
        raise ToolRefusedError(MOVED)

    async def _filtered(
        self, filter_: Filter, asked: Params, params: type[Params], position: Position, read: Read
    ) -> tuple[Outcome[Any], Window]:
        """Filter the items of all pages."""
        if position.page is not None:
            raise ToolRefusedError(OF_ANOTHER_LIST)
        outcome, every = await self._all_pages(asked, params, read)
        kept = list(await offload(len(every), filter_.keep, asked, every))
        start = position.start(self.ids(self._first_first(kept)))
        if start is None:
            raise ToolRefusedError(MOVED)
        looked = f"the first {len(every):,}" if outcome.result.next_cursor is not None else f"{len(every):,}"
        note = f"Filtered here, as the service cannot: {len(kept):,} of {looked} match."
        result = outcome.result.model_copy(update={self.within: kept, "next_cursor": None})
        most = asked.model_dump(include={"limit"}).get("limit")
        notes = (*outcome.notes, *filter(None, (note, filter_.remark(every))))
        return replace(outcome, result=result, notes=notes), Window(start, most=most)

    async def _all_pages(self, asked: Params, params: type[Params], read: Read) -> tuple[Outcome[Any], list[Any]]:
        """The last page, and the items of all pages, at most `_MOST_PAGES` of them."""
        limit = {"limit": _LARGEST_PAGE} if "limit" in params.model_fields else {}
        outcome = await read(theirs(asked, params, None, **limit))
        every: list[Any] = [*getattr(outcome.result, self.within)]
        for _ in range(_MOST_PAGES - 1):
            page: str | None = outcome.result.next_cursor
            if page is None or not is_paged(params):
                break
            outcome = await read(theirs(asked, params, page, **limit))
            every += getattr(outcome.result, self.within)
        return outcome, every

    def _shortened(self, result: Result, item: Result, showing: Showing, tree: Tree, room: int) -> tuple[Item, str]:
        """As much of an oversized item as fits, and a remark about it."""
        shown: Item = {}
        for shortening in Shortening.ever_shorter():
            alone = result.model_copy(update={self.within: [shortening.of(item)]})
            shown = self.lean(showing.structured(alone)[self._name(result)][0], tree)
            if len(as_text(shown)) <= room:
                return shown, f"{shortening.remark} {_ALONE}"
        return selected(shown, {self._wire_id: {}}), f"Nothing but its id has room here. {_ALONE}"

    def _first_first(self, items: Sequence[Any]) -> list[Any]:
        """Newest first if `newest_last`. Its own inverse."""
        return list(items[::-1] if self.newest_last else items)

    def _name(self, result: Result) -> str:
        return wire_name(type(result), self.within)

    def _is_usual(self, name: str, value: object) -> bool:
        return name in self.usual and self.usual[name] == value

    @cached_property
    def _wire_id(self) -> str:
        return wire_name(self.item, self.id)

    @cached_property
    def _usually(self) -> frozenset[str]:
        return frozenset(named_fields(self.item)) - self.known - self.on_request


def fitting(items: Iterable[Item], room: int) -> list[Item]:
    """As many items as fit; reads at most one item more."""
    kept: list[Item] = []
    for item in items:
        room -= len(as_text(item)) + 1
        if room < 0:
            break
        kept.append(item)
    return kept


def _passed_on(cursor: str | None) -> str | None:
    """A service's cursor, wrapped if it looks like one of ours."""
    return str(Position(cursor)) if cursor is not None and is_ours(cursor) else cursor


@dataclass(frozen=True, kw_only=True)
class Exported:
    """The view of a whole trip: all of it if it fits, else a summary."""

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
    return section.shown(Outcome(alone, outcome.notes), showing, tree, Window(start), f"{to_camel(section.within)}.")


def shown_batch(report: BatchReport) -> Shown:
    """All outcomes of a small import; of a large one, those that a model can act on."""
    return _fitting(report if len(report.results) <= _LARGE else _condensed(report), _ROOM, "items")


def shown_sync(report: SyncReport) -> tuple[SyncReport, tuple[str, ...]]:
    lists = {"legs": report.legs, "action_items": report.action_items, "map_pins": report.map_pins}
    given = {name: told for name, told in lists.items() if told is not None}
    small = sum(len(told.results) for told in given.values()) <= _LARGE
    shown = {
        name: _fitting(told if small else _condensed(told), _ROOM // len(given), to_camel(name))
        for name, told in given.items()
    }
    fit = report.model_copy(update={name: told for name, (told, _) in shown.items()})
    return fit, tuple(note for _, notes in shown.values() for note in notes)


def _condensed(report: BatchReport) -> BatchReport:
    """Counts, failures, and the ids of items without a clientRef; a note says what was not sent."""
    kept = [result for result in report.results if result.status != "not_sent" and not _is_known(result)]
    return report.model_copy(update={"results": list(_without_repetition(kept))})


def _fitting(report: BatchReport, room: int, what: str) -> Shown:
    """As many outcomes as fit, and a note with the places of the others."""
    for place, result in enumerate(report.results):
        room -= len(result.model_dump_json(exclude_none=True, exclude_unset=True)) + 1
        if room < 0 and place > 0:
            rest = report.results[place:]
            told = f"Too many to show: the outcomes of {what} {_spans(rest)} are left out; the counts are of all."
            return report.model_copy(update={"results": report.results[:place]}), (told,)
    return report, ()


def _spans(results: Sequence[ItemOutcome]) -> str:
    """The items' places in short: `3, 7-9`."""
    spans: list[tuple[int, int]] = []
    for place in sorted({result.index for result in results if result.index is not None}):
        if spans and spans[-1][1] == place - 1:
            spans[-1] = (spans[-1][0], place)
        else:
            spans.append((place, place))
    told = ", ".join(f"{first}" if first == last else f"{first}-{last}" for first, last in spans[:_FEW_SPANS])
    return f"{told} and more" if len(spans) > _FEW_SPANS else told


def _without_repetition(results: Iterable[ItemOutcome]) -> Iterator[ItemOutcome]:
    """Each message is given once: many items share one if a whole request was refused."""
    told: set[str] = set()
    for result in results:
        error = result.error
        if error is not None and error.message in told and not error.details:
            result = result.model_copy(update={"error": ItemError(code=error.code)})
        elif error is not None and error.message is not None:
            told.add(error.message)
        yield result


def _is_known(result: ItemOutcome) -> bool:
    return result.status in _DONE and result.client_ref is not None
