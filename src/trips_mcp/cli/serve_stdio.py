"""Bare `trips-mcp`, which serves MCP over stdio. On the start path, so it imports only the transport."""

import os
import sys
from collections.abc import Mapping

from trips_mcp.settings import Settings, SettingsError


def serve_stdio(flags: Mapping[str, str] | None = None) -> int:
    try:
        settings = Settings.from_env(os.environ, flags)
        from trips_mcp.server.stdio.transport import run_stdio

        return run_stdio(settings)
    except SettingsError as error:
        sys.stderr.write(f"trips-mcp: {error}\n")
        return 2
