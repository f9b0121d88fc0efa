"""MCP: lists the tools and runs them against one client. Nothing is imported here: the first answer must be quick."""
