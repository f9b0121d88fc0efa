"""A spreadsheet of stops becomes a trip: as often as it is imported, and not at all while a row is wrong."""

from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import pytest

from trips_mcp.connect import connect
from trips_mcp.contract.trips import TripExport
from trips_mcp.settings import Settings

from .conftest import EXAMPLES

if TYPE_CHECKING:
    from .conftest import Example, Run

STOPS = EXAMPLES / "stops.csv"
TITLE = "Portugal and Galicia"
HEADER = "place,arrive,leave,timezone,latitude,longitude,notes\n"
FARO = "Faro,2027-05-14,2027-05-16,Europe/Lisbon"


def exported(settings: dict[str, str]) -> list[TripExport]:
    async def read() -> list[TripExport]:
        async with connect(Settings.from_env(settings)) as client:
            return [await client.trips.export(trip.id) async for trip in client.iterate_trips()]

    return anyio.run(read)


def test_the_sheet_is_imported_once_and_a_change_in_it_is_a_change_of_the_trip(
    example: "Example", settings: dict[str, str], tmp_path: Path
) -> None:
    changed = tmp_path / "changed.csv"
    longer = STOPS.read_text("utf-8").replace("2027-05-17", "2027-05-19")
    changed.write_text(longer.replace("Casa do Elétrico", "Casa da Janela", 1), "utf-8")

    previewed = example("import_stops.py", STOPS, TITLE, "--dry-run")
    first, again = example("import_stops.py", STOPS, TITLE), example("import_stops.py", STOPS, TITLE)
    after = example("import_stops.py", changed, TITLE)

    assert previewed == "There is no such trip yet: it would be created with 4 stops.\n"
    assert first == (
        "legs: 4 created, 0 updated, 0 unchanged, 0 refused\npins: 4 created, 0 updated, 0 unchanged, 0 refused\n"
    )
    assert again == first.replace("4 created, 0 updated, 0 unchanged", "0 created, 0 updated, 4 unchanged")
    assert after.startswith("legs: 0 created, 2 updated, 2 unchanged")
    [whole] = exported(settings)
    assert whole.trip is not None
    assert (whole.trip.title, whole.trip.start_date, whole.trip.end_date) == (TITLE, "2027-05-08", "2027-05-19")
    assert [(leg.destination, leg.start_date, leg.timezone) for leg in whole.legs] == [
        ("Lisbon, Portugal", "2027-05-08", "Europe/Lisbon"),
        ("Porto, Portugal", "2027-05-11", "Europe/Lisbon"),
        ("Santiago de Compostela, Spain", "2027-05-14", "Europe/Madrid"),
        ("Lisbon, Portugal", "2027-05-16", "Europe/Lisbon"),
    ]
    assert [leg.accommodation.name for leg in whole.legs if leg.accommodation] == [
        "Casa da Janela",
        "Ribeira Velha",
        "Hospedaje del Peregrino",
        "Casa do Elétrico",
    ]


def test_a_sheet_of_a_european_spreadsheet_program_is_read(
    example: "Example", settings: dict[str, str], tmp_path: Path
) -> None:
    sheet = tmp_path / "stops.csv"
    names, faro = (
        "Place;Arrive;Leave;Timezone;Latitude;Longitude",
        "Faro;2027-05-14;2027-05-16;Europe/Lisbon;37,0194;-7,93",
    )
    sheet.write_bytes(f"{names}\r\n;;;;;\r\n{faro}\r\n".encode("utf-8-sig"))

    example("import_stops.py", sheet, TITLE)

    [whole] = exported(settings)
    assert [(pin.name, pin.lat, pin.lng) for pin in whole.map_pins] == [("Faro", 37.0194, -7.93)]


@pytest.mark.parametrize(
    ("sheet", "told"),
    [
        pytest.param(
            f"{HEADER}Porto,11/05/2027,2027-05-14,Europe/Lisbon,,,\n{FARO},,,\n,2027-05-14,2027-05-16,Lisbon,,,",
            [
                "Line 2: arrive: not a real date, expected YYYY-MM-DD.",
                "Line 4: place: required; timezone: not an IANA time zone, expected a name like Europe/London.",
            ],
            id="each row by its line",
        ),
        pytest.param(
            f'{HEADER}{FARO},,,"two\nlines"\n\nPorto,2027-05-14,2027-05-11,Europe/Lisbon,41.1,,',
            ["Line 5: leave: is before arrive; longitude: required."],
            id="after a cell of two lines and an empty row",
        ),
        pytest.param(
            f"{HEADER}{FARO},91,north,",
            ["Line 2: latitude: expected at most 90.0; longitude: expected a number."],
            id="no place on earth",
        ),
        pytest.param(HEADER, ["stops.csv has no stops."], id="no rows"),
        pytest.param("", ["The first line of stops.csv must name the columns; it lacks"], id="nothing"),
        pytest.param(
            "place,arrive,timezone\nFaro,2027-05-14,Europe/Lisbon",
            ["The first line of stops.csv must name the columns; it lacks leave."],
            id="a column too few",
        ),
        pytest.param(
            "place,arrive,leave,timezone,mood\nFaro,2027-05-14,2027-05-16,Europe/Lisbon,fine",
            ["stops.csv has columns that mean nothing here: mood."],
            id="a column too many",
        ),
        pytest.param(f"{HEADER}Évora".encode("cp1252"), ["stops.csv is not in UTF-8: save it as"], id="not in UTF-8"),
    ],
)
def test_while_a_row_is_wrong_nothing_is_written(
    run: "Run",
    settings: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    sheet: str | bytes,
    told: list[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("stops.csv").write_bytes(sheet if isinstance(sheet, bytes) else sheet.encode())

    ended = run("import_stops.py", "stops.csv", TITLE)

    said = ended.err.splitlines()
    assert (ended.code, ended.out) == (1, "")
    assert [line[: len(start)] for line, start in zip(said, told, strict=False)] == told
    assert said[len(told) :] in ([], ["Nothing was written."])
    assert exported(settings) == []


def test_a_file_that_is_not_there_is_told_in_a_sentence(run: "Run") -> None:
    assert run("import_stops.py", "no-such.csv", TITLE) == (1, "", "no-such.csv: No such file or directory.\n")
