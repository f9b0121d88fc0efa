"""The command `trips-mcp`: reads the settings, wires the layers, serves.

With no argument it serves MCP over stdio, and gets there importing next to nothing: hosts start it at each
launch and wait for it. With flags alone it serves, too, at the price of a parser. Everything else goes through
`commands`.
"""

import sys

OF_NO_SERVER = ("-h", "--help", "--version")
COMMAND_WORDS = ("serve", "install", "demo", "tools", "call", "doctor", "backend")


def main() -> int:
    if any(stream is not None and stream.isatty() for stream in (sys.stdout, sys.stderr)):
        from trips_mcp.cli.output import set_up_output

        set_up_output()
    words = sys.argv[1:]
    if not words:
        from trips_mcp.cli.stdio import serve_stdio

        return serve_stdio()
    if words[0].startswith("-") and words[0] not in OF_NO_SERVER and not any(word in COMMAND_WORDS for word in words):
        from trips_mcp.cli.serve import serve

        return serve(words)
    from trips_mcp.cli.commands import run

    return run(words)
