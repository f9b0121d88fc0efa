"""`trips-mcp export TRIP --format …`, as travellers use it."""

import json
import shutil
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from trips_mcp.cli.commands import run

Export = Callable[..., tuple[int, str, str]]


@pytest.fixture
def export(
    new_database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> Export:
    for name in ("OSOTO_API_KEY", "OSOTO_BASE_URL", "TRAVELMODE_TOKEN", "TRAVELMODE_BASE_URL", "TRIPS_MCP_LOG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TRIPS_MCP_DATABASE", str(shutil.copy(new_database, tmp_path)))
    monkeypatch.setenv("TRIPS_MCP_JOURNAL", "off")

    def called(*words: str) -> tuple[int, str, str]:
        code = run(words)
        said = capfdbinary.readouterr()
        return code, said.out.decode(), said.err.decode()

    group = json.loads(called("call", "get_me", "--json")[1])["defaultGroupId"]
    dates = ("startDate=2027-04-01", "endDate=2027-04-09")
    stay = ("accommodation.name=Ryokan", "accommodation.doorCode=K4711")
    for title in ("Kyoto in April", "Oslo"):
        trip = json.loads(called("call", "create_trip", f"groupId={group}", f"title={title}", *dates, "--json")[1])
        place = (f"title={title}", f"destination={title.split()[0]}", "timezone=Asia/Tokyo", "order=1")
        called("call", "create_leg", f"tripId={trip['_id']}", *place, *dates, *stay, "--json")
        to_do = ("text=Rail pass", "urgency=now")
        called("call", "create_action_item", f"tripId={trip['_id']}", *to_do, "--json")
    return lambda *words: called("export", *words)


def test_a_trip_is_found_by_words_of_its_title_and_written_to_standard_output(export: Export) -> None:
    code, out, err = export("kyoto", "--format", "ics")

    assert (code, err) == (0, "")
    assert out.startswith("BEGIN:VCALENDAR\r\n")
    assert out.endswith("END:VCALENDAR\r\n")
    assert "\r\r" not in out
    assert "K4711" not in out


def test_to_dos_come_into_a_calendar_only_if_asked_for(export: Export) -> None:
    _, without, _ = export("kyoto", "--format", "ics")
    _, asked, _ = export("kyoto", "--format", "ics", "--with-to-dos")

    assert ("BEGIN:VTODO" in without, "BEGIN:VTODO" in asked) == (False, True)
    assert "SUMMARY:Rail pass" in asked


def test_a_file_with_secrets_has_them_and_is_for_its_owner_alone(export: Export, tmp_path: Path) -> None:
    plain, private = tmp_path / "plain.md", tmp_path / "private.md"

    told = export("Oslo", "--format", "md", "-o", str(plain))
    export("Oslo", "--format", "md", "--with-secrets", "-o", str(private))

    assert told == (0, "", f"Wrote {plain}: 1 entries, 0 places.\n")
    assert ("K4711" in plain.read_text(), "K4711" in private.read_text()) == (False, True)
    assert stat.S_IMODE(private.stat().st_mode) & 0o077 == 0
    assert stat.S_IMODE(plain.stat().st_mode) & 0o400


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("osaka", "--format", "md"), "there is no trip 'osaka'; `trips-mcp call list_trips` lists them."),
        (("o", "--format", "md"), "several trips match 'o': "),
        (("kyoto", "--format", "md", "-o", "/nowhere/kyoto.md"), "cannot write /nowhere/kyoto.md (No such file"),
        (("kyoto", "--format", "gpx", "--with-to-dos"), "--with-to-dos is for --format ics; "),
        (("kyoto", "--format", "md", "--trip", "jx7"), "this server is bound to the trip jx7; "),
    ],
)
def test_a_failed_export_is_one_sentence(words: tuple[str, ...], sentence: str, export: Export) -> None:
    code, out, err = export(*words)

    assert (code, out) == (2, "")
    assert err.startswith(f"trips-mcp: {sentence}")
    assert err.count("\n") == 1


def test_a_file_that_cannot_be_replaced_is_left_as_it_was(export: Export, tmp_path: Path) -> None:
    folder = tmp_path / "kyoto.ics"
    folder.mkdir()

    code, _, err = export("kyoto", "--format", "ics", "-o", str(folder))

    assert code == 2
    assert "cannot write" in err
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".kyoto")] == []
