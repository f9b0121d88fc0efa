"""All trips are saved, file by file, for their owner's eyes; and a saved trip comes back whole."""

import errno
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from trips_mcp.client import UnavailableError
from trips_mcp.client.resources import Trips
from trips_mcp.connect import connect
from trips_mcp.contract.action_items import UpdateActionItem
from trips_mcp.contract.trips import EXPORT_TRIP, TripExport, UpdateTrip
from trips_mcp.settings import Settings

from .conftest import EXAMPLES

if TYPE_CHECKING:
    from .conftest import Example, Run

KYOTO = EXAMPLES / "kyoto.json"
SAMOA = EXAMPLES / "date-line.json"
NEW_IDS = {"_id", "number", "tripId", "legId", "mapPinId", "event_id", "attached_trips", "revision"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "backup"


@pytest.fixture
def two_trips(example: "Example") -> None:
    example("import_trip.py", KYOTO)
    example("import_trip.py", SAMOA)


def saved(folder: Path) -> dict[str, Path]:
    """Each file by the title of its trip."""
    return {json.loads(file.read_text("utf-8"))["trip"]["title"]: file for file in folder.iterdir()}


def rename(settings: dict[str, str], trip_id: str, title: str) -> None:
    async def change() -> None:
        async with connect(Settings.from_env(settings)) as client:
            await client.trips.update(UpdateTrip(trip_id=trip_id, title=title))

    anyio.run(change)


@pytest.mark.usefixtures("two_trips")
def test_every_trip_is_saved_and_only_what_changed_is_written_again(
    run: "Run", folder: Path, settings: dict[str, str]
) -> None:
    first, again = run("nightly_backup.py", folder), run("nightly_backup.py", folder)
    before = {file.name: file.stat().st_mtime_ns for file in folder.iterdir()}
    kyoto = saved(folder)["Kyoto in cherry blossom"]
    rename(settings, kyoto.stem, "Kyoto in the rain")
    after = run("nightly_backup.py", folder)

    assert first == (0, "2 trips: 2 written, 0 unchanged, 0 failed\n", "")
    assert again == (0, "2 trips: 0 written, 2 unchanged, 0 failed\n", "")
    assert after == (0, "2 trips: 1 written, 1 unchanged, 0 failed\n", "")
    written = {file.name for file in folder.iterdir() if file.stat().st_mtime_ns != before[file.name]}
    assert (written, saved(folder)["Kyoto in the rain"]) == ({kyoto.name}, kyoto)


@pytest.mark.usefixtures("two_trips")
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no modes")
def test_files_are_for_their_owner_alone_and_no_secret_is_told(run: "Run", folder: Path) -> None:
    mask = os.umask(0)
    try:
        ended = run("nightly_backup.py", folder)
    finally:
        os.umask(mask)

    assert [oct(path.stat().st_mode & 0o777) for path in (folder, *folder.iterdir())] == ["0o700", "0o600", "0o600"]
    assert "7741#" in saved(folder)["Kyoto in cherry blossom"].read_text("utf-8")
    assert "7741#" not in ended.out + ended.err


@pytest.mark.usefixtures("two_trips")
def test_a_trip_that_fails_does_not_stop_the_others(run: "Run", folder: Path) -> None:
    run("nightly_backup.py", folder)
    kyoto = saved(folder)["Kyoto in cherry blossom"]
    for file in folder.iterdir():
        file.unlink()
    kyoto.mkdir()

    ended = run("nightly_backup.py", folder)

    assert (ended.code, ended.out) == (1, "2 trips: 1 written, 0 unchanged, 1 failed\n")
    assert ended.err == f"The trip {kyoto.stem} was not saved: Is a directory\n"
    assert len([*folder.glob("*.json")]) == 2


@pytest.mark.usefixtures("two_trips")
def test_a_trip_that_cannot_be_read_keeps_its_file(run: "Run", folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run("nightly_backup.py", folder)
    yesterdays = {file.name: file.read_bytes() for file in folder.iterdir()}
    kyoto = saved(folder)["Kyoto in cherry blossom"].stem
    export = Trips.export

    async def broken(self: Trips, trip_id: str) -> TripExport:
        if trip_id == kyoto:
            raise UnavailableError(EXPORT_TRIP, "the connection was reset", sent=True)
        return await export(self, trip_id)

    with monkeypatch.context() as service:
        service.setattr(Trips, "export", broken)
        ended = run("nightly_backup.py", folder)

    assert (ended.code, ended.out) == (1, "2 trips: 0 written, 1 unchanged, 1 failed\n")
    assert ended.err == (
        f"The trip {kyoto} was not saved: The Trips API did not answer export_trip: the connection was reset.\n"
    )
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == yesterdays


@pytest.mark.usefixtures("two_trips")
def test_when_the_disk_is_full_yesterdays_file_stays_whole(
    run: "Run", folder: Path, settings: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run("nightly_backup.py", folder)
    kyoto = saved(folder)["Kyoto in cherry blossom"]
    yesterdays = {file.name: file.read_bytes() for file in folder.iterdir()}
    rename(settings, kyoto.stem, "Kyoto in the rain")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr(os, "fsync", full)
        ended = run("nightly_backup.py", folder)

    assert ended.code == 1
    assert ended.err == f"The trip {kyoto.stem} was not saved: No space left on device\n"
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == yesterdays


def test_a_folder_that_cannot_be_made_is_told(run: "Run", tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    ended = run("nightly_backup.py", tmp_path / "file" / "backup")

    assert (ended.code, ended.out) == (1, "")
    assert ended.err == f"{tmp_path / 'file' / 'backup'}: Not a directory.\n"


@pytest.mark.parametrize("file", [KYOTO, SAMOA], ids=lambda file: file.stem)
def test_a_saved_trip_comes_back_whole_beside_what_is_there(
    example: "Example", folder: Path, settings: dict[str, str], file: Path
) -> None:
    example("import_trip.py", file)
    set_out(settings)
    example("nightly_backup.py", folder)
    [(title, backup)] = saved(folder).items()

    restored, again = example("restore_backup.py", backup), example("restore_backup.py", backup)
    example("nightly_backup.py", folder)

    files = saved(folder)
    assert set(files) == {title, f"{title} (restored)"}
    was, now = (json.loads(files[name].read_text("utf-8")) for name in (title, f"{title} (restored)"))
    was["trip"]["title"] += " (restored)"
    assert like(now) == like(was)
    assert links(now) == links(was)
    assert [item["completed"] for item in now["actionItems"]].count(True) == 1
    assert restored.count(" 0 refused") == 3
    assert again.count(": 0 created") == 5


@pytest.mark.parametrize(
    ("script", "text", "told"),
    [
        ("restore_backup.py", KYOTO.read_bytes(), "it lacks legs, mapPins, actionItems, events."),
        ("import_trip.py", b'{"trip": {}}', "it lacks sync."),
        ("import_trip.py", b"[]", "it lacks trip, sync."),
        ("import_trip.py", b'{"trip": {', "is not JSON in UTF-8: "),
        ("import_trip.py", b'{"trip": {"title": "Caf\xe9"}}', "is not JSON in UTF-8: "),
        ("import_trip.py", b'{"trip": {}, "sync": {}}', "title: required; startDate: required; endDate: required"),
    ],
)
def test_a_file_of_another_kind_is_told(run: "Run", tmp_path: Path, script: str, text: bytes, told: str) -> None:
    file = tmp_path / "trip.json"
    file.write_bytes(text)

    ended = run(script, file)

    assert (ended.code, ended.out, ended.err.count("\n")) == (1, "", 1)
    assert told in ended.err


def set_out(settings: dict[str, str]) -> None:
    """The trip is on, and its first action item done."""

    async def start() -> None:
        async with connect(Settings.from_env(settings)) as client:
            trip = (await client.trips.list()).items[0]
            item = (await client.action_items.list(trip.id)).items[0]
            await client.action_items.update(UpdateActionItem(trip_id=trip.id, item_id=item.id, completed=True))

            await client.trips.update(UpdateTrip(trip_id=trip.id, status="active"))

    anyio.run(start)


def like(value: Any) -> Any:
    """Without what a new trip has of its own."""
    if isinstance(value, dict):
        return {name: like(inner) for name, inner in value.items() if name not in NEW_IDS}  # pyright: ignore[reportUnknownVariableType]
    return [like(inner) for inner in value] if isinstance(value, list) else value  # pyright: ignore[reportUnknownVariableType]


def links(whole: dict[str, Any]) -> list[tuple[str, str | None, str | None]]:
    """Each commitment, with the names of its leg and pin."""
    names = {row["_id"]: row.get("clientRef") for part in ("legs", "mapPins") for row in whole[part]}
    return [(one["title"], names.get(one.get("legId")), names.get(one.get("mapPinId"))) for one in whole["commitments"]]
