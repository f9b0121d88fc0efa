"""A test environment for a client: its own home folder, and a PATH with only what a user would have installed."""

import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, NamedTuple

from registries import NODE

OURS: Final = Path(sys.executable).with_name("trips-mcp")
_SECONDS: Final = 120


class Ended(NamedTuple):
    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Desk:
    home: Path
    variables: dict[str, str] = field(default_factory=dict[str, str])
    """Set for everything that is run here."""

    def program(self, name: str, *words: object, instead_of: Sequence[str] = ()) -> None:
        """Puts it on the PATH, as something to run with these words in front, `instead_of` those it is called with."""
        lines = [f'[ "${number}" = {shlex.quote(word)} ] || exit 64' for number, word in enumerate(instead_of, 1)]
        lines += [f"shift {len(instead_of)}", f'exec {shlex.join(map(str, words))} "$@"']
        path = self.home / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("\n".join(("#!/bin/sh", *lines, "")), "utf-8")
        path.chmod(0o755)

    def run(self, *words: object, env: Mapping[str, str] | None = None, seconds: float = _SECONDS) -> Ended:
        """From an empty project folder. What it started ends with it.

        Raises: subprocess.TimeoutExpired.
        """
        project = self.home / "project"
        project.mkdir(exist_ok=True)
        with subprocess.Popen(
            list(map(str, words)),
            cwd=project,
            env=self.environment(env or {}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            start_new_session=True,
        ) as process:
            try:
                out, err = process.communicate(timeout=seconds)
            finally:
                _end_all_of(process)
        return Ended(process.returncode, out, err)

    def environment(self, more: Mapping[str, str]) -> dict[str, str]:
        programs = [self.home / "bin", NODE, "/usr/local/bin", "/usr/bin", "/bin"]
        return {
            "PATH": os.pathsep.join(map(str, programs)),
            "HOME": str(self.home),
            "LANG": "C.UTF-8",
            "TERM": "dumb",
            "NO_COLOR": "1",
            **self.variables,
            **more,
        }

    def find(self, program: str) -> str:
        return str(self.home / "bin" / program)


@contextmanager
def desk(**variables: str) -> Generator[Desk]:
    """`uvx trips-mcp` runs what is installed here, as what would be published is not yet."""
    with TemporaryDirectory(prefix="trips-mcp-clients-", ignore_cleanup_errors=True) as folder:
        made = Desk(Path(folder), variables)
        made.program("uvx", OURS, instead_of=["trips-mcp"])
        yield made


def _end_all_of(process: "subprocess.Popen[str]") -> None:
    """Some clients leave the servers they started behind."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
