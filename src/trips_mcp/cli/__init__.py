"""The command `trips-mcp`: reads the settings, wires the layers, serves.

With no argument it serves MCP over stdio, and gets there importing next to nothing: hosts start it at each
launch and wait for it. With flags alone it serves, too, at the price of a parser. Everything else goes through
`commands`.
"""

import sys

OF_NO_SERVER = ("-h", "--help", "--version")
COMMAND_WORDS = ("serve", "install", "demo", "tools", "call", "doctor", "backend")


def main() -> int:
    try:
        return _main()
    except BaseException as error:
        if not _is_interrupt(error):
            raise
        return _interrupted()


def _is_interrupt(error: BaseException | None) -> bool:
    """Python 3.11 wraps one that comes while a class is being made."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__
    return error is not None


def _interrupted() -> int:
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # one more would only show where the interpreter's end was
    if sys.stderr is not None:
        sys.stderr.write("trips-mcp: interrupted.\n")
    return 130


def _main() -> int:
    if any(stream is not None and stream.isatty() for stream in (sys.stdout, sys.stderr)):
        from trips_mcp.cli.output import set_up_output

        set_up_output()
    words = sys.argv[1:]
    if not words:
        from trips_mcp.cli.serve_stdio import serve_stdio

        return serve_stdio()
    if words[0].startswith("-") and words[0] not in OF_NO_SERVER and not any(word in COMMAND_WORDS for word in words):
        from trips_mcp.cli.serve import serve

        return serve(words)
    from trips_mcp.cli.commands import run

    return run(words)
