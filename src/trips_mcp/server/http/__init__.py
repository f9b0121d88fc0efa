"""MCP over HTTP, for many callers: Streamable HTTP and the older SSE. Nothing here is loaded by a server on stdio."""
