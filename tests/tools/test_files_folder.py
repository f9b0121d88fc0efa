"""`--files DIR`: bookings are read from the folder and exports written to it, and nothing outside of it."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from trips_mcp.client import TripsClient
from trips_mcp.connect import twin
from trips_mcp.server.http.factory import masked
from trips_mcp.server.offer import offer
from trips_mcp.settings import Settings
from trips_mcp.tools.call_context import Conduct
from trips_mcp.tools.error_text import ToolRefusedError
from trips_mcp.tools.shared_folder import SharedFolder

from .conftest import Do
from .services import Call, calls_on

EXAMPLES = Path(__file__).parents[2] / "examples" / "bookings"
HOTEL = (EXAMPLES / "hotel.html").read_text("utf-8")
OUTSIDE = "path: name a file in the folder that --files allows; .. and links are not followed."
ABSENT = "path: there is no such file in the folder that --files allows."


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """With a booking, a folder in it, and a secret beside it."""
    found = tmp_path / "bookings"
    (found / "2027").mkdir(parents=True)
    (found / "hotel.html").write_text(HOTEL, "utf-8")
    (found / "2027" / "hotel.html").write_text(HOTEL, "utf-8")
    (tmp_path / "secret.txt").write_text("K4711", "utf-8")
    return found


@pytest.fixture
def files(trips: TripsClient, folder: Path) -> Call:
    return calls_on(trips, Conduct(twin=twin, files=str(folder), writes_files=True))


@pytest.mark.parametrize("path", ["hotel.html", "2027/hotel.html", "{folder}/hotel.html", "file://{folder}/hotel.html"])
async def test_a_booking_is_read_from_the_folder(path: str, files: Call, folder: Path) -> None:
    answer = await files("plan_import", path=path.format(folder=folder))

    assert answer.structured is not None, answer.text
    assert [one["kind"] for one in answer.structured["bookings"]] == ["stay"]


LINKS: dict[str, Callable[[Path], Path]] = {
    "a file": lambda folder: folder.parent / "secret.txt",
    "a folder": lambda folder: folder.parent,
    "a file inside": lambda folder: folder / "hotel.html",
    "itself": lambda folder: folder / "link",
    "nothing": lambda folder: folder / "gone",
}


@pytest.mark.parametrize("target", LINKS.values(), ids=LINKS)
async def test_links_are_not_followed(target: Callable[[Path], Path], files: Call, folder: Path) -> None:
    (folder / "link").symlink_to(target(folder))

    for path in ("link", "link/secret.txt"):
        answer = await files("plan_import", path=path)
        assert answer.is_error
        assert answer.text in (OUTSIDE, ABSENT)


@pytest.mark.parametrize(
    "path",
    [
        "../secret.txt",
        "2027/../../secret.txt",
        "{folder}/../secret.txt",
        "{folder}",
        "/etc/passwd",
        "file:///etc/passwd",
        "file://%2e%2e/secret.txt",
        "..%2fsecret.txt",
        ".",
        "2027",
        "none.eml",
        "hotel.html/x",
        "a\0b",
        "x" * 900,
    ],
)
async def test_what_is_not_a_file_in_the_folder_is_refused(path: str, files: Call, folder: Path) -> None:
    answer = await files("plan_import", path=path.format(folder=folder))

    assert answer.is_error
    assert answer.text in (OUTSIDE, ABSENT)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no pipes with names")
async def test_a_pipe_is_not_waited_for(files: Call, folder: Path) -> None:
    os.mkfifo(folder / "pipe")

    assert (await files("plan_import", path="pipe")).text == ABSENT


def test_a_file_that_is_too_large_is_refused_unread(folder: Path) -> None:
    with (folder / "big.eml").open("wb") as file:
        file.truncate(10_000_000_000)

    with pytest.raises(ToolRefusedError, match="more than 20 MB"):
        SharedFolder(str(folder)).read("big.eml", 20_000_000)


async def test_a_folder_that_is_gone_is_said(trips: TripsClient, tmp_path: Path) -> None:
    call = calls_on(trips, Conduct(twin=twin, files=str(tmp_path / "gone"), writes_files=True))

    assert "is not there" in (await call("plan_import", path="hotel.html")).text


@pytest.mark.parametrize("given", [{}, {"content": HOTEL, "path": "hotel.html"}])
async def test_either_content_or_path_is_given(given: dict[str, str], files: Call) -> None:
    assert (await files("plan_import", **given)).text == "Not sent: give content or path, the file to read."


async def test_without_the_setting_no_file_is_read_or_written(call: Call, do: Do, trip_id: str, folder: Path) -> None:
    read = await call("plan_import", path=str(folder / "hotel.html"))
    written = await do("export_file", tripId=trip_id, format="ics")

    assert read.text.startswith("path: this server reads no files; ")
    assert "path" not in written


async def test_an_export_is_written_and_never_over_another_file(files: Call, trip_id: str, folder: Path) -> None:
    (folder / "Kyoto.md").write_text("my own notes", "utf-8")
    (folder / "Kyoto-2.md").symlink_to(folder.parent / "new.md")

    first = await files("export_file", tripId=trip_id, format="md")
    again = await files("export_file", tripId=trip_id, format="md")

    assert first.structured is not None
    assert again.structured is not None
    assert first.structured["path"] == again.structured["path"] == str(folder / "Kyoto-3.md")
    assert (folder / "Kyoto-3.md").read_text("utf-8").startswith("# Kyoto")
    assert (folder / "Kyoto.md").read_text("utf-8") == "my own notes"
    assert not (folder.parent / "new.md").exists()


async def test_a_server_that_only_reads_writes_no_files(trips: TripsClient, trip_id: str, folder: Path) -> None:
    conduct = offer(Settings(chosen_files=str(folder), read_only=True)).conduct

    answer = await calls_on(trips, conduct)("export_file", tripId=trip_id, format="md")

    assert answer.structured is not None
    assert "path" not in answer.structured
    assert not (folder / "Kyoto.md").exists()


def test_the_listing_says_what_the_setting_allows() -> None:
    def listed(settings: Settings) -> tuple[bool, list[str], bool]:
        tools = {one["name"]: one for one in offer(settings).listing}
        schema = tools["plan_import"]["inputSchema"]
        return (
            "path" in schema["properties"],
            schema.get("required", []),
            tools["export_file"]["annotations"]["readOnlyHint"],
        )

    assert listed(Settings()) == (False, ["content"], True)
    assert listed(Settings(chosen_files="/tmp")) == (True, [], False)  # noqa: S108


def test_over_http_there_are_no_files() -> None:
    offered = masked(Settings(chosen_files="/tmp"))  # noqa: S108

    assert (offered.conduct.files, offered.conduct.writes_files) == (None, False)
    tools = {one["name"]: one for one in offered.listing}
    assert "path" not in tools["plan_import"]["inputSchema"]["properties"]
