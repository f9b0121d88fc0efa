"""A tool: what an agent sees of one call, and how it is run. Plain data and one client; no MCP here."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Generic, TypedDict

from pydantic import ValidationError

from trips_mcp.client import TripsClient
from trips_mcp.client.errors import TripsError
from trips_mcp.contract.faults import faults, in_words
from trips_mcp.contract.models import Result
from trips_mcp.contract.operation import Operation, P, R
from trips_mcp.tools.arguments import tidied
from trips_mcp.tools.failures import advice
from trips_mcp.tools.schema import input_schema

Report = Callable[[float, float | None, str | None], Awaitable[None]]
"""Tells the host how far a long call is: progress, total if known, a word about it."""


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


@dataclass(frozen=True, kw_only=True)
class Tool(Generic[P, R]):
    name: str
    title: str
    description: str
    params: type[P]
    hints: Hints
    run: Callable[[TripsClient, P, Report], Awaitable[R]]
    lookup: str = field(default="")
    """The tool that lists what this one's ids stand for; named when an id turns out wrong."""

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

    async def call(self, client: TripsClient, arguments: Mapping[str, Any], report: Report) -> Answer:
        """Whatever the agent can act on becomes its answer; anything else raised is a defect of ours."""
        try:
            params = self.params.model_validate(
                tidied(dict(arguments), self.input_schema), strict=True, by_name=False, extra="forbid"
            )
        except ValidationError as error:
            found = in_words(faults(error, self.params))
            return Answer(f"Nothing was sent, the arguments of {self.name} need mending: {found}.", is_error=True)
        try:
            result = await self.run(client, params, report)
        except TripsError as error:
            return Answer(advice(error, self.name, self.lookup, self.hints["readOnlyHint"]), is_error=True)
        return _answer(result)


def _answer(result: Result) -> Answer:
    structured = result.model_dump(mode="json", exclude_none=True, exclude_unset=True)
    return Answer(json.dumps(structured, ensure_ascii=False, separators=(",", ":")), structured)


def tool(
    operation: Operation[P, R],
    *,
    title: str,
    description: str,
    lookup: str = "",
    overwrites: bool = False,
    repeatable: bool = False,
    open_world: bool = False,
) -> Tool[P, R]:
    """A tool that is exactly one operation, with the hints of CONTRACT §4.

    `overwrites` and `repeatable` are for the POSTs that are unlike most: they may replace what is there, or
    may be sent again without harm. `open_world`: it brings in, or sends out, other people's words.
    """

    async def run(client: TripsClient, params: P, _: Report) -> R:
        return await client.call(operation, params)

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
        run=run,
        lookup=lookup,
    )
