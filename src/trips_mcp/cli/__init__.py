"""The command `trips-mcp`, which reads the settings, wires the layers and serves.

Without arguments it serves MCP over stdio and imports almost nothing first, because hosts start it at each
launch and wait for it. With flags only, it also serves, and loads a parser. Everything else goes through
`commands`.
"""

import os
import sys
from collections.abc import Mapping

OF_NO_SERVER = ("-h", "--help", "--version")
COMMAND_WORDS = (
    "serve",
    "install",
    "demo",
    "tools",
    "call",
    "export",
    "import",
    "history",
    "undo",
    "doctor",
    "backend",
)


def main() -> int:
    try:
        from trips_mcp.interrupts import exit_on_interrupt_in_imports  # here, as an interrupt may come before it

        exit_on_interrupt_in_imports()
        return _main()
    except BaseException as error:
        if not _is_interrupt(error):
            raise
        from trips_mcp.interrupts import end_interrupted

        end_interrupted()


def _is_interrupt(error: BaseException | None) -> bool:
    """Python 3.11 wraps an interrupt that arrives while a class is being created."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__
    return error is not None


def _main() -> int:
    if any(stream is not None and stream.isatty() for stream in (sys.stdout, sys.stderr)):
        from trips_mcp.cli.output import set_up_output

        set_up_output()
    words = sys.argv[1:]
    if not words:
        return serve_stdio()
    if words[0].startswith("-") and words[0] not in OF_NO_SERVER and not any(word in COMMAND_WORDS for word in words):
        from trips_mcp.cli.serve import serve

        return serve(words)
    from trips_mcp.cli.commands import run

    return run(words)


def serve_stdio(flags: Mapping[str, str] | None = None) -> int:
    """Serves MCP over stdio. Imports only the transport."""
    from trips_mcp.settings import Settings, SettingsError

    try:
        settings = Settings.from_env(os.environ, flags)
        from trips_mcp.server.stdio.transport import run_stdio

        return run_stdio(settings)
    except SettingsError as error:
        sys.stderr.write(f"trips-mcp: {error}\n")
        return 2
