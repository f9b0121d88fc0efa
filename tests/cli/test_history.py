"""`trips-mcp history` and `trips-mcp undo [ID]`, as a person uses them on a terminal and in a pipe."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from trips_mcp.cli.commands import run

SECONDS: Final = 60
STAY: Final = "accommodation.doorCode=K4711"
LEG: Final = ("order=1", "title=Kyoto", "destination=Kyoto", "startDate=2027-04-01", "endDate=2027-04-05", STAY)

on_a_terminal_only = pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals")


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str


class Person:
    """At the command line, in this process."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self.history_file = folder / "history.db"
        self._capsys = capsys
        self._monkeypatch = monkeypatch
        self.trip = ""

    def run(self, *words: str, types: str | None = None) -> Ended:
        """`types`: what is typed at the terminal; None without one."""
        if types is None:
            return self._run(words)
        ours, theirs = os.openpty()
        with open(theirs) as terminal, self._monkeypatch.context() as patch:  # noqa: PTH123 - a descriptor
            os.write(ours, types.encode())
            patch.setattr(sys, "stdin", terminal)
            try:
                return self._run(words)
            finally:
                os.close(ours)

    def call(self, tool: str, *pairs: str) -> dict[str, Any]:
        ended = self.run("call", tool, *pairs, "--json")
        assert ended.code == 0, ended
        return json.loads(ended.out)

    def title(self) -> str:
        return self.call("get_trip", f"tripId={self.trip}")["title"]

    def changes(self, *flags: str) -> list[dict[str, Any]]:
        ended = self.run("history", "--json", *flags)
        assert (ended.code, ended.err) == (0, "")
        return json.loads(ended.out).get("items", [])

    def _run(self, words: tuple[str, ...]) -> Ended:
        code = run(words)
        said = self._capsys.readouterr()
        return Ended(code, said.out, said.err)


@pytest.fixture
def person(
    new_database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Person:
    """With a trip that was renamed."""
    for name in ("OSOTO_API_KEY", "OSOTO_BASE_URL", "TRAVELMODE_TOKEN", "TRAVELMODE_BASE_URL", "TRIPS_MCP_LOG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TRIPS_MCP_DATABASE", str(shutil.copy(new_database, tmp_path / "trips.db")))
    monkeypatch.setenv("TRIPS_MCP_JOURNAL", "off")
    monkeypatch.setenv("NO_COLOR", "1")
    person = Person(tmp_path, capsys, monkeypatch)
    monkeypatch.setenv("TRIPS_MCP_HISTORY", str(person.history_file))
    group = person.call("get_me")["defaultGroupId"]
    days = ("startDate=2027-04-01", "endDate=2027-04-10")
    person.trip = person.call("create_trip", f"groupId={group}", "title=Japan", *days)["_id"]
    person.call("update_trip", f"tripId={person.trip}", "title=Nippon")
    return person


def test_into_a_pipe_the_history_is_json_newest_first(person: Person) -> None:
    updated, created = person.changes()

    assert (updated["tool"], updated["tripId"], created["tool"]) == ("update_trip", person.trip, "create_trip")
    assert (updated["items"][0]["before"], updated["items"][0]["after"]) == ({"title": "Japan"}, {"title": "Nippon"})
    assert [one["id"] for one in person.changes("--limit", "1")] == [updated["id"]]


def test_on_a_terminal_the_history_is_a_line_for_each_change(person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    person.run("undo", "--yes")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)

    ended = person.run("history")

    undo, updated, created = person.changes()
    lines = ended.out.splitlines()
    assert (ended.code, ended.err) == (0, "")
    assert [line.split()[0] for line in lines] == [undo["id"], updated["id"], created["id"]]
    assert lines[0].endswith(f"update_trip  trip “Japan” (undoes {updated['id']})")
    assert lines[1].endswith("update_trip  trip “Nippon” (undone)")
    assert lines[2].endswith("create_trip  trip “Japan”")


def test_an_empty_history_says_so(person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    person.history_file.unlink()
    assert person.changes() == []

    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert person.run("history").out == "No changes are recorded yet.\n"


@on_a_terminal_only
@pytest.mark.parametrize("types", ["y\n", " YES \n"])
def test_a_person_who_agrees_has_it_undone(types: str, person: Person) -> None:
    ended = person.run("undo", types=types)

    assert ended.code == 0
    assert "title: Nippon → Japan" in ended.out
    assert "Applied: 1 of 1 change made." in ended.out
    assert ended.err.startswith("Undo this? [y/N]\n")
    assert not [word for word in ("apply_plan", "the user") if word in ended.out], "that is for agents"
    assert person.title() == "Japan"
    assert [one.get("undone") for one in person.changes()] == [None, True, None]


@on_a_terminal_only
@pytest.mark.parametrize("types", ["n\n", "\n", "yeah\n", "\x04"], ids=["no", "return", "another word", "EOF"])
def test_a_person_who_does_not_agree_has_all_as_it_was(types: str, person: Person) -> None:
    ended = person.run("undo", types=types)

    assert (ended.code, ended.err) == (1, "Undo this? [y/N]\nNothing was undone.\n")
    assert "title: Nippon → Japan" in ended.out
    assert person.title() == "Nippon"


@on_a_terminal_only
def test_ctrl_c_at_the_question_undoes_nothing(person: Person) -> None:
    import fcntl
    import termios

    ours, theirs = os.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "trips_mcp", "undo"],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # so that ^C is a signal to it
    )
    os.close(theirs)
    said = b""
    try:
        while b"[y/N]" not in said:
            said += os.read(ours, 65536)
        os.write(ours, b"\x03")
        code = process.wait(SECONDS)
        said += os.read(ours, 65536)
    finally:
        process.kill()
        process.wait()
        os.close(ours)

    assert code == 130
    assert b"trips-mcp: interrupted." in said
    assert b"Traceback" not in said
    assert person.title() == "Nippon"


