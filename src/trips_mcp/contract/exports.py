"""Export of a whole trip in one response: /trips/{tripId}/export (docs/contract.md)."""

from typing import ClassVar

from pydantic import Field

from trips_mcp.contract.action_items import ActionItem
from trips_mcp.contract.commitments import Commitment
from trips_mcp.contract.legs import Leg
from trips_mcp.contract.map_pins import MapPin
from trips_mcp.contract.members import Member
from trips_mcp.contract.models import OfTrip, Result
from trips_mcp.contract.operation import Operation
from trips_mcp.contract.trips import Trip


class TripExport(Result):
    own_names: ClassVar = ("export",)

    trip: Trip | None = None
    legs: list[Leg] = Field(default_factory=list[Leg])
    map_pins: list[MapPin] = Field(default_factory=list[MapPin])
    action_items: list[ActionItem] = Field(default_factory=list[ActionItem])
    commitments: list[Commitment] = Field(default_factory=list[Commitment])
    members: list[Member] = Field(default_factory=list[Member])


class ExportTrip(OfTrip):
    pass


EXPORT_TRIP = Operation("export_trip", "GET", "/trips/{tripId}/export", "trips:read", ExportTrip, TripExport)
