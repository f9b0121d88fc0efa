"""`trips-mcp doctor`: what is set, what answers, and what to do about the rest."""

from argparse import Namespace

from trips_mcp.cli.command import Command, no_flags
from trips_mcp.cli.output import say


def _run(_: Namespace) -> int:
    import anyio

    from trips_mcp.cli.doctor.examination import examine
    from trips_mcp.cli.doctor.finding import Finding
    from trips_mcp.cli.environment import settings_of_the_environment

    failures = 0

    def tell(finding: Finding) -> None:
        nonlocal failures
        failures += finding.level == "fail"
        say(str(finding))

    anyio.run(examine, settings_of_the_environment(), tell)
    say()
    say(f"{failures} to mend, see the lines marked fail." if failures else "All is well.")
    return 1 if failures else 0


DOCTOR = Command(words="doctor", summary="check settings, key, scopes and reachability", flags=no_flags, run=_run)
