"""The embedded backend, which serves both APIs over SQLite or PostgreSQL.

Names are imported at their first use, because importing SQLAlchemy takes 0.2 seconds.
"""

from typing import TYPE_CHECKING, Any

from trips_mcp.backend.store import DatabaseError

if TYPE_CHECKING:
    from trips_mcp.backend.factory import migrate, open_backend
    from trips_mcp.backend.groups import add_member, list_members, move_trip, remove_member
    from trips_mcp.backend.keys import create_key, list_keys, make_key, revoke_key

__all__ = [
    "DatabaseError",
    "add_member",
    "create_key",
    "list_keys",
    "list_members",
    "make_key",
    "migrate",
    "move_trip",
    "open_backend",
    "remove_member",
    "revoke_key",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from trips_mcp.backend import factory, groups, keys

    return getattr(next(module for module in (keys, groups, factory) if hasattr(module, name)), name)
