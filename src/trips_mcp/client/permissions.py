"""The known scopes of the trips key, with which a forbidden call is refused before it is sent.

The scopes are those of docs/contract.md#scopes. Tokens of the Events API have no scopes. While the scopes are unknown,
every call is sent.
"""

from collections.abc import Collection
from typing import Any

from trips_mcp.client.errors import MissingScopeError
from trips_mcp.contract.models import Params
from trips_mcp.contract.operation import Operation, P, R
from trips_mcp.scopes import BaseScope, Scope, allows


class Permissions:
    def __init__(self, scopes: Collection[str] | None) -> None:
        """`scopes`: None uses the scopes that `get_me` reports. Raises: ValueError for an invalid scope."""
        self._set = scopes is not None
        self._scopes = None if scopes is None else [Scope.parse(text) for text in scopes]

    def learn(self, reported: Collection[str] | None) -> None:
        """Takes the scopes that the service reports. An unknown scope may allow anything, so all become unknown."""
        if self._set:
            return
        try:
            self._scopes = None if reported is None else [Scope.parse(text) for text in reported]
        except ValueError:
            self._scopes = None

    def check(self, operation: Operation[P, R], params: P) -> None:
        """Raises: MissingScopeError."""
        needed = operation.scope
        if self._scopes is None or needed == "any key" or needed == "nobody" or operation.api != "trips":
            return
        if not any(scope.base == needed for scope in self._scopes):
            raise MissingScopeError(operation, needed)
        if not self._covers(operation, needed, _trip_of(params)):
            raise MissingScopeError(operation, needed, other_trip=True)

    def _covers(self, operation: Operation[Any, Any], needed: BaseScope, trip_id: str | None) -> bool:
        # a key limited to one trip may list trips; the list shows that trip only
        return allows(self._scopes or (), needed, trip_id) or (trip_id is None and operation.reads)


def _trip_of(params: Params) -> str | None:
    trip_id: object = getattr(params, "trip_id", None)
    return trip_id if isinstance(trip_id, str) else None
