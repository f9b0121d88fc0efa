"""The typed async client of both REST APIs, which knows the contract and HTTP but not MCP.

The names below are loaded on first use, so importing an error does not import httpx.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trips_mcp.client.client import TripsClient
    from trips_mcp.client.endpoint import Endpoint
    from trips_mcp.client.errors import (
        ApiError,
        BadAnswerError,
        CannotConnectError,
        ConflictError,
        ForbiddenError,
        GoneError,
        InvalidError,
        MissingScopeError,
        NotConfiguredError,
        NotFoundError,
        OutcomeUnknownError,
        RateLimitedError,
        ServerFaultError,
        TripsError,
        UnauthorizedError,
        UnavailableError,
    )
    from trips_mcp.client.outcome import Outcome, RateLimit
else:
    _MODULES = {"TripsClient": "client", "Endpoint": "endpoint", "Outcome": "outcome", "RateLimit": "outcome"}

    def __getattr__(name: str) -> object:
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        module = _MODULES.get(name, "errors")
        value = getattr(import_module(f"{__name__}.{module}"), name)
        globals()[name] = value
        return value


__all__ = [
    "ApiError",
    "BadAnswerError",
    "CannotConnectError",
    "ConflictError",
    "Endpoint",
    "ForbiddenError",
    "GoneError",
    "InvalidError",
    "MissingScopeError",
    "NotConfiguredError",
    "NotFoundError",
    "Outcome",
    "OutcomeUnknownError",
    "RateLimit",
    "RateLimitedError",
    "ServerFaultError",
    "TripsClient",
    "TripsError",
    "UnauthorizedError",
    "UnavailableError",
]
