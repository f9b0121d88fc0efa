"""The examples run, as a reader would run them; and docs/client.md shows nothing but what is in them."""

import os
import re
import runpy
import sys
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import anyio
import pytest

from trips_mcp.client import TripsClient
from trips_mcp.connect import connect
from trips_mcp.contract.trips import CreateTrip
from trips_mcp.settings import Settings

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "examples"

Example = Callable[..., str]


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, str]:
    return {"TRIPS_MCP_DATABASE": str(tmp_path / "trips.db"), "TRIPS_MCP_JOURNAL": str(tmp_path / "journal.db")}


@pytest.fixture
def example(settings: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Example:
    """What an example prints, run with these arguments on a fresh embedded backend; a process would import for long."""
    for name in list(os.environ):
        if name.startswith(("OSOTO_", "TRAVELMODE_", "TRIPS_MCP_")):
            monkeypatch.delenv(name)
    for name, value in settings.items():
        monkeypatch.setenv(name, value)

    def run(name: str, *arguments: str) -> str:
        monkeypatch.setattr(sys, "argv", [name, *arguments])
        runpy.run_path(str(EXAMPLES / name), run_name="__main__")
        return capsys.readouterr().out

    return run


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


def test_a_trip_is_planned_and_paged_through(example: Example) -> None:
    planned = example("plan_a_trip.py")
    read = example("page_through.py")

    assert planned == "Gion until 2027-04-06, at Ryokan Hana\n"
    assert read == ("Kyoto, 2027-04-01 to 2027-04-09\n  2027-04-01  Kyoto: Gion\n1 legs, all of them\n")


def test_five_hundred_pins_are_imported_once_however_often_it_runs(example: Example, trip_id: str) -> None:
    assert example("import_many.py", trip_id) == "500 created, 0 unchanged, 0 not done\n"
    assert example("import_many.py", trip_id) == "0 created, 500 unchanged, 0 not done\n"


def test_every_failure_is_told(example: Example, trip_id: str) -> None:
    booked, refused, nowhere = example("handle_errors.py", trip_id).splitlines()

    assert booked == "Booked: Kaiseki, 2027-04-02 19:00"
    assert refused.startswith("legId: ")
    assert nowhere == "There is no such trip."


def test_every_line_of_code_in_the_page_about_the_client_stands_in_an_example() -> None:
    sources = [path.read_text("utf-8") for path in EXAMPLES.glob("*.py")]
    plain = [dedent_all(source) for source in sources]
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "docs/client.md").read_text("utf-8"), re.DOTALL)

    assert blocks
    for block in blocks:
        assert any(dedent_all(block) in source for source in plain), block


def dedent_all(text: str) -> str:
    """Without indentation, so that a part of a function can be shown by itself."""
    return "\n".join(line.strip() for line in dedent(text).splitlines())


def test_every_example_is_shown_or_named_somewhere() -> None:
    pages = "".join(page.read_text("utf-8") for page in (*ROOT.glob("docs/*.md"), ROOT / "README.md"))

    assert [path.name for path in EXAMPLES.glob("*.py") if path.name not in pages] == []
