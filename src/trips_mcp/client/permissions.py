"""What the key is known to allow, so that a call it does not allow is not even sent (docs/contract.md#scopes).

Of the Trips API alone: a token of the Events API has no scopes. Where nothing is known everything is tried.
"""

from collections.abc import Collection
from typing import Any

from trips_mcp.client.errors import MissingScopeError
from trips_mcp.contract.models import Params
from trips_mcp.contract.operation import Operation, P, R
from trips_mcp.contract.scopes import BaseScope, Scope, allows


class Permissions:
    def __init__(self, scopes: Collection[str] | None) -> None:
        """Raises: ValueError for what is no scope. None: what `get_me` reports will count."""
        self._set = scopes is not None
        self._scopes = None if scopes is None else [Scope.parse(text) for text in scopes]

    def learn(self, reported: Collection[str] | None) -> None:
        """From the service. A scope this version does not know may allow anything, so then nothing is known."""
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
        # a key limited to a trip may list trips, and is shown that one
        return allows(self._scopes or (), needed, trip_id) or (trip_id is None and operation.reads)


def _trip_of(params: Params) -> str | None:
    trip_id: object = getattr(params, "trip_id", None)
    return trip_id if isinstance(trip_id, str) else None
