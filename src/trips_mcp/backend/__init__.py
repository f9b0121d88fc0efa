"""The embedded backend, which serves both APIs over SQLite or PostgreSQL.

Names are imported at their first use, because importing SQLAlchemy takes 0.2 seconds.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from trips_mcp.backend.store import DatabaseError

if TYPE_CHECKING:
    from trips_mcp.backend.admin import (
        add_member,
        create_key,
        list_keys,
        list_members,
        make_key,
        move_trip,
        remove_member,
        revoke_key,
    )
    from trips_mcp.backend.app import open_backend
    from trips_mcp.backend.store.database import migrate

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

_MODULES = {"open_backend": "app", "migrate": "store.database"}
"""The others are in `admin`."""


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES.get(name, 'admin')}"), name)
