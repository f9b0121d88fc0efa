"""The handlers of requests, and the check of lists with a single page."""

import mcp_types as types
from mcp import MCPError


def expect_no_cursor(params: types.PaginatedRequestParams) -> None:
    """Raises: MCPError."""
    if params.cursor is not None:
        raise MCPError(types.INVALID_PARAMS, "This list has one page; ask for it without a cursor.")
