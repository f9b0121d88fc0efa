"""A tool: what an agent sees of one call, and how it is run. Plain data and one client; no MCP here."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import ceil
from typing import Any, Final, Generic, TypedDict

from pydantic import ValidationError

from trips_mcp.client import TripsClient
from trips_mcp.client.errors import TripsError
from trips_mcp.client.outcome import Outcome, RateLimit, Report
from trips_mcp.contract.faults import faults, in_words
from trips_mcp.contract.operation import Operation, P, R
from trips_mcp.tools.arguments import tidied
from trips_mcp.tools.conduct import Conduct
from trips_mcp.tools.failures import advice
from trips_mcp.tools.schema import input_schema

_FEW: Final = 10
"""Requests left to the account, of which a host is told when there are fewer."""

_PLAIN: Final = Conduct()


class Hints(TypedDict):
    """MCP's tool annotations; all four are always said, as the defaults are the worst case."""

    readOnlyHint: bool
    destructiveHint: bool
    idempotentHint: bool
    openWorldHint: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """What the agent gets: text and structured content, each complete."""

    text: str
    structured: dict[str, Any] | None = None
    is_error: bool = False
    meta: dict[str, Any] | None = None
    """For the host, not for the model."""


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

    @cached_property
    def input_schema(self) -> dict[str, Any]:
        return input_schema(self.params)

    def listing(self) -> dict[str, Any]:
        """Its entry in tools/list, as it stands on the wire."""
        return {
            "name": self.name,
            "title": self.title,
            "description": self.description,
            "inputSchema": self.input_schema,
            "annotations": self.hints,
        }

    async def call(
        self, client: TripsClient, arguments: Mapping[str, Any], report: Report, conduct: Conduct = _PLAIN
    ) -> Answer:
        """Whatever the agent can act on becomes its answer; anything else raised is a defect of ours."""
        try:
            params = self.params.model_validate(
                tidied(dict(arguments), self.input_schema), strict=True, by_name=False, extra="forbid"
            )
        except ValidationError as error:
            found = in_words(faults(error, self.params))
            return Answer(f"Nothing was sent, the arguments of {self.name} need mending: {found}.", is_error=True)
        try:
            outcome = await self.run(client, params, report, conduct)
        except TripsError as error:
            said = advice(error, self.name, self.lookup, self.hints["readOnlyHint"])
            return Answer(said, is_error=True, meta=_meta(client.rate_limit))
        return _answer(outcome)


def _answer(outcome: Outcome[R]) -> Answer:
    structured = outcome.result.model_dump(mode="json", exclude_none=True, exclude_unset=True)
    if outcome.notes:
        structured = {"remarks": list(outcome.notes), **structured}  # `notes` are a traveller's own
    text = json.dumps(structured, ensure_ascii=False, separators=(",", ":"))
    return Answer(text, structured, meta=_meta(outcome.rate_limit))


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
    shown: Callable[[R], R] | None = None,
) -> Tool[P, R]:
    """A tool that is exactly one operation, with the hints of CONTRACT §4.

    `overwrites` and `repeatable` are for the POSTs that are unlike most: they may replace what is there, or
    may be sent again without harm. `open_world`: it brings in, or sends out, other people's words.
    `outbound`: it lets words or data out to other people. `shown`: what of a result a model is to see.
    """

    async def run(client: TripsClient, params: P, report: Report, _: Conduct) -> Outcome[R]:
        outcome = await client.outcome(operation, params, report)
        return outcome if shown is None else replace(outcome, result=shown(outcome.result))

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
    )
