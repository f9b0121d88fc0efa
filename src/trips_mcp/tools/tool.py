"""A tool: what an agent sees of one call, and how it is run. Plain data and one client; no MCP here."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import ceil
from typing import Any, Final, Generic, Protocol, TypedDict

from pydantic import ValidationError

from trips_mcp.client import TripsClient
from trips_mcp.client.errors import TripsError
from trips_mcp.client.outcome import Outcome, RateLimit, Report
from trips_mcp.contract.models import Params, Result
from trips_mcp.contract.operation import Operation, P, R
from trips_mcp.contract.path_ids import OfTrip
from trips_mcp.contract.validation_errors import faults, in_words
from trips_mcp.tools.arguments import only_blank, tidied
from trips_mcp.tools.call_context import Conduct
from trips_mcp.tools.error_text import advice, where_to_check
from trips_mcp.tools.json_schema import input_schema, output_schema
from trips_mcp.tools.results import mask_restore
from trips_mcp.tools.results.answer import Answer, ToolRefusedError, within_bounds
from trips_mcp.tools.results.authors import others_may_have_written
from trips_mcp.tools.results.lists import Read, Show
from trips_mcp.tools.results.render import Prose, Showing
from trips_mcp.tools.results.tool_mentions import failure_without, refusal_without
from trips_mcp.tools.results.view_params import with_ours
from trips_mcp.tools.selection.single_trip import bound, keep_to_the_trip, where_to_look

_FEW: Final = 10
"""Requests left to the account, of which a host is told when there are fewer."""

_SEARCH_HINT: Final = "anthropic/searchHint"
"""Claude Code searches it beside a tool's name and description; no model reads it."""

_PLAIN: Final = Conduct()


class Hints(TypedDict):
    """MCP's tool annotations; all four are always said, as the defaults are the worst case."""

    readOnlyHint: bool
    destructiveHint: bool
    idempotentHint: bool
    openWorldHint: bool


@dataclass(frozen=True, slots=True)
class Local:
    """How a tool differs where trips are kept locally, so that nobody else sees what it does."""

    description: str
    remark: str
    """What each answer says of it."""


class View(Protocol):
    """How a result that may be long is shown, by `fields` and `cursor`."""

    @property
    def names(self) -> str:
        """The fields that can be asked for, in words."""
        ...

    async def answer(self, asked: Params, params: type[Params], read: Read, show: Show) -> Answer:
        """`asked` holds the operation's `params`, and our own.

        Raises: ToolRefusedError, TripsError.
        """
        ...


