"""A traveller's trips as tools for agents: MCP server, typed REST client, embedded backend."""

__version__ = "0.1.0"