def test_without_a_terminal_nobody_is_asked(person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    with Path(os.devnull).open() as nothing:
        monkeypatch.setattr(sys, "stdin", nothing)
        ended = person.run("undo")

    assert (ended.code, ended.err) == (2, "trips-mcp: nobody can be asked here; add --yes to undo it.\n")
    assert person.title() == "Nippon"

    assert person.run("undo", "--yes").code == 0
    assert person.title() == "Japan"


def test_a_change_or_a_whole_plan_is_named_by_its_id(person: Person) -> None:
    leg = person.call("create_leg", f"tripId={person.trip}", *LEG, "timezone=Asia/Tokyo")["_id"]
    renamed = person.changes()[1]["id"]
    change = json.dumps([{"tool": "delete_leg", "arguments": {"legId": leg}}])
    plan = person.call("plan_changes", f"tripId={person.trip}", f"changes={change}")["planId"]
    person.call("apply_plan", f"planId={plan}")

    assert person.run("undo", renamed, "--yes").code == 0
    assert person.run("undo", plan, "--yes").code == 0

    assert person.title() == "Japan"
    [back] = person.call("list_legs", f"tripId={person.trip}")["items"]
    assert (back["title"], back["accommodation"]) == ("Kyoto", {"doorCode": "K4711"})


def refusal(ended: Ended) -> str:
    """The only sentence, on stderr."""
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.startswith("trips-mcp: ")
    assert ended.err.count("\n") == 1
    return ended.err.removeprefix("trips-mcp: ").rstrip()


def test_what_cannot_be_undone_is_said_in_words(person: Person) -> None:
    renamed = person.changes()[0]["id"]
    unknown = person.run("undo", "nothing", "--yes")
    person.run("undo", "--yes")
    again = person.run("undo", renamed, "--yes")
    person.run("undo", "--yes")  # the trip's creation
    person.history_file.unlink()

    assert (unknown.code, unknown.out) == (again.code, again.out) == (1, "")
    assert unknown.err == (
        "trips-mcp: There is no such change in the history.\n`trips-mcp history` lists the changes.\n"
    )
    assert again.err == "trips-mcp: This change was undone already.\n`trips-mcp history` lists the changes.\n"
    assert refusal(person.run("undo", "--yes")) == (
        "There is nothing to undo: the history has no change that is not undone."
    )


@pytest.mark.parametrize("words", [("undo", "--yes"), ("history",)])
def test_a_history_that_cannot_be_read_is_one_sentence(words: tuple[str, ...], person: Person) -> None:
    person.history_file.write_bytes(b"This is no history. " * 1000)

    said = refusal(person.run(*words))

    assert said == (
        f"The history cannot be read: the history file {person.history_file} cannot be used (file is not a database)."
    )


@pytest.mark.parametrize("words", [("undo", "--yes"), ("history",)])
def test_where_the_history_is_off_that_is_said(
    words: tuple[str, ...], person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRIPS_MCP_HISTORY", "off")

    assert refusal(person.run(*words)).startswith("No changes are recorded: the history is off. ")


def test_a_read_only_server_undoes_nothing(person: Person) -> None:
    ended = person.run("undo", "--yes", "--read-only")

    assert (ended.code, ended.out) == (2, "")
    assert ended.err == (
        "trips-mcp: plan_undo prepares changes of trips, and this server is read-only (--read-only).\n"
    )
    assert person.title() == "Nippon"
    assert len(person.changes("--read-only")) == 2


def test_an_undo_that_is_not_finished_says_how_to_go_on(person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("trips_mcp.tools.plans.apply._SECONDS", -1.0)
        ended = person.run("undo", "--yes")

    assert ended.code == 1
    assert "Not finished: 0 of 1 change made." in ended.out
    words = ended.err.strip().rpartition("`trips-mcp ")[2].partition("`")[0].split()
    assert person.run(*words).code == 0
    assert person.title() == "Japan"


def test_where_secrets_are_masked_the_history_masks_them(person: Person) -> None:
    leg = person.call("create_leg", f"tripId={person.trip}", *LEG, "timezone=Asia/Tokyo")["_id"]
    person.call("update_leg", f"tripId={person.trip}", f"legId={leg}", "accommodation.doorCode=K1234")

    plain = person.run("history", "--json").out
    shown = [
        person.run(*words, "--mask-secrets", "on")
        for words in (("history",), ("history", "--json"), ("undo",), ("undo", "--yes"))
    ]

    assert '"doorCode": "K4711"' in plain
    assert '"doorCode": "K1234"' in plain
    assert not any(code in said for ended in shown for code in ("K4711", "K1234") for said in (ended.out, ended.err))
    assert person.call("list_legs", f"tripId={person.trip}")["items"][0]["accommodation"] == {"doorCode": "K4711"}
