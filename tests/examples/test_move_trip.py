"""The script that moves a trip: it lists what it would do, then does it, and names what is to rebook."""

import re
from typing import TYPE_CHECKING

import pytest

from .conftest import EXAMPLES

if TYPE_CHECKING:
    from .conftest import Example, Run

KYOTO = "Kyoto in cherry blossom"
SECRETS = ("7741#", "4096*", "sakura-dango-26", "XK7Q2F", "YPL-88031")


@pytest.fixture
def kyoto(example: "Example") -> str:
    example("import_trip.py", EXAMPLES / "kyoto.json")
    return KYOTO


def test_without_apply_nothing_changes(example: "Example", kyoto: str) -> None:
    before = example("day_sheet.py", kyoto)

    listed = example("move_trip.py", kyoto, "--from", "day 1", "--days", "7")

    assert "update_trip {" in listed
    assert listed.endswith("Nothing was changed; add --apply.\n")
    assert example("day_sheet.py", kyoto) == before


def undated(sheets: str) -> str:
    return re.sub(r"(?m)^\w+ \d+ \w+ 2027, |\w+ \d{4}-\d\d-\d\d", "", sheets)


def test_a_move_of_all_and_back_gives_the_trip_as_it_was(example: "Example", kyoto: str) -> None:
    before = example("day_sheet.py", kyoto, "--codes")

    there = example("move_trip.py", kyoto, "--from", "day 1", "--days", "7", "--booked", "--apply")
    moved = example("day_sheet.py", kyoto, "--codes")
    example("move_trip.py", kyoto, "--from", "day 1", "--days", "-7", "--booked", "--apply")

    assert there.endswith("Done.\n")
    assert [secret for secret in SECRETS if secret in there] == []
    assert undated(moved) == undated(before)
    assert moved.startswith("Wednesday 31 March 2027, day 1 of 16")
    assert example("day_sheet.py", kyoto, "--codes") == before


def test_bookings_stay_and_are_named(example: "Example", kyoto: str) -> None:
    listed = example("move_trip.py", kyoto, "--from", "day 1", "--days", "7", "--apply")

    assert "to rebook: Flight JL44 is booked for " in listed
    assert "to rebook: The stay of leg " in listed


def test_what_cannot_be_moved_is_told_in_a_sentence(run: "Run", kyoto: str) -> None:
    ended = run("move_trip.py", kyoto, "--from", "day 1", "--days", "0")

    assert (ended.code, ended.err) == (1, "days: 0 is not possible; use 1 to 3650, or -1 to -3650 for earlier.\n")
