"""The command `trips-mcp`: reads the settings, wires the layers, serves.

With no argument it serves MCP over stdio, and gets there importing next to nothing: hosts start it at each
launch and wait for it. Everything else goes through `commands`.
"""

import sys


def main() -> int:
    words = sys.argv[1:]
    if not words:
        from trips_mcp.cli.stdio import serve_stdio

        return serve_stdio()
    from trips_mcp.cli.commands import run

    return run(words)
