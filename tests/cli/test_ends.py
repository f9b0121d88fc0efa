"""A command whose input, output or user is gone ends with one sentence and no traceback."""

import errno
import io
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typing_extensions import override

from trips_mcp.cli import commands

SECONDS = 60
MAIN = "from trips_mcp.cli import main; raise SystemExit(main())"
COMMAND = f"{sys.executable} -m trips_mcp"

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a shell of POSIX closes and redirects")
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="no other system has a /dev/full")


def environment(folder: Path) -> dict[str, str]:
    ours = ("OSOTO_", "TRAVELMODE_", "TRIPS_MCP_", "PYTHONUNBUFFERED")
    kept = {name: text for name, text in os.environ.items() if not name.startswith(ours)}
    return kept | {"TRIPS_MCP_DATABASE": str(folder / "trips.db"), "TRIPS_MCP_JOURNAL": str(folder / "journal.db")}


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ("call create_trip --arguments - <&-", 2, "standard input is closed; pipe something into the command"),
        ("backend revoke-key - <&-", 2, "standard input is closed; pipe something into the command"),
        pytest.param("tools >/dev/full", 1, "standard output cannot be written (no space left", marks=on_linux),
        pytest.param("call list_trips >/dev/full", 1, "standard output cannot be written (no sp", marks=on_linux),
        pytest.param("--help >/dev/full", 1, "standard output cannot be written (no space left", marks=on_linux),
        ("tools >&-", 1, "standard output cannot be written (it is closed)."),
    ],
)
def test_a_closed_or_full_stream_is_one_sentence(words: str, code: int, said: str, tmp_path: Path) -> None:
    ended = subprocess.run(
        ["sh", "-c", f"{COMMAND} {words}"],
        env=environment(tmp_path),
        stderr=subprocess.PIPE,
        text=True,
        timeout=SECONDS,
    )

    assert ended.returncode == code
    assert ended.stderr.startswith(f"trips-mcp: {said}")
    assert ended.stderr.count("\n") == 1


class _Full(io.TextIOBase):
    @override
    def write(self, text: str, /) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize(("stdout", "why"), [(None, "it is closed"), (_Full(), "no space left on device")])
