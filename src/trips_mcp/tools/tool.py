"""A tool: its listing, and how one call is run and answered. Independent of MCP."""

import json
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from math import ceil
from typing import Any, Final, Generic, Protocol, TypedDict

from pydantic import ValidationError
from pydantic_core import MISSING

from trips_mcp.client import TripsClient
from trips_mcp.client.errors import TripsError
from trips_mcp.client.outcome import Outcome, RateLimit, Report
from trips_mcp.contract.errors import faults, in_words
from trips_mcp.contract.models import OfAnyTrip, OfTrip, Params, Result, Update
from trips_mcp.contract.operation import Operation, P, R
from trips_mcp.json_values import JsonObject
from trips_mcp.tools.answer import Answer, Attachment, Prose, Showing
from trips_mcp.tools.call_context import Conduct
from trips_mcp.tools.error_text import ToolRefusedError, advice, where_to_check, within_bounds
from trips_mcp.tools.listing import PATH
from trips_mcp.tools.schemas import input_schema, only_blank, output_schema, tidied
from trips_mcp.tools.secrets import may_have_mask, refuse_masks
from trips_mcp.tools.single_trip import bound, keep_to_the_trip, where_to_look
from trips_mcp.tools.tool_mentions import failure_without, refusal_without
from trips_mcp.tools.trip_reading import (
    forget_destinations,
    known_others,
    note_destinations,
    others_may_have_written,
    with_author_names,
)
from trips_mcp.tools.views import Read, Show

_FEW: Final = 10
"""The rate limit is reported to the host when fewer requests than this are left."""

_SEARCH_HINT: Final = "anthropic/searchHint"
"""Claude Code searches it beside a tool's name and description; no model reads it."""

_PLAIN: Final = Conduct()


class Hints(TypedDict):
    """MCP's tool annotations. All four are always sent, as their defaults are the worst case."""

    readOnlyHint: bool
    destructiveHint: bool
    idempotentHint: bool
    openWorldHint: bool


@dataclass(frozen=True, slots=True)
class Local:
    """How a tool differs where trips are kept locally, so nobody else sees what it does."""

    description: str
    remark: str
    """Added to each answer."""


class View(Protocol):
    """How a result that may be long is shown, with `fields` and `cursor`."""

    def asked(self, params: type[Params]) -> type[Params]:
        """The operation's `params` and ours."""
        ...

    async def answer(self, asked: Params, params: type[Params], read: Read, show: Show) -> Answer:
        """Raises: ToolRefusedError, TripsError."""
        ...


