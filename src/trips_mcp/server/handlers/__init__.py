"""The handlers of requests, and what they share: which hosts draw, and the error boundary.

The log gets details, a client an incident number.
"""

import logging
import uuid
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import mcp_types as types
from mcp import MCPError
from mcp.server import ServerRequestContext

from trips_mcp.server.apps import draws

logger = logging.getLogger(__name__)


def incident(what: str, error: Exception) -> str:
    """Logs the error. Returns the sentence for the client."""
    number = uuid.uuid4().hex[:8]
    logger.error("%s failed, incident %s", what, number, exc_info=error)
    return f"An internal error happened in {what}; it is in this server's log as incident {number}."


@contextmanager
def error_boundary(method: str) -> Generator[None]:
    """Hides unexpected exceptions; the SDK would send the exception's text to the client."""
    try:
        yield
    except MCPError:
        raise
    except Exception as error:  # noqa: BLE001 - this is the boundary
        raise MCPError(types.INTERNAL_ERROR, incident(method, error)) from None


def expect_no_cursor(params: types.PaginatedRequestParams) -> None:
    """Raises: MCPError."""
    if params.cursor is not None:
        raise MCPError(types.INVALID_PARAMS, "This list has one page; ask for it without a cursor.")


def host_draws(context: ServerRequestContext[Any]) -> bool:
    """Whether the host announced that it draws pages in the chat (MCP Apps)."""
    capabilities = context.session.client_capabilities
    return capabilities is not None and draws(capabilities.extensions)
