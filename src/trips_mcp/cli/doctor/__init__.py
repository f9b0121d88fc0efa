"""The command `trips-mcp doctor`, which checks settings and services. docs/doctor.md has its JSON."""

import json
from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from trips_mcp.cli.command import Command, run_async
from trips_mcp.cli.output import say
from trips_mcp.cli.settings import add_server_flags, given

if TYPE_CHECKING:
    from trips_mcp.cli.doctor.checkup import Report
    from trips_mcp.cli.doctor.finding import Diagnosis


def _flags(parser: ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON, as docs/doctor.md describes")
    add_server_flags(parser)
    parser.epilog = "It changes nothing. The exit code is 1 if something is wrong, and 0 if there are only hints."


def _run(arguments: Namespace) -> int:
    from trips_mcp.cli.doctor.checkup import examine

    def tell(finding: "Diagnosis") -> None:
        if not arguments.json:
            say(str(finding))

    report = run_async(examine, given(arguments, "start", "offer", "http"), tell)
    say(_as_json(report) if arguments.json else f"\n{_in_all(report)}")
    return 1 if report.wrong else 0


def _in_all(report: "Report") -> str:
    hints = f"{report.hints} {'hint' if report.hints == 1 else 'hints'}, see what is marked warn."
    if report.wrong:
        return f"{report.wrong} to fix, see what is marked fail." + (f" {hints}" if report.hints else "")
    return f"Nothing is wrong. {hints}" if report.hints else "All is well."


def _as_json(report: "Report") -> str:
    whole = {
        "ok": not report.wrong,
        "wrong": report.wrong,
        "hints": report.hints,
        "settings": [found.as_json() for found in report.settings],
        "checks": [finding.as_json() for finding in report.findings],
    }
    return json.dumps(whole, indent=2, ensure_ascii=False)


DOCTOR = Command(words="doctor", summary="check settings, key, scopes and reachability", flags=_flags, run=_run)