@dataclass(frozen=True, kw_only=True)
class Tool(Generic[P, R]):
    name: str
    title: str
    description: str
    params: type[P]
    hints: Hints
    uses: tuple[Operation[Any, Any], ...]
    """The operations it calls. The tool needs the API and the scope of the first one."""
    run: Callable[[TripsClient, P, Report, Conduct], Awaitable[Outcome[R]]]
    write: Callable[[TripsClient, P, Report], Awaitable[Outcome[R]]] | None = None
    """As `run`, with the whole result, as a plan needs it. None for a tool that no plan contains."""
    lookup: str = field(default="")
    """The tool that lists the ids this one takes; named when an id is wrong."""
    outbound: bool = False
    """Whether it sends words or data to other people."""
    local: Local | None = None
    """How it differs where trips are kept locally."""
    apart: str = ""
    """Its description if the Events API is a separate service, whose numbers no other tool has."""
    asked_for: str = ""
    """Users' words that are not in name or description, for hosts whose model searches for tools."""
    view: View | None = None
    """For lists and exports; None if a result is shown as it is."""
    prose: Prose[R] | None = None
    """The answer in words. Without it, the text is the structured content as JSON."""
    answers: type[R] | None = None
    """The model of the structured content, if the listing has an output schema."""
    told_of: Callable[[R], Iterable[str]] | None = None
    """Ids of the trips that the result has texts of, for tools that find the trip themselves."""
    path_instead: str = ""
    """The argument that is required unless a folder of `--files` is there, in which `path` names a file instead."""
    writes_files: bool = False
    """Whether it writes its result to that folder."""
    attached: Callable[[R], Attachment | None] | None = None
    """The file beside the answer, for tools that make one."""
    page: str = ""
    """The `ui://` URI of the page in which hosts with MCP Apps draw its results."""
    drawn: Callable[[R], Awaitable[JsonObject | None]] | None = None
    """What the page draws of a result, if it can; the structured content for those hosts."""

    @cached_property
    def asked(self) -> type[Params]:
        return self.params if self.view is None else self.view.asked(self.params)

    @cached_property
    def input_schema(self) -> dict[str, Any]:
        return input_schema(self.asked)

    @cached_property
    def listed_schema(self) -> dict[str, Any]:
        """Its input schema where no folder is allowed."""
        if not self.path_instead:
            return self.input_schema
        schema: dict[str, Any] = {
            **self.input_schema,
            "required": [*self.input_schema.get("required", ()), self.path_instead],
        }
        schema["properties"] = {name: inner for name, inner in schema["properties"].items() if name != PATH}
        return {name: schema[name] for name in ("type", "properties", "required", "additionalProperties")}

    def listing(self) -> dict[str, Any]:
        """Its entry in tools/list, in wire format."""
        found: dict[str, Any] = {
            "name": self.name,
            "title": self.title,
            "description": self.description,
            "inputSchema": self.listed_schema,
            "annotations": self.hints,
        }
        if self.answers is not None:
            found["outputSchema"] = output_schema(self.answers)
        if self.asked_for:
            found["_meta"] = {_SEARCH_HINT: self.asked_for}
        return found

    def parsed(self, given: Mapping[str, Any]) -> Any:
        """Its params, with the view's arguments if there are any. Raises: ValidationError, ToolRefusedError."""
        params = self.asked.model_validate(tidied(given, self.input_schema), strict=True, by_name=False, extra="forbid")
        if blank := only_blank(given, self.input_schema):
            raise ToolRefusedError(_changes_nothing(blank, self.params))
        return params

    async def call(
        self, client: TripsClient, arguments: Mapping[str, Any], report: Report, conduct: Conduct = _PLAIN
    ) -> Answer:
        """Errors that the agent can act on become the answer. Any other exception is a bug."""
        try:
            given = dict(arguments)
            if conduct.trip is not None:
                given = await bound(client, given, self.input_schema["properties"], conduct)
            try:
                params = self.parsed(given)
            except ValidationError as error:
                found = in_words(faults(error, self.asked))
                said = within_bounds(f"Not sent. Fix the arguments of {self.name}: {found}.")
                return Answer(said, is_error=True)
            if conduct.trip is not None:
                await keep_to_the_trip(client, params, conduct)
            return await self._answer(client, params, report, conduct)
        except ToolRefusedError as error:
            return Answer(refusal_without(str(error), conduct.absent), is_error=True)
        except TripsError as error:
            lookup, hint = where_to_look(error, where_to_check(error, self.lookup), conduct)
            known = "" if lookup in conduct.absent else lookup
            said = advice(error, self.name, known, self.hints["readOnlyHint"]) + hint
            said = failure_without(said, error, self.name, conduct.absent)
            return Answer(within_bounds(said), is_error=True, meta=_meta(client.rate_limit), failure=error)

    async def _answer(self, client: TripsClient, params: Any, report: Report, conduct: Conduct) -> Answer:
        call = _Call(self, client, report, conduct)
        if self.view is not None:
            answer = await self.view.answer(params, self.params, call.read, call.show)
        else:
            outcome = await call.read(params)
            answer = call.show(outcome.result).whole(outcome.result, outcome.notes, self.prose)
            if self.attached is not None:
                answer = replace(answer, attachment=self.attached(outcome.result))
            if self.drawn is not None:
                answer = replace(answer, drawn=partial(self.drawn, outcome.result))
        meta = _meta(call.rate_limit)
        return answer if meta is None else replace(answer, meta=meta)


@dataclass(slots=True)
class _Call(Generic[P, R]):
    """One call: its reads, and how their results are shown."""

    tool: Tool[P, R]
    client: TripsClient
    report: Report
    conduct: Conduct
    rate_limit: RateLimit | None = None
    """As of the last read."""
    others: bool = False
    """Whether other people may have written texts of the last result."""

    async def read(self, asked: P) -> Outcome[R]:
        trip_id = asked.trip_id if isinstance(asked, OfTrip) else None
        if trip_id is not None and not self.tool.hints["readOnlyHint"]:
            forget_destinations(self.client, trip_id)
        outcome = await self.tool.run(self.client, asked, self.report, self.conduct)
        self.rate_limit = outcome.rate_limit
        if trip_id is not None:
            note_destinations(self.client, trip_id, asked, outcome.result)
        self.others = await self._others_may_have_written(asked, outcome.result)
        if trip_id is not None:
            outcome = replace(outcome, result=with_author_names(self.client, trip_id, outcome.result))
        if self.conduct.local and self.tool.local is not None:
            return replace(outcome, notes=(*outcome.notes, self.tool.local.remark))
        return outcome

    def show(self, result: Result) -> Showing:
        masks, absent = self.conduct.mask_secrets, self.conduct.absent
        reads = self.tool.hints["readOnlyHint"]
        return Showing.of(result, masks=masks, quotes=reads, others=self.others, absent=absent)

    async def _others_may_have_written(self, asked: P, result: R) -> bool:
        """For parts of a trip this depends on its members; for events nobody can know."""
        if not self.tool.hints["readOnlyHint"]:
            return False
        if isinstance(asked, OfTrip | OfAnyTrip) and asked.trip_id is not MISSING:
            return await others_may_have_written(self.client, asked.trip_id, result)
        if self.tool.told_of is not None:
            known = [known_others(self.client, trip_id) for trip_id in self.tool.told_of(result)]
            return any(not self.conduct.local if others is None else others for others in known)
        return self.tool.hints["openWorldHint"]


