"""What commands write to a terminal, which obeys control characters, and to a pipe, which does not."""

import io
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

import pytest
from typing_extensions import override

from trips_mcp.cli.commands import run
from trips_mcp.cli.output import Colour, Painted, say, set_up_output

HOSTILE = "Kyoto\x1b]0;owned\x07\x1b[2J\x9b31m\u202egpj\r over"
SEEN = r"Kyoto\u{1B}]0;owned\u{7}\u{1B}[2J\u{9B}31m\u{202E}gpj\u{D} over"

Run = Callable[..., str]


class Screen(io.StringIO):
    @override
    def isatty(self) -> bool:
        return True


@pytest.fixture
def on_a_terminal(new_database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command in this process; gives all that it wrote to the terminal."""
    for name in ("OSOTO_API_KEY", "OSOTO_BASE_URL", "TRAVELMODE_TOKEN", "TRAVELMODE_BASE_URL", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("TRIPS_MCP_DATABASE", str(shutil.copy(new_database, tmp_path)))
    monkeypatch.setenv("TRIPS_MCP_JOURNAL", "off")

    def on_a_terminal(*words: str) -> str:
        screen = Screen()
        monkeypatch.setattr(sys, "stdout", screen)
        monkeypatch.setattr(sys, "stderr", screen)
        with suppress(SystemExit):
            run(words)
        return screen.getvalue()

    return on_a_terminal


def assert_nothing_is_obeyed(shown: str) -> None:
    assert not [character for character in shown if character != "\n" and not character.isprintable()]


def test_texts_of_trips_are_escaped_on_a_terminal(on_a_terminal: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    group = json.loads(on_a_terminal("call", "get_me", "--json"))["defaultGroupId"]
    days = ("startDate=2027-04-01", "endDate=2027-04-10")
    made = on_a_terminal("call", "create_trip", f"groupId={group}", f"title={HOSTILE}", *days)

    listed = on_a_terminal("call", "list_trips")

    assert "Kyoto" in made
    assert "Kyoto" in listed
    assert_nothing_is_obeyed(made)
    assert_nothing_is_obeyed(listed)


@pytest.mark.parametrize(
    "words",
    [
        ("call", "get_trip", f"tripId={HOSTILE}", "--json"),
        ("call", HOSTILE),
        ("call", "list_trips", f"{HOSTILE}=1"),
        ("tools", f"--toolsets={HOSTILE}"),
        ("backend", "keys", "--database", f"/nowhere/{HOSTILE}.db"),
        ("backend", "revoke-key", HOSTILE),
        ("doctor", HOSTILE),
        (HOSTILE,),
        ("install", HOSTILE),
    ],
)
def test_typed_control_characters_are_escaped_when_repeated(on_a_terminal: Run, words: tuple[str, ...]) -> None:
    shown = on_a_terminal(*words)

    assert shown
    assert_nothing_is_obeyed(shown)


def test_users_of_keys_are_escaped_in_the_list_of_keys(on_a_terminal: Run) -> None:
    on_a_terminal("backend", "create-key", "--user", "ana", "trips:read")
    with closing(sqlite3.connect(os.environ["TRIPS_MCP_DATABASE"])) as database:
        database.execute("UPDATE users SET name = ? WHERE name = 'ana'", (HOSTILE,))
        database.commit()

    shown = on_a_terminal("backend", "keys")

    assert SEEN in shown
    assert_nothing_is_obeyed(shown)


def test_into_a_pipe_everything_is_written_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    say(HOSTILE, Painted("!", Colour.BAD))

    assert capsys.readouterr().out == f"{HOSTILE}!\n"


def test_colours_are_for_terminals_and_hold_no_others_inside(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = painted_on_a_screen(monkeypatch, "TERM", "xterm")

    assert shown == "plain \x1b[32mgood\\u{1B}[31m\x1b[0m plain\n"


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_a_terminal_without_colours_gets_none(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    assert painted_on_a_screen(monkeypatch, name, value) == "plain good\\u{1B}[31m plain\n"


def painted_on_a_screen(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> str:
    screen = Screen()
    monkeypatch.setattr(sys, "stdout", screen)
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv(name, value)
    set_up_output()

    say("plain ", Painted("good\x1b[31m", Colour.GOOD), " plain")

    return screen.getvalue()


@pytest.mark.skipif(os.name == "nt", reason="no pseudo-terminals")
def test_the_process_itself_escapes_on_a_real_terminal() -> None:
    ours, theirs = os.openpty()
    ended = subprocess.run(
        [sys.executable, "-m", "trips_mcp", "--bogus\x1b[2J"], stdout=theirs, stderr=theirs, check=False, timeout=30
    )
    os.close(theirs)
    shown = os.read(ours, 65536).decode()
    os.close(ours)

    assert ended.returncode == 2
    assert r"--bogus\u{1B}[2J" in shown
    assert "\x1b" not in shown
