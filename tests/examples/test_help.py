"""Every example says what it is for, and what is wrong with its words, before it does anything."""

import errno
import io
import os
import sys
from pathlib import Path

import pytest
from typing_extensions import override

from .conftest import EXAMPLES, Run

SCRIPTS = sorted(path.name for path in EXAMPLES.glob("*.py"))
MODULES = {"csv_rows.py", "day_lines.py"}
"""What others import; run by itself it says so."""


@pytest.mark.parametrize("script", SCRIPTS)
def test_help_is_help_and_nothing_is_done(run: Run, script: str, tmp_path: Path) -> None:
    ended = run(script, "--help")

    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith("usage: " + script) or script in MODULES
    assert len(ended.out) > 80
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("script", sorted(set(SCRIPTS) - MODULES))
def test_words_that_it_does_not_take_are_a_usage_error(run: Run, script: str, tmp_path: Path) -> None:
    ended = run(script, "--no-such-flag", "a", "b", "c", "d")

    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("usage: " + script)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("script", "words", "said"),
    [
        ("handle_errors.py", ["no-such-trip"], "There is no such trip."),
        ("import_many.py", ["no-such-trip"], "There is no such trip."),
        ("read_a_share.py", ["here", "token"], "The base URL is not valid; use something like https://host/path."),
        ("read_a_share.py", ["nowhere", "token"], "base URL"),
        ("read_a_share.py", ["nowhere", "-token"], "base URL"),
    ],
)
def test_what_goes_wrong_is_told_in_a_sentence(run: Run, script: str, words: list[str], said: str) -> None:
    ended = run(script, *words)

    assert said in ended.out + ended.err
    assert "Traceback" not in ended.err


class _Full(io.TextIOBase):
    @override
    def write(self, text: str, /) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("script", ["plan_a_trip.py", "page_through.py", "import_trip.py"])
def test_a_full_disk_behind_the_output_is_one_sentence(run: Run, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    run("plan_a_trip.py")
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", _Full())
        ended = run(script, *([EXAMPLES / "kyoto.json"] if script == "import_trip.py" else []))

    said = ended.err or str(ended.code)  # of sys.exit
    assert "No space left on device" in said
    assert "\n" not in said.rstrip("\n")
