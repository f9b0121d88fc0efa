"""The MCP server. This package imports nothing, so that the first response is fast."""
