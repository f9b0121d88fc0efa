"""The typed async REST client. Knows the contract and HTTP; knows no MCP.

What is named here is loaded when it is first used, so that the errors can be had without httpx.
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
    _FILES = {"TripsClient": "client", "Endpoint": "endpoint", "Outcome": "outcome", "RateLimit": "outcome"}

    def __getattr__(name: str) -> object:
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        file = _FILES.get(name, "errors")
        found = getattr(import_module(f"{__name__}.{file}"), name)
        globals()[name] = found
        return found


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
