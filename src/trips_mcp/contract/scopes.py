"""Scopes for all trips (`trips:read`) or one (`trips:write:jx7…`) (docs/contract.md#scopes)."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, Self, TypeGuard, get_args

from typing_extensions import override

BaseScope = Literal["trips:read", "trips:write", "messages:read", "messages:write"]
BASE_SCOPES: tuple[BaseScope, ...] = get_args(BaseScope)


@dataclass(frozen=True, slots=True)
class Scope:
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
            raise ValueError(
                f"{text!r} is not a scope; expected {', '.join(BASE_SCOPES)}, each with or without :<tripId>"
            )
        return cls(base, trip_id or None)

    @override
    def __str__(self) -> str:
        return self.base if self.trip_id is None else f"{self.base}:{self.trip_id}"

    def covers(self, needed: BaseScope, trip_id: str | None) -> bool:
        """Whether it allows `needed` on this trip; `trip_id` is None for an operation outside any single trip."""
        return self.base == needed and self.trip_id in (None, trip_id)


def allows(scopes: Iterable[Scope], needed: BaseScope, trip_id: str | None) -> bool:
    return any(scope.covers(needed, trip_id) for scope in scopes)


def _is_base(text: str) -> TypeGuard[BaseScope]:
    return text in BASE_SCOPES
