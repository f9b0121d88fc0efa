"""Runs the protocol's official conformance suite against the shipped HTTP server, at both revisions.

    python scripts/conformance.py [FOLDER]

The suite is installed into FOLDER (default `.conformance`) by the Node.js that pyright brings, unless it is there.
A check that does not pass must stand in `conformance.toml` with a reason, and one that stands there must not pass.
A scenario in which nothing was checked is not counted, and must stand there, too.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

from registries import NOT_RUN, node, npm_install

SUITE: Final = "@modelcontextprotocol/conformance@0.2.0-alpha.12"
REVISIONS: Final = ("2025-11-25", "2026-07-28")
BASELINE: Final = Path(__file__).with_name("conformance.toml")
ON_EVERY_ANSWER: Final = "wire-schema-valid"
"""Each scenario also checks messages against the schema."""
_FINE: Final = ("SUCCESS", "INFO", "SKIPPED")
_SECONDS: Final = 600


class Check(NamedTuple):
    revision: str
    scenario: str
    id: str
    status: str
    said: str

    def is_named_in(self, names: Iterable[str]) -> bool:
        return self.scenario in names or f"{self.scenario}:{self.id}" in names


def main() -> int:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".conformance").resolve()
    try:
        suite = installed(folder)
    except subprocess.SubprocessError as error:
        print(f"The conformance suite could not be installed, and was not run: {type(error).__name__}.")
        return NOT_RUN
    with tempfile.TemporaryDirectory() as results, served() as url:
        checks = [check for revision in REVISIONS for check in run(suite, url, revision, Path(results))]
    return report(checks, tomllib.loads(BASELINE.read_text("utf-8")))


def installed(folder: Path) -> Path:
    """The suite's entry point."""
    entry = folder / "node_modules/@modelcontextprotocol/conformance/dist/index.js"
    if not entry.exists():
        npm_install(SUITE, folder, seconds=_SECONDS).check_returncode()
    return entry


@contextmanager
def served() -> Generator[str]:
    """The address of a server on an empty embedded backend."""
    with tempfile.TemporaryDirectory() as folder:
        ours = ("OSOTO_", "TRAVELMODE_", "TRIPS_MCP_")
        env = {name: text for name, text in os.environ.items() if not name.startswith(ours)}
        env |= {
            "TRIPS_MCP_DATABASE": f"{folder}/trips.db",
            "TRIPS_MCP_JOURNAL": f"{folder}/journal.db",
            "TRIPS_MCP_HISTORY": f"{folder}/history.db",
        }
        log = Path(folder) / "log"
        words = [sys.executable, "-m", "trips_mcp", "serve", "--transport", "http", "--port", "0"]
        with log.open("wb") as sink, subprocess.Popen(words, env=env, stderr=sink) as process:
            try:
                yield address(log)
            finally:
                process.terminate()


def address(log: Path) -> str:
    """The address that the server prints once it listens."""
    last = time.monotonic() + 60
    while time.monotonic() < last:
        if found := re.search(r"Serving (\S+)", log.read_text("utf-8")):
            return found[1]
        time.sleep(0.05)
    raise TimeoutError(log.read_text("utf-8"))


def run(suite: Path, url: str, revision: str, results: Path) -> Generator[Check]:
    out = results / revision
    node(suite, "server", "--url", url, "--suite", "all", "--spec-version", revision, "-o", out, seconds=_SECONDS)
    for file in sorted(out.glob("server-*/checks.json")):
        scenario = re.sub(r"^server-|-\d{4}-\d\d-\d\dT[\d-]+Z$", "", file.parent.name)
        found: list[dict[str, Any]] = json.loads(file.read_text("utf-8"))
        if not found:
            yield Check(revision, scenario, "", "SKIPPED", "")
        for check in found:
            said = check.get("errorMessage") or check["description"]
            yield Check(revision, scenario, check["id"], check["status"], said)


def report(checks: list[Check], baseline: dict[str, list[dict[str, Any]]]) -> int:
    expected = [name for group in baseline["expected"] for name in group["checks"]]
    unchecked = [name for group in baseline["unchecked"] for name in group["scenarios"]]
    failed = [check for check in checks if check.status not in _FINE]
    not_counted = {check[:2] for check in checks} - {
        check[:2] for check in checks if check.status == "SUCCESS" and check.id != ON_EVERY_ANSWER
    }
    not_counted |= {check[:2] for check in checks if _is_in(check[:2], unchecked)}

    faults = [
        f"{check.revision} {check.scenario}:{check.id} {check.status}: {check.said}"
        for check in failed
        if not check.is_named_in(expected) and not _is_in(check[:2], unchecked)
    ]
    faults += [
        f"{revision} {scenario}: nothing was checked"
        for revision, scenario in sorted(not_counted)
        if scenario not in expected and not _is_in((revision, scenario), unchecked)
    ]
    faults += [
        f"{name} stands in {BASELINE.name}, and passes"
        for name in expected
        if not any(check.is_named_in([name]) for check in failed)
    ]
    if len(checks) < 100:
        faults.append(f"the suite ran {len(checks)} checks; it has more")

    for revision in REVISIONS:
        counted = [check for check in checks if check.revision == revision and check[:2] not in not_counted]
        passed = sum(check.status == "SUCCESS" for check in counted)
        print(f"{revision}: {passed} checks passed in {len({check.scenario for check in counted})} scenarios")
    print("\n".join(faults))
    return 1 if faults else 0


def _is_in(where: tuple[str, str], names: Iterable[str]) -> bool:
    revision, scenario = where
    return scenario in names or f"{scenario}@{revision}" in names


if __name__ == "__main__":
    sys.exit(main())
