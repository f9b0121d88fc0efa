"""What the steps of the demo share: the server they call, the sample, and what earlier steps learned."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from trips_mcp.cli.demo.sample import Fields, Sample

Caller = Callable[[str, Fields], Awaitable[tuple[bool, str, Fields]]]
"""Calls a tool: whether it refused, its text, its structured content."""


class StepFailedError(Exception):
    """What the server did not do as promised, in one sentence."""


def expect(held: bool, otherwise: str) -> None:
    if not held:
        raise StepFailedError(otherwise)


@dataclass(kw_only=True)
class Scene:
    call: Caller
    sample: Sample
    group_id: str = ""
    trip: Fields = field(default_factory=Fields)
    exported: Fields = field(default_factory=Fields)

    async def ask(self, tool: str, **arguments: object) -> Fields:
        """The answer of a call that has to succeed."""
        refused, text, answer = await self.call(tool, arguments)
        expect(not refused, f"{tool} was refused: {text}")
        return answer

    async def ask_of_trip(self, tool: str, **arguments: object) -> Fields:
        return await self.ask(tool, tripId=self.trip["_id"], **arguments)

    async def refusal(self, tool: str, **arguments: object) -> str:
        """What the server says to a call that has to be refused."""
        refused, text, _ = await self.call(tool, arguments)
        expect(refused, f"{tool} accepted what it must refuse")
        return text
