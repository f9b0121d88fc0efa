"""State that the demo's turns share: the server, the sample, and results of earlier turns."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from trips_mcp.cli.demo.sample import Fields, Sample

Caller = Callable[[str, Fields], Awaitable[tuple[bool, str, Fields]]]
"""Calls a tool. Returns whether it refused, its text and its structured content."""


class StepFailedError(Exception):
    """A broken expectation of the demo, in one sentence."""


def expect(held: bool, otherwise: str) -> None:
    if not held:
        raise StepFailedError(otherwise)


@dataclass(kw_only=True)
class Scene:
    call: Caller
    sample: Sample
    trip: Fields = field(default_factory=Fields)
    plan: Fields = field(default_factory=Fields)
    """The preview of the latest plan."""
    before: Fields = field(default_factory=Fields)
    """The trip before the first plan."""
    called: list[str] = field(default_factory=list[str])
    """The tools called in this turn, in the order of their first calls."""

    async def ask(self, tool: str, **arguments: object) -> Fields:
        """The answer of a call that must succeed."""
        refused, text, answer = await self._call(tool, arguments)
        expect(not refused, f"{tool} was refused: {text}")
        return answer

    async def ask_of_trip(self, tool: str, **arguments: object) -> Fields:
        return await self.ask(tool, tripId=self.trip["_id"], **arguments)

    async def refusal(self, tool: str, **arguments: object) -> str:
        """The error text of a call that must be refused."""
        refused, text, _ = await self._call(tool, arguments)
        expect(refused, f"{tool} accepted what it must refuse")
        return text

    async def _call(self, tool: str, arguments: Fields) -> tuple[bool, str, Fields]:
        if tool not in self.called:
            self.called.append(tool)
        return await self.call(tool, arguments)
