"""Cursors of lists that we cut: they continue after the last item shown, despite later changes.

The services' own cursors pass through as they are. One of ours names the service's page in which the list was
cut, and recognises the items shown last, some of which may be deleted by the time it is used.
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
    """The service's cursor of the page; None for the first or only page."""
    shown: tuple[str, ...] = ()
    """Hashes of the ids of the items shown last, newest first; empty at the start."""

    @classmethod
    def after(cls, page: str | None, ids: Sequence[str]) -> Self:
        return cls(page, tuple(_known_by(id_) for id_ in reversed(ids[-_REMEMBERED:])))

    @classmethod
    def read(cls, cursor: str) -> Self | None:
        """None for a cursor with our prefix that is not valid."""
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
        """Where to continue in these items; None if none of the items shown is among them."""
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
