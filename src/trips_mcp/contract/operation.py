"""A REST operation, described once for the client, the backend and the tools."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

from trips_mcp.contract.models import Params, Result
from trips_mcp.scopes import BaseScope

P = TypeVar("P", bound=Params)
R = TypeVar("R", bound=Result)

Method = Literal["GET", "POST", "PATCH", "DELETE"]
Api = Literal["trips", "events"]
Access = BaseScope | Literal["any key", "nobody"]
"""What a caller needs: a scope, any valid key, or no key (the client then sends no Authorization header)."""


@dataclass(frozen=True, slots=True)
class Operation(Generic[P, R]):
    name: str
    method: Method
    path: str
    """Below the API's base URL, with a `{camelCase}` placeholder for each path value."""
    scope: Access
    params: type[P]
    result: type[R]
    success: int = 200
    """The usual status of a success."""
    when_empty: Callable[[P], R] | None = None
    """Makes the result of a 204 from the parameters; None if the response has a body."""
    api: Api = "trips"
    other_success: int | None = None
    """Another status of a success: 200 for a create that merged, 207 for a batch with errors (docs/contract.md)."""

    @property
    def reads(self) -> bool:
        return self.method == "GET"

    @property
    def has_body(self) -> bool:
        return self.method in ("POST", "PATCH")
