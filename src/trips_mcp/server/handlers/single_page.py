"""Lists that are never cut: their one page has no cursor, so one that is sent belongs to something else."""

import mcp_types as types
from mcp import MCPError


def expect_no_cursor(params: types.PaginatedRequestParams) -> None:
    """Raises: MCPError."""
    if params.cursor is not None:
        raise MCPError(types.INVALID_PARAMS, "This list has one page; ask for it without a cursor.")
