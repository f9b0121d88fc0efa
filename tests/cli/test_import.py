"""`trips-mcp import FILE …`: confirmations are read, planned, shown, and written once somebody agrees."""

import io
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from trips_mcp.cli.commands import run

EXAMPLES = Path(__file__).parents[2] / "examples" / "bookings"
FLIGHT, HOTEL, CONNECTION = (str(EXAMPLES / name) for name in ("flight.eml", "hotel.html", "connection.ics"))
BOARDING = "M1KRAUSE/VOLKER       EXXX007 TXLRIXBT 0212 309Y014E0063 100"

Import = Callable[..., tuple[int, str, str]]


@pytest.fixture
def call(
    new_database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Import:
    for name in ("OSOTO_API_KEY", "OSOTO_BASE_URL", "TRAVELMODE_TOKEN", "TRAVELMODE_BASE_URL", "TRIPS_MCP_LOG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TRIPS_MCP_DATABASE", str(shutil.copy(new_database, tmp_path)))
    monkeypatch.setenv("TRIPS_MCP_JOURNAL", str(tmp_path / "journal.db"))
    monkeypatch.setenv("TRIPS_MCP_HISTORY", str(tmp_path / "history.db"))

    def called(*words: str) -> tuple[int, str, str]:
        code = run(words)
        said = capfd.readouterr()
        return code, said.out, said.err

    return called


@pytest.fixture
def trips(call: Import) -> Callable[[], list[dict[str, Any]]]:
    return lambda: json.loads(call("call", "list_trips", "--json")[1])["items"]


class Person(io.StringIO):
    """Somebody at the terminal."""

    def isatty(self) -> bool:  # pyright: ignore[reportImplicitOverride] - not in 3.11's typing
        return True


def test_a_dry_run_prints_the_bookings_the_plan_and_what_was_not_read(
    call: Import, trips: Callable[[], list[dict[str, Any]]], tmp_path: Path
) -> None:
    good, bad = tmp_path / "pass.txt", tmp_path / "photo.png"
    good.write_text(BOARDING, "utf-8")
    bad.write_bytes(b"\x89PNG\r\n\x1a\n")

    code, out, err = call("import", "--dry-run", "--json", "--today", "2026-11-27", str(good), str(bad))

    assert (code, err) == (0, "")
    assert json.loads(out) == {
        "bookings": [
            {
                "file": str(good),
                "kind": "flight",
                "number": "BT212",
                "name": None,
                "from": "TXL",
                "to": "RIX",
                "starts": {"at": "2026-11-05", "zone": "Europe/Berlin"},
                "ends": None,
                "confirmationNumber": "XXX007",
                "seat": "14E",
                "cancelled": False,
                "travellers": ["VOLKER KRAUSE"],
            }
        ],
        "plan": {
            "bookings": [
                {
                    "outcome": "question",
                    "kind": "flight",
                    "title": "BT212 TXL → RIX",
                    "starts": "2026-11-05",
                    "why": "It says the day, 2026-11-05, and no time of departure; ask for it.",
                    "problems": [],
                }
            ]
        },
        "unread": [
            {
                "file": str(bad),
                "why": "Images are not read; use the mail, the calendar file or the Wallet pass, "
                "or type the booking in.",
            }
        ],
    }
    assert trips() == []


def test_a_dry_run_shows_the_trip_that_would_be_made(call: Import, trips: Callable[[], list[dict[str, Any]]]) -> None:
    code, out, _ = call("import", "--dry-run", "--json", FLIGHT, HOTEL)

    plan = json.loads(out)["plan"]
    assert code == 0
    assert [one["outcome"] for one in plan["bookings"]] == ["new", "new"]
    assert [(one["kind"], one["title"]) for one in plan["created"]] == [("trip", "Kyoto"), ("leg", "Kyoto")]
    assert trips() == []


def test_what_was_read_is_shown_even_if_no_account_can_be_reached(
    call: Import, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.db"
    broken.write_text("no database", "utf-8")
    monkeypatch.setenv("TRIPS_MCP_DATABASE", str(broken))

    code, out, err = call("import", "--dry-run", "--json", FLIGHT)

    document = json.loads(out)
    assert code == 0
    assert [one["number"] for one in document["bookings"]] == ["LH715"]
    assert document["plan"] is None
    assert err.startswith("No plan: ")


def test_scripts_import_with_yes_and_the_same_again_writes_nothing(
    call: Import, trips: Callable[[], list[dict[str, Any]]]
) -> None:
    first = call("import", "--yes", FLIGHT, HOTEL)
    again = call("import", "--yes", "--json", HOTEL, FLIGHT)

    assert first[0] == again[0] == 0
    assert [trip["title"] for trip in trips()] == ["Kyoto"]
    document = json.loads(again[1])
    assert [one["outcome"] for one in document["plan"]["bookings"]] == ["same", "same"]
    assert "planId" not in document["plan"]
    assert "applied" not in document


def test_json_says_what_was_applied(call: Import) -> None:
    code, out, _ = call("import", "--yes", "--json", HOTEL)

    applied = json.loads(out)["applied"]
    assert (code, applied["state"], applied["done"]) == (0, "applied", 2)
    assert applied["tripId"].startswith("trip_")


@pytest.mark.parametrize(("reply", "code", "made"), [("y\n", 0, 1), ("n\n", 1, 0), ("", 1, 0)])
def test_a_person_is_shown_the_plan_and_asked(
    reply: str,
    code: int,
    made: int,
    call: Import,
    trips: Callable[[], list[dict[str, Any]]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "stdin", Person(reply))

    found = call("import", HOTEL)

    assert found[0] == code
    assert "Ryokan Example" in found[1]
    assert "Import this? [y/N]" in found[2]
    assert len(trips()) == made


def test_where_nobody_can_be_asked_nothing_is_written(
    call: Import, trips: Callable[[], list[dict[str, Any]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))

    code, _, err = call("import", HOTEL)

    assert code == 2
    assert err.endswith("nobody can be asked here; add --yes to import it.\n")
    assert trips() == []


def test_a_trip_is_named_with_a_flag(call: Import, trips: Callable[[], list[dict[str, Any]]]) -> None:
    group = json.loads(call("call", "get_me", "--json")[1])["defaultGroupId"]
    dates = ("startDate=2027-03-01", "endDate=2027-04-30")
    made = [
        json.loads(call("call", "create_trip", f"groupId={group}", f"title={title}", *dates, "--json")[1])["_id"]
        for title in ("One", "Two")
    ]

    unclear = call("import", "--yes", HOTEL)
    clear = call("import", "--yes", "--trip", made[0], HOTEL)

    assert unclear[0] == 1
    assert all(trip_id in unclear[1] for trip_id in made)
    assert clear[0] == 0
    legs = [json.loads(call("call", "list_legs", f"tripId={one}", "--json")[1])["items"] for one in made]
    assert [len(some) for some in legs] == [1, 0]


def test_a_server_that_only_reads_imports_nothing(call: Import) -> None:
    code, _, err = call("import", "--yes", "--read-only", HOTEL)

    assert code == 2
    assert "this server is read-only (--read-only)" in err


def test_json_asks_no_questions(call: Import) -> None:
    code, out, err = call("import", "--json", HOTEL)

    assert (code, out) == (2, "")
    assert err.startswith("trips-mcp: --json asks no questions; ")


def test_nothing_that_can_be_imported_is_a_failure_for_scripts(call: Import, tmp_path: Path) -> None:
    letter = tmp_path / "letter.txt"
    letter.write_text("Dear Ada, see you on Tuesday.", "utf-8")

    code, _, err = call("import", "--yes", str(letter))

    assert (code, err) == (1, f"{letter}: It has no machine-readable booking.\n")


def test_a_mail_filter_pipes_a_mail_in(command: list[str], new_database: Path, tmp_path: Path) -> None:
    database = shutil.copy(new_database, tmp_path)
    done = subprocess.run(
        [*command, "import", "--yes", "-"],
        input=Path(FLIGHT).read_bytes(),
        capture_output=True,
        timeout=60,
        env={"TRIPS_MCP_DATABASE": str(database), "TRIPS_MCP_JOURNAL": "off", "TRIPS_MCP_HISTORY": "off"},
    )

    assert done.returncode == 0
    assert "Applied: 2 of 2 changes made." in done.stdout.decode()


def test_a_missing_file_is_an_error_of_one_sentence(call: Import, tmp_path: Path) -> None:
    code, _, err = call("import", "--dry-run", str(tmp_path / "none.eml"))

    assert code == 2
    assert err.startswith("trips-mcp: ")
    assert err.count("\n") == 1


def test_the_samples_of_the_docs_are_read(call: Import) -> None:
    samples = sorted(EXAMPLES.iterdir())

    read = json.loads(call("import", "--dry-run", "--json", *map(str, samples))[1])

    assert [(one["kind"], one["number"] or one["name"], one["starts"]["at"]) for one in read["bookings"]] == [
        ("train", "NJ 401", "2027-07-26T22:50"),
        ("train", "ICE 1", "2027-07-27T06:58"),
        ("flight", "LH715", "2027-03-28T12:15"),
        ("stay", "Ryokan Example", "2027-03-29T15:00"),
    ]
    assert read["unread"] == []
    assert "in several trips" in read["plan"]["question"]