@pytest.mark.parametrize(
    "words",
    [
        ["call", "list_trips"],
        ["call", "list_trips", "--text"],
        ["history"],
        ["tools"],
        ["tools", "--json"],
        ["install", "cursor", "--print"],
        ["backend", "members"],
        ["backend", "migrate"],
        ["backend", "create-key", "trips:read"],
        ["undo"],
        ["--help"],
        ["--version"],
        ["call", "--help"],
        ["--read-only", "--help"],
    ],
    ids=" ".join,
)
def test_every_command_without_an_output_ends_with_one_sentence(
    words: list[str],
    stdout: io.TextIOBase | None,
    why: str,
    call: "Call",
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if words in (["undo"], ["backend", "members"]):  # they need something to show
        trip = ("title=Kyoto", "startDate=2027-05-01", "endDate=2027-05-09")
        call("create_trip", *trip, f"groupId={call('get_me')['defaultGroupId']}")
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", stdout)
        try:
            code: object = commands.run(words)
        except SystemExit as ended:
            code = ended.code

    last = capsys.readouterr().err.splitlines()[-1]
    assert (code, last) == (1, f"trips-mcp: standard output cannot be written ({why}).")


Call = Callable[..., dict[str, Any]]


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """The result of `trips-mcp call`, in this process but on the files of the others."""
    for name in os.environ.keys() - environment(tmp_path).keys():
        monkeypatch.delenv(name)
    for name, value in environment(tmp_path).items():
        monkeypatch.setenv(name, value)

    def call(*words: str) -> dict[str, Any]:
        assert commands.run(["call", *words, "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    return call


@on_linux
def test_a_write_whose_answer_could_not_be_printed_is_completed_by_calling_again(
    call: Call, command: list[str], tmp_path: Path
) -> None:
    write = ("create_trip", "title=Kyoto", "startDate=2027-05-01", "endDate=2027-05-09")
    group = f"groupId={call('get_me')['defaultGroupId']}"
    line = f"{shlex.join((*command, 'call', *write, group))} --json >/dev/full"

    full = subprocess.run(
        ["sh", "-c", line], env=environment(tmp_path), stderr=subprocess.DEVNULL, timeout=SECONDS, check=False
    )
    again = call(*write, group)

    assert full.returncode == 1
    assert again["remarks"] == ["This completed an earlier call whose answer was lost."]
    assert [trip["title"] for trip in call("list_trips")["items"]] == ["Kyoto"]


def test_arguments_from_stdin_may_begin_with_a_byte_order_mark(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    given = io.BytesIO(b'\xef\xbb\xbf{"fields": ["title"]}')
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(given, encoding="utf-8"))

    assert call("list_trips", "--arguments", "-")["items"] == []


Ended = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def ended(tmp_path: Path) -> Ended:
    """The command at its end, with something prepared in its process."""

    def ended(prepared: str, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", f"{prepared}\n{MAIN}", *words],
            env=environment(tmp_path),
            capture_output=True,
            encoding="utf-8",
            timeout=SECONDS,
            check=False,
        )

    return ended


@pytest.mark.parametrize("wrapped", [False, True])
def test_an_interrupt_is_one_sentence(wrapped: bool, ended: Ended) -> None:
    raised = "RuntimeError() from KeyboardInterrupt()" if wrapped else "KeyboardInterrupt"
    found = ended(
        f"""
from trips_mcp.cli import commands
def interrupted(_):
    raise {raised}  # wrapped as Python 3.11 does where a class is being made
commands.run = interrupted
""",
        "tools",
    )

    assert (found.returncode, found.stdout, found.stderr) == (130, "", "trips-mcp: interrupted.\n")


def test_an_interrupt_in_the_first_imports_is_one_sentence(ended: Ended) -> None:
    found = ended(
        """
import sys
class Interrupting:
    def find_spec(self, name, *_):
        if name == "trips_mcp.interrupts":
            global kept  # as the standard library's `types` keeps one for a moment
            async def left_half_done(): ...
            kept = left_half_done()
            sys.meta_path.remove(self)
            raise KeyboardInterrupt  # no signal: in a process that coverage traces its exception may be lost
sys.meta_path.insert(0, Interrupting())
""",
        "tools",
    )

    assert (found.returncode, found.stdout, found.stderr) == (130, "", "trips-mcp: interrupted.\n")


@pytest.mark.parametrize(
    ("step", "printed"),
    [("_make_self_pipe", ""), ("_close_self_pipe", '{\n  "items": []\n}\n')],
    ids=["made", "closed"],
)
def test_an_interrupt_leaves_no_event_loop_half_done(step: str, printed: str, ended: Ended) -> None:
    found = ended(
        f"""
import os, signal
from asyncio.selector_events import BaseSelectorEventLoop as Loop
def interrupted(loop, usual=Loop.{step}):
    os.kill(os.getpid(), signal.SIGINT)
    usual(loop)
Loop.{step} = interrupted
""",
        "call",
        "list_trips",
    )

    assert (found.returncode, found.stdout, found.stderr) == (130, printed, "trips-mcp: interrupted.\n")


@pytest.mark.soak
@pytest.mark.parametrize("words", [["call", "list_trips"], ["tools"], ["doctor"], []], ids=str)
def test_an_interrupt_at_any_moment_of_the_start_shows_no_traceback(words: list[str], tmp_path: Path) -> None:
    """From the moment on at which our own code runs; before that it is Python's."""
    started = f"""
import sys
class Telling:
    def find_spec(self, name, *_):
        if name == "trips_mcp.interrupts":
            sys.meta_path.remove(self)
            print("up", flush=True)
sys.meta_path.insert(0, Telling())
{MAIN}
"""
    for hundredth in range(0, 60, 2):
        process = subprocess.Popen(
            [sys.executable, "-c", started, *words],
            env=environment(tmp_path),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(hundredth / 100)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=SECONDS)

        assert said in (b"", b"trips-mcp: interrupted.\n"), hundredth
