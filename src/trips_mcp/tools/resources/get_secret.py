"""The tool that reveals one masked secret of a leg."""

from typing import Annotated

from pydantic import Field

from trips_mcp.client import TripsClient
from trips_mcp.client.outcome import Outcome, Report
from trips_mcp.contract.fields import Id
from trips_mcp.contract.legs import LIST_LEGS
from trips_mcp.contract.models import OfTrip, Result
from trips_mcp.tools.call_context import Conduct
from trips_mcp.tools.results.answer import ToolRefusedError
from trips_mcp.tools.results.fields import is_nameable
from trips_mcp.tools.results.mask_restore import legs_of
from trips_mcp.tools.results.secrets import secrets_of
from trips_mcp.tools.tool import Tool

Path = Annotated[
    str,
    Field(min_length=1, max_length=1000, description="Where it stands, e.g. accommodation.doorCode"),
]


class GetSecret(OfTrip):
    leg_id: Id
    path: Path


class Secret(Result):
    path: str
    value: object


async def _tell(client: TripsClient, asked: GetSecret, _: Report, __: Conduct) -> Outcome[Secret]:
    async for leg in legs_of(client, asked.trip_id):
        if leg.id == asked.leg_id:
            known = dict(secrets_of(leg))
            if asked.path not in known:
                raise ToolRefusedError(_no_such(list(known)))
            return Outcome(Secret(path=asked.path, value=known[asked.path]), rate_limit=client.rate_limit)
    raise ToolRefusedError("The trip has no leg with this legId; look it up with list_legs.")


def _no_such(paths: list[str]) -> str:
    told = [path for path in paths if all(is_nameable(step) or step.isdecimal() for step in path.split("."))]
    if not told:
        return "This leg has no secrets."
    return f"The leg has no secret at this path; it has {', '.join(told)}."


get_secret = Tool(
    name="get_secret",
    title="Get secret",
    description="Reveal one masked value of a leg, when the user asks: door code, Wi-Fi password, host's phone, "
    "confirmation number, check-in instructions. The path is where the mask stands, such as "
    "flights.0.confirmationNumber.",
    params=GetSecret,
    hints={"readOnlyHint": True, "destructiveHint": False, "idempotentHint": True, "openWorldHint": False},
    uses=(LIST_LEGS,),
    run=_tell,
    lookup="list_legs",
)
