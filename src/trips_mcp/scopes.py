"""Scopes for all trips (`trips:read`) or one (`trips:write:jx7…`) (docs/contract.md#scopes).

Standard library only: the settings and the listing of tools read scopes at the start.
"""

from collections.abc import Iterable
from typing import Literal, NamedTuple, Self, TypeGuard, get_args

BaseScope = Literal["trips:read", "trips:write", "messages:read", "messages:write"]
BASE_SCOPES: tuple[BaseScope, ...] = get_args(BaseScope)


class Scope(NamedTuple):
    base: BaseScope
    trip_id: str | None = None
    """The one trip it is limited to; None means every trip of the user."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises: ValueError with a sentence that says what is accepted."""
        area, _, rest = text.partition(":")
        action, colon, trip_id = rest.partition(":")
        base = f"{area}:{action}"
        if not _is_base(base) or (colon and not trip_id):
            accepted = ", ".join(BASE_SCOPES)
            raise ValueError(f"{text!r} is not a scope; expected {accepted}, each with or without :<tripId>")
        return cls(base, trip_id or None)

    def __str__(self) -> str:  # pyright: ignore[reportImplicitOverride] - not in 3.11's typing
        return self.base if self.trip_id is None else f"{self.base}:{self.trip_id}"

    def covers(self, needed: BaseScope, trip_id: str | None) -> bool:
        """Whether it allows `needed` on this trip; `trip_id` is None for an operation outside any single trip."""
        return self.base == needed and self.trip_id in (None, trip_id)


def allows(scopes: Iterable[Scope], needed: BaseScope, trip_id: str | None) -> bool:
    return any(scope.covers(needed, trip_id) for scope in scopes)


def _is_base(text: str) -> TypeGuard[BaseScope]:
    return text in BASE_SCOPES