def _changes_nothing(blank: list[str], params: type[Params]) -> str:
    required = params.required if issubclass(params, Update) else frozenset[str]()
    clearable = [name for name in blank if name not in required]
    kept = [name for name in blank if name in required]
    said = 'Not sent: "" changes nothing.'
    if clearable:
        said += f" To empty {' and '.join(clearable)}, send clear: {json.dumps(clearable)}."
    if kept:
        said += f" {' and '.join(kept)} cannot be emptied; send a new value."
    return said


def _meta(rate_limit: RateLimit | None) -> dict[str, Any] | None:
    if rate_limit is None or rate_limit.remaining >= _FEW:
        return None
    return {
        "trips-mcp/rateLimit": {
            "limit": rate_limit.limit,
            "remaining": rate_limit.remaining,
            "resetsInSeconds": ceil(rate_limit.resets_in),
        }
    }


def _changed(outcome: Outcome[R], result: R, notes: tuple[str, ...]) -> Outcome[R]:
    return replace(outcome, result=result, notes=(*outcome.notes, *notes))


def tool(
    operation: Operation[P, R],
    *,
    title: str,
    description: str,
    lookup: str = "",
    overwrites: bool = False,
    repeatable: bool = False,
    open_world: bool = False,
    outbound: bool = False,
    local: Local | None = None,
    apart: str = "",
    asked_for: str = "",
    view: View | None = None,
    unmasked: Callable[[TripsClient, P], Awaitable[P]] | None = None,
    completed: Callable[[P], tuple[P, tuple[str, ...]]] | None = None,
    shown: Callable[[R], tuple[R, tuple[str, ...]]] | None = None,
    uncompared: Callable[[P, R], tuple[R, tuple[str, ...]]] | None = None,
) -> Tool[P, R]:
    """A tool that is exactly one operation, with the hints of docs/contract.md#tool-hints.

    `overwrites` and `repeatable` are for unusual POSTs: they may replace data, or can be repeated without harm.
    `open_world`: it reads or sends other people's words. `unmasked`: replaces masks in the arguments by the stored
    secrets. `completed`: fills in what the arguments imply, and remarks on it. `shown`: the part of a result that a
    model sees, and notes about the rest. `uncompared`: removes from the result whether a sent secret equals the stored
    one. The others: see `Tool`.
    """

    async def write(client: TripsClient, asked: P, report: Report) -> Outcome[R]:
        params = asked
        if not operation.reads and may_have_mask(params):
            if unmasked is not None:
                params = await unmasked(client, params)
            refuse_masks(params)
        params, remarks = (params, ()) if completed is None else completed(params)
        outcome = await client.outcome(operation, params, report)
        return _changed(outcome, outcome.result, remarks) if remarks else outcome

    async def run(client: TripsClient, asked: P, report: Report, conduct: Conduct) -> Outcome[R]:
        outcome = await write(client, asked, report)
        if uncompared is not None and conduct.mask_secrets:
            outcome = _changed(outcome, *uncompared(asked, outcome.result))
        return outcome if shown is None else _changed(outcome, *shown(outcome.result))

    changes_in_place = operation.method in ("PATCH", "DELETE")
    return Tool(
        name=operation.name,
        title=title,
        description=description,
        params=operation.params,
        hints={
            "readOnlyHint": operation.reads,
            "destructiveHint": changes_in_place or overwrites,
            "idempotentHint": operation.reads or changes_in_place or repeatable,
            "openWorldHint": open_world,
        },
        uses=(operation,),
        run=run,
        write=None if operation.reads else write,
        lookup=lookup,
        outbound=outbound,
        local=local,
        apart=apart,
        asked_for=asked_for,
        view=view,
    )
