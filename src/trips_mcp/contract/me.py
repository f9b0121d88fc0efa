"""The key's user, groups and scopes: GET /me (docs/contract.md)."""

from typing import ClassVar

from pydantic import Field

from trips_mcp.contract.models import Params, Resource, Result
from trips_mcp.contract.operation import Operation


class GetMe(Params):
    pass


class User(Resource):
    name: str | None = None
    email: str | None = None
    phone: str | None = None


class Group(Resource):
    name: str | None = None
    role: str | None = None


class Me(Result):
    own_names: ClassVar = ("me",)

    user: User | None = None
    groups: list[Group] = Field(default_factory=list[Group])
    default_group_id: str | None = None
    scopes: list[str] | None = None
    """The key's scopes; None if the service does not report them."""


GET_ME = Operation("get_me", "GET", "/me", "any key", GetMe, Me)
