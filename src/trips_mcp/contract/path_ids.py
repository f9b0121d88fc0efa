"""Ids in paths: the trip's id that most operations take, and the Events API's integer ids."""

from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import MISSING, PydanticCustomError

from trips_mcp.contract.fields import WHOLE, Id
from trips_mcp.contract.models import Params


class OfTrip(Params):
    trip_id: Id


class OfAnyTrip(Params):
    """A question that may be about one trip or about all."""

    trip_id: Id | MISSING = MISSING


def _storable(number: int) -> int:
    if number >= 2**53:
        raise PydanticCustomError("id", "not an id; copy it exactly as another tool returned it")
    return number


Integer = Annotated[int, Field(ge=1), WHOLE, AfterValidator(_storable)]
"""An id of the Events API."""
