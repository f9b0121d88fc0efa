"""A trip's members: /trips/{tripId}/members (docs/contract.md)."""

from typing import ClassVar

from trips_mcp.contract.models import OfTrip, Page, Result
from trips_mcp.contract.operation import Operation


class Member(Result):
    user_id: str | None = None
    name: str | None = None
    role: str | None = None
    email: str | None = None
    phone: str | None = None


class MemberPage(Page[Member]):
    plural_names: ClassVar = ("members",)


class ListMembers(OfTrip):
    pass


LIST_MEMBERS = Operation("list_members", "GET", "/trips/{tripId}/members", "trips:read", ListMembers, MemberPage)
