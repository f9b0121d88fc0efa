"""The trip over the date line, imported and then asked about as its travellers would: a Wednesday that comes twice, a
Thursday that never does."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import anyio
import pytest

from trips_mcp.cli.demo.steps import Sample
from trips_mcp.connect import connect
from trips_mcp.settings import Settings
from trips_mcp.tools import TOOLS

from .conftest import EXAMPLES, run_example, set_up

if TYPE_CHECKING:
    from .conftest import Example

FILE = EXAMPLES / "date-line.json"
APIA, PAGO = "Pacific/Apia", "Pacific/Pago_Pago"
TOOL = {tool.name: tool for tool in TOOLS}

Answer = dict[str, Any]
Ask = Callable[..., Answer]


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Ask:
    """What a tool answers about the trip, which has been imported; the tools only read."""
    settings = {"TRIPS_MCP_DATABASE": str(tmp_path_factory.mktemp("imported") / "trips.db"), "TRIPS_MCP_JOURNAL": "off"}
    with set_up(settings) as patch:
        assert run_example(patch, "import_trip.py", FILE) == 0

    async def answer(tool: str, asked: Answer) -> Answer:
        async def unheard(*_: object) -> None: ...

        async with connect(Settings.from_env(settings)) as client:
            trip = (await client.trips.list()).items[0]
            answer = await TOOL[tool].call(client, {"tripId": trip.id, **asked}, unheard)
        assert answer.structured is not None, answer.text
        assert not answer.is_error, answer.text
        return dict(answer.structured)

    def asked(tool: str, **arguments: str) -> Answer:
        return anyio.run(answer, tool, arguments)

    return asked


def nights(day: Answer) -> tuple[list[str], list[str]]:
    """Where one wakes up, and where one sleeps."""
    return tuple([bed["name"] for bed in day.get(when, [])] for when in ("wake", "sleep"))  # pyright: ignore[reportReturnType]


def plans(day: Answer) -> list[tuple[str | None, str, str | None]]:
    """As the day is lived: the clock, what, and by which zone if the day has several."""
    return [(thing.get("time"), thing["title"], thing.get("zone")) for thing in day["things"]]


def test_nothing_is_wrong_with_it(ask: Ask) -> None:
    report = ask("check_trip")

    assert [finding["why"] for finding in report.get("findings", [])] == []
    assert (report["checked"]["legs"], report["checked"]["flights"]) == (5, 4)


def test_the_seventh_is_lived_in_samoa_and_then_again_in_american_samoa(ask: Ask) -> None:
    day = ask("get_day", date="7 July")

    assert nights(day) == (["Fale Frangipani"], ["Fale Frangipani", "Rainmaker Rooms"])
    assert plans(day) == [
        (None, "Malia's birthday, all over again", None),
        ("17:00", "Rosella Rentals", APIA),
        ("18:30", "Fiafia night for Malia's birthday", APIA),
        ("10:45", "OL731 APW → PPG", PAGO),
        ("14:00", "Rainmaker Rooms", PAGO),
        ("17:30", "Second birthday cake, on the beach", PAGO),
    ]
    assert day["unclear"] == ["The night of Wednesday 2027-07-07 comes twice: the date line is crossed."]
    assert [(gap["time"], gap["until"], gap["zone"]) for gap in day["free"]] == [
        ("08:00", "17:00", APIA),
        ("10:45", "17:30", PAGO),
        ("19:30", "22:00", PAGO),
    ]


def test_on_the_eighth_one_leaves_samoa_for_the_day_before_and_is_on_a_plane_at_night(ask: Ask) -> None:
    day = ask("get_day", date="8 July")

    assert nights(day) == (["Fale Frangipani", "Rainmaker Rooms"], ["HA466 PPG → HNL"])
    assert plans(day) == [
        ("07:30", "Fale Frangipani", APIA),
        ("10:00", "OL731 APW → PPG", APIA),
        ("20:00", "Rainmaker Rooms", PAGO),
        ("23:35", "HA466 PPG → HNL", PAGO),
    ]
    hop = day["things"][1]
    assert (hop["arrives"]["date"], hop["arrives"]["time"], hop["duration"]) == ("2027-07-07", "10:45", "45 min")
    assert hop["remark"] == (
        "The date line is crossed: a day is gained. By the local clocks it arrives 23 h 15 min before it departs."
    )


def test_after_the_night_flight_one_wakes_on_the_plane(ask: Ask) -> None:
    day = ask("get_day", date="9 July")

    assert nights(day) == (["HA466 PPG → HNL"], ["Banyan Court Apartments"])
    assert "unclear" not in day


@pytest.mark.parametrize(
    ("asked", "wakes", "sleeps"),
    [
        ("14 July", "Banyan Court Apartments", "NZ9 HNL → AKL"),
        ("15 July", "NZ9 HNL → AKL", "NZ9 HNL → AKL"),
        ("16 July", "NZ9 HNL → AKL", "Hana's spare room"),
    ],
)
def test_there_is_no_fifteenth(ask: Ask, asked: str, wakes: str, sleeps: str) -> None:
    day = ask("get_day", date=asked)

    assert nights(day) == ([wakes], [sleeps])
    flight = next(thing for thing in day["things"] if thing["title"] == "NZ9 HNL → AKL")
    assert flight["remark"] == "The date line is crossed: Thursday 2027-07-15 is skipped."
    assert day.get("unclear") == (["This day is skipped: the date line is crossed."] if asked == "15 July" else None)


def test_of_two_thursdays_it_is_asked_which_is_meant(ask: Ask) -> None:
    asked = ask("get_day", date="Thursday")

    assert [choice["date"] for choice in asked["choices"]] == ["2027-07-08", "2027-07-15"]


def test_the_timeline_tells_the_odd_days_and_every_night(ask: Ask) -> None:
    timeline = ask("get_timeline")
    rows = {row["date"][8:]: row for row in timeline["rows"]}

    assert {day: row["remark"] for day, row in rows.items() if "remark" in row} == {
        "07": "Comes twice: the date line is crossed.",
        "15": "Skipped: the date line is crossed.",
    }
    assert [day for day, row in rows.items() if row.get("noBed")] == []
    assert {day: [bed["name"] for bed in row.get("sleep", [])] for day, row in rows.items()} == {
        "02": ["The Sleeping Kea"],
        **{day: ["Fale Frangipani"] for day in ("03", "04", "05", "06")},
        "07": ["Fale Frangipani", "Rainmaker Rooms"],
        "08": ["HA466 PPG → HNL"],
        **{day: ["Banyan Court Apartments"] for day in ("09", "10", "11", "12")},
        "14": ["NZ9 HNL → AKL"],
        "15": ["NZ9 HNL → AKL"],
        "16": ["Hana's spare room"],
        "17": ["Hana's spare room"],
        "18": [],
    }
    assert "unclear" not in timeline


def test_it_is_imported_once_however_often_it_is_run(example: "Example") -> None:
    previewed, first, again = (example("import_trip.py", FILE, *flags) for flags in (["--dry-run"], [], ["--dry-run"]))

    assert previewed == "There is no such trip yet: all of it would be created.\n"
    assert first.splitlines() == [
        "legs: 5 created, 0 updated, 0 unchanged, 0 refused",
        "pins: 16 created, 0 updated, 0 unchanged, 0 refused",
        "action items: 8 created, 0 updated, 0 unchanged, 0 refused",
        "commitments: 6 created, 0 unchanged",
        "events: 1 created, 0 unchanged",
    ]
    assert again.count(" 0 created") == 5
    assert example("whole_trip.py", json.loads(FILE.read_text("utf-8"))["trip"]["title"]) == (
        "5 legs, 16 pins, 8 action items\n6 commitments, 1 events\n"
    )


def test_its_flights_take_as_long_as_such_flights_take_and_follow_each_other() -> None:
    flights = [flight for leg in Sample.load(FILE).sync["legs"] for flight in leg.get("flights", [])]
    times = [
        [
            datetime.fromisoformat(flight[end]).replace(tzinfo=ZoneInfo(flight[f"{end}Timezone"])).astimezone(UTC)
            for end in ("departure", "arrival")
        ]
        for flight in flights
    ]
    hours = {
        flight["flightNumber"]: (landed - left) / timedelta(hours=1)
        for flight, (left, landed) in zip(flights, times, strict=True)
    }

    assert hours == pytest.approx({"NZ992": 3.92, "OL731": 0.75, "HA466": 5.25, "NZ9": 8.92}, abs=0.01)
    assert all(landed < left for (_, landed), (left, _) in pairwise(times))
