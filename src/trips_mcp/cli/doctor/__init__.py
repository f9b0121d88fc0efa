"""The command `trips-mcp doctor`, which checks settings and services. docs/doctor.md has its JSON.

A `Diagnosis` is one line of its report.
"""

import json
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from typing_extensions import override

from trips_mcp.cli.command import Command, run_async
from trips_mcp.cli.output import say
from trips_mcp.cli.settings import add_server_flags, given

if TYPE_CHECKING:
    from trips_mcp.cli.doctor.checkup import Report

Level = Literal["ok", "warn", "fail"]


@dataclass(frozen=True, slots=True)
class Diagnosis:
    check: str
    """The stable name of the check, for programs: `trips-key`."""
    level: Level
    found: str
    to_do: str = ""
    """Sentences; empty if there is nothing to do."""
    facts: Mapping[str, object] = field(default_factory=dict[str, object])
    """The same facts for programs, without secrets."""

    @override
    def __str__(self) -> str:
        said = f"{self.found.rstrip('.')}. {self.to_do}" if self.to_do else self.found
        return f"{self.level:<4}  {self.check.replace('-', ' ')}: {said}"

    def as_json(self) -> dict[str, Any]:
        to_do = {"toDo": self.to_do} if self.to_do else {}
        return {"check": self.check, "level": self.level, "found": self.found, **to_do, "facts": dict(self.facts)}


def _flags(parser: ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON, as docs/doctor.md describes")
    add_server_flags(parser)
    parser.epilog = "It changes nothing. The exit code is 1 if something is wrong, and 0 if there are only hints."


def _run(arguments: Namespace) -> int:
    from trips_mcp.cli.doctor.checkup import examine

    def tell(finding: Diagnosis) -> None:
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
