"""The examples of the page about the client run, as a reader would run them.

That the pages show no other Python: tests/docs/test_code.py.
"""

import re
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import pytest

from trips_mcp.client import TripsClient
from trips_mcp.connect import connect
from trips_mcp.contract.trips import CreateTrip
from trips_mcp.settings import Settings

if TYPE_CHECKING:
    from .conftest import Example

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"


@pytest.fixture
def trip_id(settings: dict[str, str]) -> str:
    async def made() -> str:
        async with connect(Settings.from_env(settings)) as client:
            return await new_trip(client)

    return anyio.run(made)


async def new_trip(client: TripsClient) -> str:
    group = (await client.me()).default_group_id or ""
    trip = CreateTrip(group_id=group, title="Kyoto", start_date="2027-04-01", end_date="2027-04-09")
    return (await client.trips.create(trip)).id


def test_a_trip_is_planned_and_paged_through(example: "Example") -> None:
    planned = example("plan_a_trip.py")
    read = example("page_through.py")

    assert planned == "Gion until 2027-04-06, at Ryokan Hana\n"
    assert re.fullmatch(
        r"Kyoto, 2027-04-01 to 2027-04-09 \(trip_\w+\)\n  2027-04-01  Kyoto: Gion\n1 legs, all of them\n", read
    )


def test_five_hundred_pins_are_imported_once_however_often_it_runs(example: "Example", trip_id: str) -> None:
    assert example("import_many.py", trip_id) == "500 created, 0 unchanged, 0 not done\n"
    assert example("import_many.py", trip_id) == "0 created, 500 unchanged, 0 not done\n"


def test_every_failure_is_told(example: "Example", trip_id: str) -> None:
    booked, refused, nowhere = example("handle_errors.py", trip_id).splitlines()

    assert booked == "Booked: Kaiseki, 2027-04-02 19:00"
    assert refused.startswith("legId: ")
    assert nowhere == "There is no such trip."


def test_every_example_is_shown_or_named_somewhere() -> None:
    pages = "".join(page.read_text("utf-8") for page in (*ROOT.glob("docs/*.md"), ROOT / "README.md"))

    assert [path.name for path in EXAMPLES.glob("*.py") if path.name not in pages] == []


def test_every_example_that_can_be_run_says_how() -> None:
    scripts = {path.name: path.read_text("utf-8") for path in EXAMPLES.glob("*.py")}
    run = {name: text for name, text in scripts.items() if "__main__" in text and "print(__doc__)" not in text}

    assert len(run) > 5
    assert [name for name, text in run.items() if f"uv run examples/{name}" not in text] == []