@dataclass(frozen=True, kw_only=True)
class Tool(Generic[P, R]):
    name: str
    title: str
    description: str
    params: type[P]
    hints: Hints
    uses: tuple[Operation[Any, Any], ...]
    """What it calls; without the first one's API and scope it can't be had."""
    run: Callable[[TripsClient, P, Report, Conduct], Awaitable[Outcome[R]]]
    lookup: str = field(default="")
    """The tool that lists what this one's ids stand for; named when an id turns out wrong."""
    outbound: bool = False
    """Whether it lets words or data out to other people."""
    local: Local | None = None
    """What is different where trips are kept locally."""
    apart: str = ""
    """Its description where the Events API is a service of its own, with numbers that no other tool has."""
    asked_for: str = ""
    """Words of users that name and description have not: some hosts show a model no tool before it has searched."""
    view: View | None = None
    """For lists and exports; None where a result is shown as it is."""
    prose: Prose[R] | None = None
    """The answer in words; without, the text is the structured content as JSON."""
    answers: type[R] | None = None
    """Of what form the structured content is, where that is told."""

    @cached_property
    def asked(self) -> type[Params]:
        return self.params if self.view is None else with_ours(self.params, self.view.names)

    @cached_property
    def input_schema(self) -> dict[str, Any]:
        return input_schema(self.asked)

    def listing(self) -> dict[str, Any]:
        """Its entry in tools/list, as it stands on the wire."""
        found: dict[str, Any] = {
            "name": self.name,
            "title": self.title,
            "description": self.description,
            "inputSchema": self.input_schema,
            "annotations": self.hints,
        }
        if self.answers is not None:
            found["outputSchema"] = output_schema(self.answers)
        if self.asked_for:
            found["_meta"] = {_SEARCH_HINT: self.asked_for}
        return found

    async def call(
        self, client: TripsClient, arguments: Mapping[str, Any], report: Report, conduct: Conduct = _PLAIN
    ) -> Answer:
        """Whatever the agent can act on becomes its answer; anything else raised is a defect of ours."""
        try:
            given = await bound(client, arguments, self.input_schema["properties"], conduct)
            try:
                params = self.asked.model_validate(
                    tidied(given, self.input_schema), strict=True, by_name=False, extra="forbid"
                )
            except ValidationError as error:
                found = in_words(faults(error, self.asked))
                said = within_bounds(f"Nothing was sent, the arguments of {self.name} need mending: {found}.")
                return Answer(said, is_error=True)
            if blank := only_blank(given, self.input_schema):
                raise ToolRefusedError(
                    f'Not sent: "" changes nothing. To empty {" and ".join(blank)}, send clear: {json.dumps(blank)}.'
                )
            await keep_to_the_trip(client, params, conduct)
            return await self._answered(client, params, report, conduct)
        except ToolRefusedError as error:
            return Answer(refusal_without(str(error), conduct.absent), is_error=True)
        except TripsError as error:
            lookup, hint = where_to_look(error, where_to_check(error, self.lookup), conduct)
            known = "" if lookup in conduct.absent else lookup
            said = advice(error, self.name, known, self.hints["readOnlyHint"]) + hint
            said = failure_without(said, error, self.name, conduct.absent)
            return Answer(within_bounds(said), is_error=True, meta=_meta(client.rate_limit), failure=error)

    async def _answered(self, client: TripsClient, params: Any, report: Report, conduct: Conduct) -> Answer:
        limits: list[RateLimit | None] = []
        others = False

        async def read(asked: P) -> Outcome[R]:
            nonlocal others
            outcome = await self.run(client, asked, report, conduct)
            limits.append(outcome.rate_limit)
            others = await self._others_may_have_written(client, asked, outcome.result)
            if conduct.local and self.local is not None:
                return replace(outcome, notes=(*outcome.notes, self.local.remark))
            return outcome

        def show(result: Result) -> Showing:
            quotes = self.hints["readOnlyHint"]
            return Showing.of(result, masks=conduct.mask_secrets, quotes=quotes, others=others, absent=conduct.absent)

        if self.view is not None:
            answer = await self.view.answer(params, self.params, read, show)
        else:
            outcome = await read(params)
            answer = show(outcome.result).whole(outcome.result, outcome.notes, self.prose)
        meta = _meta(limits[-1])
        return answer if meta is None else replace(answer, meta=meta)

    async def _others_may_have_written(self, client: TripsClient, asked: P, result: R) -> bool:
        """Of what belongs to a trip, that depends on its members; of events, nobody can tell."""
        if not self.hints["readOnlyHint"]:
            return False
        if isinstance(asked, OfTrip):
            return await others_may_have_written(client, asked.trip_id, result)
        return self.hints["openWorldHint"]


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
    shown: Callable[[R], tuple[R, tuple[str, ...]]] | None = None,
    uncompared: Callable[[P, R], tuple[R, tuple[str, ...]]] | None = None,
) -> Tool[P, R]:
    """A tool that is exactly one operation, with the hints of docs/contract.md#tool-hints.

    `overwrites` and `repeatable` are for the POSTs that are unlike most: they may replace what is there, or
    may be sent again without harm. `open_world`: it brings in, or sends out, other people's words.
    `outbound`: it lets words or data out to other people. `local`, `apart`: see `Tool`. `unmasked`: what is
    sent where masks are in what was asked. `shown`: what of a result a model is to see, and what it is to be told of
    the rest. `uncompared`: the result without what tells whether a secret that was sent is the one that is there.
    """

    async def run(client: TripsClient, asked: P, report: Report, conduct: Conduct) -> Outcome[R]:
        params = asked
        if not operation.reads and mask_restore.may_be_in(params):
            if unmasked is not None:
                params = await unmasked(client, params)
            mask_restore.refuse(params)
        outcome = await client.outcome(operation, params, report)
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
        lookup=lookup,
        outbound=outbound,
        local=local,
        apart=apart,
        asked_for=asked_for,
        view=view,
    )
