"""Where a list that was cut goes on: after the last item shown, whatever has come or gone since.

The services' own cursors pass through as they are. One of ours stands for the service's page in which the list was
cut, and recognises the items shown last, of which some may be deleted by the time it is used.
"""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Final, Self

from typing_extensions import override

_PREFIX: Final = "after."
_REMEMBERED: Final = 5


@dataclass(frozen=True, slots=True)
class Position:
    page: str | None = None
    """The service's cursor of the page; None for its first, or where it has but one."""
    shown: tuple[str, ...] = ()
    """What the items shown last are known by, the very last first; empty before the first."""

    @classmethod
    def after(cls, page: str | None, ids: Sequence[str]) -> Self:
        return cls(page, tuple(_known_by(id_) for id_ in reversed(ids[-_REMEMBERED:])))

    @classmethod
    def read(cls, cursor: str) -> Self | None:
        """None for what cannot be one of ours, though it looks like it."""
        if not is_ours(cursor):
            return cls(cursor)
        try:
            page, *shown = _strings(json.loads(urlsafe_b64decode(cursor.removeprefix(_PREFIX).encode("ascii"))))
        except (ValueError, RecursionError):
            return None
        return cls(page or None, tuple(shown))

    @override
    def __str__(self) -> str:
        return _PREFIX + urlsafe_b64encode(json.dumps([self.page or "", *self.shown]).encode()).decode()

    def start(self, ids: Sequence[str]) -> int | None:
        """Where it goes on in these items; None if none of those that were shown is among them."""
        if not self.shown:
            return 0
        places = {_known_by(id_): place for place, id_ in enumerate(ids)}
        return next((places[known] + 1 for known in self.shown if known in places), None)


def is_ours(cursor: str) -> bool:
    return cursor.startswith(_PREFIX)


def _known_by(id_: str) -> str:
    return blake2b(id_.encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()


def _strings(found: Any) -> list[str]:
    if not isinstance(found, list) or not all(isinstance(part, str) for part in found):  # pyright: ignore
        raise ValueError
    return found  # pyright: ignore
