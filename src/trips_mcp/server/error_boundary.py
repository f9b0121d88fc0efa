"""The outermost wall of a handler: what is not meant for a client goes to the log, under a number that it is told."""

import logging
import uuid
from collections.abc import Generator
from contextlib import contextmanager

import mcp_types as types
from mcp import MCPError

logger = logging.getLogger(__name__)


def incident(what: str, error: Exception) -> str:
    """Logs it; the sentence to tell."""
    number = uuid.uuid4().hex[:8]
    logger.error("%s failed, incident %s", what, number, exc_info=error)
    return f"An internal error happened in {what}; it is in this server's log as incident {number}."


@contextmanager
def walled(method: str) -> Generator[None]:
    """Else the SDK would tell the client of an exception in its own words."""
    try:
        yield
    except MCPError:
        raise
    except Exception as error:  # noqa: BLE001 - this is the wall
        raise MCPError(types.INTERNAL_ERROR, incident(method, error)) from None
