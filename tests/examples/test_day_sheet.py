"""What is printed for a pocket: the day, and no code on it that was not asked for."""

import re
from html import unescape
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from .conftest import EXAMPLES

if TYPE_CHECKING:
    from .conftest import Example, Run

KYOTO = "Kyoto in cherry blossom"
SECRETS = ("7741#", "4096*", "sakura-dango-26", "+81 3 5555 0142", "XK7Q2F", "YPL-88031", "Desk closes at 20:00")


@pytest.fixture
def sheet(example: "Example") -> "Example":
    example("import_trip.py", EXAMPLES / "kyoto.json")
    return lambda *arguments: example("day_sheet.py", KYOTO, *arguments)


def test_one_day(sheet: "Example") -> None:
    assert sheet("--day", "26 March").splitlines() == [
        "Friday 26 March 2027, day 3 of 16",
        "Tokyo, Japan",
        "16:00  Check in: Yanaka Paper Lantern Inn. Futons on tatami. Breakfast at 07:30, ask the evening before.",
        "17:30  Arrive: JL44 LHR → HND. seat 34A, 34C.",
        "Sleep: Yanaka Paper Lantern Inn, 3-0-7 Yanaka, Taito City, Tokyo",
    ]


def test_codes_are_on_it_where_they_are_asked_for_and_nowhere_else(sheet: "Example") -> None:
    without, with_codes = sheet(), sheet("--codes")

    assert [secret for secret in SECRETS if secret in without] == []
    assert [secret for secret in SECRETS if secret not in with_codes] == []
    assert "Sleep: Yanaka Paper Lantern Inn, 3-0-7 Yanaka, Taito City, Tokyo\n    Door: 7741#\n" in with_codes


def test_all_days_on_a_page_that_needs_nothing_else(sheet: "Example") -> None:
    plain, page = sheet(), sheet("--html")

    shown = re.findall(r"<(?:h2|li)>(.*?)</(?:h2|li)>", page)
    assert [unescape(line) for line in shown] == [line.strip() for line in plain.splitlines() if line]
    assert page.count("<section>") == plain.count(", day ") == 16
    assert not re.search(r"https?:|src=|href=|<script", page)
    assert [secret for secret in SECRETS if secret in unescape(page)] == []


def test_what_travellers_wrote_is_text_in_the_page(example: "Example", tmp_path: Path) -> None:
    stops = tmp_path / "stops.csv"
    stops.write_text("place,arrive,leave,timezone\n<img src=x>,2027-05-14,2027-05-16,Europe/Lisbon\n", "utf-8")
    example("import_stops.py", stops, "<b>Bold</b> & free")

    page = example("day_sheet.py", "<b>Bold</b> & free", "--html")

    assert "<li>&lt;img src=x&gt;</li>" in page
    assert "<b>" not in page


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([KYOTO, "--day", "Tuesday"], "Tuesday may be 2027-03-30 or 2027-04-06.\n"),
        ([KYOTO, "--day", "soonish"], "That names no day: "),
        (["Nowhere"], "There is no trip of that title or id; "),
    ],
)
def test_what_is_not_clear_is_asked(run: "Run", sheet: "Example", arguments: list[str], told: str) -> None:
    ended = run("day_sheet.py", *arguments)

    assert (ended.code, ended.out, ended.err[: len(told)]) == (1, "", told)


def test_of_two_trips_with_one_title_it_is_asked_which_is_meant(run: "Run", example: "Example") -> None:
    example("plan_a_trip.py")
    example("plan_a_trip.py")

    ended = run("day_sheet.py", "Kyoto")

    assert ended.code == 1
    assert ended.err.startswith("2 trips have that title; name one by its id: ")


@pytest.mark.parametrize(
    "name", ["import_trip", "import_stops", "nightly_backup", "restore_backup", "day_sheet", "whole_trip"]
)
def test_every_script_says_what_it_takes(example: "Example", name: str) -> None:
    assert example(f"{name}.py", "--help").startswith(f"usage: {name}.py ")
