"""The embedded backend: both APIs of the contract, served over SQLite or PostgreSQL.

Names are loaded at their first use: SQLAlchemy is a fifth of a second that a start need not pay.
"""

from typing import TYPE_CHECKING, Any

from trips_mcp.backend.errors import DatabaseError

if TYPE_CHECKING:
    from trips_mcp.backend.keys import create_key, list_keys, make_key, revoke_key
    from trips_mcp.backend.opening import migrate, open_backend

__all__ = ["DatabaseError", "create_key", "list_keys", "make_key", "migrate", "open_backend", "revoke_key"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from trips_mcp.backend import keys, opening

    return getattr(keys if name.endswith(("_key", "_keys")) else opening, name)
