"""`trips-mcp import`: confirmations on the command line."""

import json
import subprocess
import sys
from pathlib import Path

BOARDING = "M1KRAUSE/VOLKER       EXXX007 TXLRIXBT 0212 309Y014E0063 100"


def run(*words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "trips_mcp", "import", *words], input=stdin, capture_output=True, text=True, timeout=60
    )


def test_a_dry_run_prints_the_bookings_and_what_was_not_read(tmp_path: Path) -> None:
    good, bad = tmp_path / "pass.txt", tmp_path / "photo.png"
    good.write_text(BOARDING, "utf-8")
    bad.write_bytes(b"\x89PNG\r\n\x1a\n")

    done = run("--dry-run", "--json", "--today", "2026-11-27", str(good), str(bad))

    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == {
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
        "plan": None,
        "unread": [
            {
                "file": str(bad),
                "why": "Images are not read; use the mail, the calendar file or the Wallet pass, "
                "or type the booking in.",
            }
        ],
    }


def test_a_person_pipes_a_mail_in() -> None:
    done = run("--dry-run", "--today", "2026-11-27", "-", stdin=BOARDING)

    assert done.returncode == 0
    assert "BT212" in done.stdout
    assert "TXL" in done.stdout


def test_a_missing_file_is_an_error_of_one_sentence(tmp_path: Path) -> None:
    done = run("--dry-run", str(tmp_path / "none.eml"))

    assert done.returncode == 2
    assert done.stderr.startswith("trips-mcp: ")
    assert done.stderr.count("\n") == 1


def test_the_samples_of_the_docs_are_read() -> None:
    samples = sorted((Path(__file__).parents[2] / "examples" / "bookings").iterdir())

    read = json.loads(run("--dry-run", "--json", *map(str, samples)).stdout)

    assert [(one["kind"], one["number"] or one["name"], one["starts"]["at"]) for one in read["bookings"]] == [
        ("train", "NJ 401", "2027-07-26T22:50"),
        ("train", "ICE 1", "2027-07-27T06:58"),
        ("flight", "LH715", "2027-03-28T12:15"),
        ("stay", "Ryokan Example", "2027-03-29T15:00"),
    ]
    assert read["unread"] == []
