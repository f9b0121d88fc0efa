"""The command `trips-mcp demo`, a session of a real client with a real server process."""

from argparse import Namespace

from trips_mcp.cli.command import Command, no_flags, run_async


def _run(_: Namespace) -> int:
    from trips_mcp.cli.demo.runner import play_on_a_throw_away_database

    return 0 if run_async(play_on_a_throw_away_database) else 1


DEMO = Command(words="demo", summary="show an agent's work on a temporary database", flags=no_flags, run=_run)
