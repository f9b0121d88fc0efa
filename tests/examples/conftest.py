"""Runs the examples as their readers do, but for the process: each on a fresh embedded backend."""

import os
import runpy
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


class Ended(NamedTuple):
    code: object
    out: str
    err: str


Run = Callable[..., Ended]
Example = Callable[..., str]


@contextmanager
def set_up(settings: dict[str, str]) -> Generator[pytest.MonkeyPatch]:
    """The environment of a user who has set this and nothing else."""
    with pytest.MonkeyPatch.context() as patch:
        for name in os.environ:
            if name.startswith(("OSOTO_", "TRAVELMODE_", "TRIPS_MCP_")):
                patch.delenv(name)
        for name, value in settings.items():
            patch.setenv(name, value)
        patch.setattr(sys, "path", [str(EXAMPLES), *sys.path])  # where a script finds those beside it
        yield patch


def run_example(patch: pytest.MonkeyPatch, name: str, *arguments: object) -> object:
    """In this process, as the interpreter would; its exit code."""
    patch.setattr(sys, "argv", [name, *map(str, arguments)])
    try:
        runpy.run_path(str(EXAMPLES / name), run_name="__main__")
    except SystemExit as left:
        return left.code
    return 0


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, str]:
    return {"TRIPS_MCP_DATABASE": str(tmp_path / "trips.db"), "TRIPS_MCP_JOURNAL": str(tmp_path / "journal.db")}


@pytest.fixture
def run(settings: dict[str, str], capsys: pytest.CaptureFixture[str]) -> Generator[Run]:
    with set_up(settings) as patch:

        def ended(name: str, *arguments: object) -> Ended:
            code = run_example(patch, name, *arguments)
            said = capsys.readouterr()
            return Ended(code, said.out, said.err)

        yield ended


@pytest.fixture
def example(run: Run) -> Example:
    """What an example prints that must hold."""

    def printed(name: str, *arguments: object) -> str:
        ended = run(name, *arguments)
        assert ended.code == 0, ended.err
        return ended.out

    return printed
