"""The embedded backend: both APIs of the contract, served over SQLite or PostgreSQL.

Names are loaded at their first use: SQLAlchemy is a fifth of a second that a start need not pay.
"""

from typing import TYPE_CHECKING, Any

from trips_mcp.backend.errors import DatabaseError

if TYPE_CHECKING:
    from trips_mcp.backend.opening import create_key, migrate, open_backend

__all__ = ["DatabaseError", "create_key", "migrate", "open_backend"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from trips_mcp.backend import opening

    return getattr(opening, name)
