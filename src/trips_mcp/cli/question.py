"""A question to the person at the terminal."""

from trips_mcp.cli.command import CommandError, standard_input
from trips_mcp.cli.output import remark


def agreed(question: str, otherwise: str) -> bool:
    """Raises: CommandError with `otherwise` if nobody can be asked."""
    stdin = standard_input()
    if not stdin.isatty():
        raise CommandError(otherwise)
    remark(f"{question} [y/N]")
    return stdin.readline().strip().lower() in ("y", "yes")
