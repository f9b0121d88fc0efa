"""`trips-mcp call TOOL KEY=VALUE …`, as users try a tool by hand."""

import io
import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from trips_mcp.cli.commands import run


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str

    @property
    def sentence(self) -> str:
        """The only one, on stderr."""
        assert (self.code, self.out) == (2, "")
        assert self.err.startswith("trips-mcp: ")
        assert self.err.count("\n") == 1
        return self.err.removeprefix("trips-mcp: ").rstrip("\n")


Call = Callable[..., Ended]


@pytest.fixture
def call(
    new_database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Call:
    for name in ("OSOTO_API_KEY", "OSOTO_BASE_URL", "TRAVELMODE_TOKEN", "TRAVELMODE_BASE_URL", "TRIPS_MCP_LOG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TRIPS_MCP_DATABASE", str(shutil.copy(new_database, tmp_path)))
    monkeypatch.setenv("TRIPS_MCP_JOURNAL", "off")

    def call(*words: str) -> Ended:
        code = run(["call", *words])
        said = capsys.readouterr()
        return Ended(code, said.out, said.err)

    return call


def result(ended: Ended) -> dict[str, Any]:
    assert (ended.code, ended.err) == (0, "")
    return json.loads(ended.out)


@pytest.fixture
def trip_id(call: Call) -> str:
    group = result(call("get_me", "--json"))["defaultGroupId"]
    days = ("startDate=2027-04-01", "endDate=2027-04-10")
    return result(call("create_trip", f"groupId={group}", "title=Kyoto", *days, "--json"))["_id"]


def test_a_switch_leaves_the_tool_its_name(call: Call, trip_id: str) -> None:
    words = ("get_trip", f"tripId={trip_id}", "--json")

    assert call("--read-only", *words) == call(*words, "--read-only") == call(*words[:2], "--read-only", "--json")
    assert call("--mask-secrets", "off", *words) == call(*words)


def test_into_a_pipe_the_structured_result_is_printed_and_the_text_on_request(call: Call, trip_id: str) -> None:
    piped = call("get_day", f"tripId={trip_id}", "date=2027-04-02")
    text = call("get_day", f"tripId={trip_id}", "date=2027-04-02", "--text")

    assert result(piped) == result(call("get_day", f"tripId={trip_id}", "date=2027-04-02", "--json"))
    assert (text.code, text.err) == (0, "")
    assert text.out.startswith("# Friday 2027-04-02, day 2 of 10\n")


@pytest.fixture
def on_a_terminal(call: Call, monkeypatch: pytest.MonkeyPatch) -> Call:
    """As `call`, to a terminal of 80 columns."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")

    def on_a_terminal(*words: str) -> Ended:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "stdout", sys.stdout)
            patch.setattr(sys.stdout, "isatty", lambda: True)
            return call(*words)

    return on_a_terminal


def test_on_a_terminal_lists_are_tables_that_fit(call: Call, on_a_terminal: Call, trip_id: str) -> None:
    for number, name in enumerate(["Gion", "京都御所", "A pin whose name is far too long for one cell of a table"]):
        call("create_map_pin", f"tripId={trip_id}", f"name={name}", f"lat={35 + number}", "lng=135.7", "notes=n " * 9)

    shown = on_a_terminal("list_map_pins", f"tripId={trip_id}")
    empty = on_a_terminal("list_legs", f"tripId={trip_id}")

    head, *rows, left = shown.out.splitlines()
    assert (shown.code, shown.err) == (0, "")
    assert head.split()[:4] == ["_id", "name", "lat", "lng"]
    assert [row.split()[1] for row in rows] == ["Gion", "京都御所", "A"]
    assert "京都御所" + " " * 30 + "36" in rows[1]
    assert "A pin whose name is far too long fo…  37" in rows[2]
    assert max(map(len, shown.out.splitlines())) <= 80
    assert left.startswith("not shown: ")
    assert "notes" in left
    assert empty.out == "none\n"


def test_on_a_terminal_a_thing_is_names_and_values_and_prose_is_prose(
    call: Call, on_a_terminal: Call, trip_id: str
) -> None:
    made = call("create_leg", f"tripId={trip_id}", *LEG, "accommodation.name=Inn", "accommodation.notes=one\ntwo")
    leg = on_a_terminal("update_leg", f"tripId={trip_id}", f"legId={result(made)['_id']}", "title=Gion")

    trip = on_a_terminal("get_trip", f"tripId={trip_id}")
    whole = on_a_terminal("export_trip", f"tripId={trip_id}")
    day = on_a_terminal("get_day", f"tripId={trip_id}", "date=2027-04-01")
    as_json = on_a_terminal("get_trip", f"tripId={trip_id}", "--json")

    assert "\ntitle: Kyoto\nstartDate: 2027-04-01\n" in trip.out
    assert "\nlegs (1)\n  _id " in whole.out
    assert "{" not in trip.out + whole.out
    assert "\naccommodation\n  name: Inn\n  notes: one\n    two\n" in leg.out
    assert day.out.startswith("# Thursday 2027-04-01")
    assert result(as_json)["title"] == "Kyoto"


def test_on_a_terminal_an_error_is_its_sentence(on_a_terminal: Call) -> None:
    ended = on_a_terminal("get_trip", "tripId=trip_nowhere")

    assert (ended.code, ended.err) == (1, "")
    assert ended.out.startswith("NOT_FOUND (404): ")


def test_the_structured_result_is_printed_on_request_wherever_it_is_said(call: Call, trip_id: str) -> None:
    last = call("get_trip", f"tripId={trip_id}", "--json")
    first = call("--json", "get_trip", f"tripId={trip_id}")
    between = call("get_trip", "--json", f"tripId={trip_id}")

    assert last == first == between
    assert result(last)["title"] == "Kyoto"
    assert last.out.startswith('{\n  "')


@pytest.mark.parametrize("name", ["5", "true", "null", '["a"]', '"quoted"', "a=b", "é"])
def test_text_arguments_are_taken_as_they_are(call: Call, trip_id: str, name: str) -> None:
    ended = call("create_map_pin", f"tripId={trip_id}", f"name={name}", "lat=1", "lng=2", "--json")

    assert result(ended)["name"] == name


def test_other_arguments_are_json(call: Call, trip_id: str) -> None:
    pin = result(call("create_map_pin", f"tripId={trip_id}", "name=x", "lat=-1.5e1", "lng=2", "--json"))
    leg = {
        "order": 1,
        "title": "Gion",
        "destination": "Kyoto",
        "timezone": "Asia/Tokyo",
        "startDate": "2027-04-01",
        "endDate": "2027-04-02",
    }
    made = call("upsert_legs", f"tripId={trip_id}", f"items={json.dumps([leg])}", "autoClientRef=true", "--json")
    legs = result(call("list_legs", f"tripId={trip_id}", "limit=1", "--json"))

    assert (pin["lat"], pin["lng"]) == (-15, 2)
    assert made.code == 0
    assert [leg["title"] for leg in legs["items"]] == ["Gion"]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("title", {"_id", "title"}),
        ("title, startDate", {"_id", "title", "startDate"}),
        ('["title","endDate"]', {"_id", "title", "endDate"}),
    ],
)
def test_a_list_is_written_with_commas_or_as_json(call: Call, trip_id: str, text: str, names: set[str]) -> None:
    (trip,) = result(call("list_trips", f"fields={text}", "--json"))["items"]

    assert set(trip) == names


def test_numbers_in_a_list_are_numbers(call: Call, trip_id: str) -> None:
    number = result(call("get_trip", f"tripId={trip_id}", "--json"))["number"]

    event = result(call("create_event", f"trip_ids={number}", "type=dinner", "title=7", "date=2027-04-01", "--json"))

    assert (event["title"], event["attached_trips"]) == ("7", [number])


@pytest.mark.parametrize(
    ("said", "sent"), [("true", True), ("Yes", True), ("on", True), ("FALSE", False), ("no", False)]
)
def test_booleans_are_accepted_in_many_spellings(call: Call, trip_id: str, said: str, sent: bool) -> None:
    made = result(call("create_action_item", f"tripId={trip_id}", "text=Book", "urgency=now", "--json"))

    ticked = result(
        call("update_action_item", f"tripId={trip_id}", f"itemId={made['_id']}", f"completed={said}", "--json")
    )

    assert ticked["completed"] is sent


LEG = (
    "order=1",
    "title=Gion",
    "destination=Kyoto",
    "timezone=Asia/Tokyo",
    "startDate=2027-04-01",
    "endDate=2027-04-02",
)


def test_a_part_of_an_object_is_named_by_its_path(call: Call, trip_id: str) -> None:
    parts = ("accommodation.name=Inn", "accommodation.doorCode=0042")

    leg = result(call("create_leg", f"tripId={trip_id}", *LEG, *parts, "--json"))

    assert leg["accommodation"] == {"name": "Inn", "doorCode": "0042"}


def test_secrets_are_masked_as_they_are_elsewhere(call: Call, trip_id: str) -> None:
    leg = result(call("create_leg", f"tripId={trip_id}", *LEG, "accommodation.doorCode=0042", "--json"))

    masked = call("list_legs", f"tripId={trip_id}", "--mask-secrets")
    secret = f"legId={leg['_id']}", "path=accommodation.doorCode"
    told = call("get_secret", f"tripId={trip_id}", "--mask-secrets", *secret)

    assert "0042" not in masked.out
    assert "0042" in told.out


def test_arguments_come_as_json_from_stdin_a_file_or_the_word_itself(
    call: Call, trip_id: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pin = {"tripId": trip_id, "name": "Gion", "lat": 35, "lng": 135.8}
    file = tmp_path / "pin.json"
    file.write_text(json.dumps(pin), "utf-8-sig")
    items = tmp_path / "items.json"
    items.write_text(json.dumps([{"name": "Nara", "lat": 34.7, "lng": 135.8}]), "utf-8")
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps(pin)))

    from_stdin = result(call("create_map_pin", "--arguments", "-", "--json"))
    from_file = result(call("create_map_pin", "--arguments", f"@{file}", "notes=more", "--json"))
    as_word = result(call("create_map_pin", "--arguments", json.dumps(pin), "--json"))
    one_of_them = result(call("upsert_map_pins", f"tripId={trip_id}", f"items=@{items}", "--json"))

    assert {made["name"] for made in (from_stdin, from_file, as_word)} == {"Gion"}
    assert from_file["notes"] == "more"
    assert one_of_them["created"] == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--arguments", "[1]"], "--arguments takes one JSON object, as "),
        (["--arguments", '{"tripId": osk_secret'], "--arguments takes one JSON object, as "),
        (["--arguments", "@/nowhere/at/all.json"], "--arguments: /nowhere/at/all.json cannot be read (no such file"),
        (["--arguments", '{"tripid": "x"}'], "create_map_pin has no argument 'tripid'; did you mean tripId? it takes "),
        (["--arguments", '{"tripId": "x"}', "tripId=y"], "tripId is given twice."),
        (["tripId.a=y"], "create_map_pin has no argument 'tripId.a'; it takes none."),
    ],
)
def test_unreadable_arguments_are_one_sentence(call: Call, words: list[str], said: str) -> None:
    sentence = call("create_map_pin", *words).sentence

    assert sentence.startswith(said)
    assert "osk_secret" not in sentence


def test_an_unknown_path_is_answered_with_the_nearest(call: Call) -> None:
    said = call("create_leg", "accommodation.doorcode=1").sentence
    twice = call("create_leg", "--arguments", '{"accommodation": {"name": "x"}}', "accommodation.name=y").sentence

    assert said.startswith("create_leg has no argument 'accommodation.doorcode'; did you mean doorCode? it takes acc")
    assert "accommodation.doorCode" in said
    assert twice == "accommodation.name is given twice."


@pytest.mark.parametrize("value", ["north", "", "NaN", "Infinity", "1e999", "[1", "{}", "[" * 100_000])
def test_invalid_values_are_refused_by_the_tool(call: Call, trip_id: str, value: str) -> None:
    ended = call("create_map_pin", f"tripId={trip_id}", "name=x", f"lat={value}", "lng=2", "--text")

    assert (ended.code, ended.err) == (1, "")
    assert ended.out.startswith("Not sent. Fix the arguments of create_map_pin: lat: ")


def test_an_error_is_an_answer_with_exit_code_1(call: Call) -> None:
    text = call("get_trip", "tripId=trip_nowhere", "--text")
    structured = call("get_trip", "tripId=trip_nowhere", "--json")

    assert (text.code, text.err) == (structured.code, structured.err) == (1, "")
    assert text.out.startswith("NOT_FOUND (404): ")
    assert json.loads(structured.out)["error"].startswith("NOT_FOUND (404): ")


def test_a_reason_is_printed_once(call: Call, trip_id: str) -> None:
    ended = call("create_action_item", f"tripId={trip_id}", "text=Book", "urgency=now", "owner=Ana", "--text")

    assert ended.code == 1
    assert ended.out.count("owner: ") == 1
    assert "no member of this trip has this id. Fix that and call again." in ended.out


def test_a_long_call_prints_its_progress(call: Call, trip_id: str) -> None:
    items = json.dumps([{"text": f"Thing {number}", "urgency": "now"} for number in range(120)])

    ended = call("upsert_action_items", f"tripId={trip_id}", f"items={items}", "--json")

    assert ended.code == 0
    assert ended.err.splitlines()[-1] == "120 of 120 items"
    assert json.loads(ended.out)["created"] == 120


@pytest.mark.parametrize(
    ("tool", "named"),
    [
        ("list_trip", "list_trips"),
        ("List_Legs", "list_legs"),
        ("creat_event", "create_event"),
    ],
)
def test_an_unknown_tool_is_answered_with_the_nearest(call: Call, tool: str, named: str) -> None:
    said = call(tool).sentence

    assert said.startswith(f"there is no tool {tool!r}; did you mean ")
    assert named in said


def test_a_tool_without_a_near_name_is_answered_with_where_tools_are_listed(call: Call) -> None:
    assert call("zzz").sentence == "there is no tool 'zzz'; `trips-mcp tools` lists them all."
    assert call().sentence.startswith("name a tool, as in `trips-mcp call list_trips`")
    assert len(call("z" * 10_000).sentence) < 200


def test_an_unknown_argument_is_answered_with_the_nearest_and_all(call: Call) -> None:
    said = call("create_map_pin", "tripid=x").sentence

    assert said.startswith("create_map_pin has no argument 'tripid'; did you mean tripId? it takes tripId, name, lat, ")
    assert call("get_me", "x=1").sentence == "get_me has no argument 'x'; it takes none."


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["get_trip", "tripId"], "'tripId' is not an argument, expected KEY=VALUE."),
        (["get_trip", "tripId=a", "tripId=b"], "tripId is given twice."),
        (["get_trip", "=a"], "get_trip has no argument ''; it takes tripId."),
    ],
)
def test_words_that_are_not_arguments_are_one_sentence(call: Call, words: list[str], said: str) -> None:
    assert call(*words).sentence == said


def test_a_tool_that_is_not_offered_names_the_setting(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRAVELMODE_TOKEN", "a-token-of-the-events-api")

    assert "OSOTO_API_KEY" in call("list_trips").sentence


def test_invalid_settings_are_one_sentence(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRIPS_MCP_LOG", "loud")

    assert call("list_trips").sentence.startswith("TRIPS_MCP_LOG must be one of ")


def test_a_database_that_cannot_be_opened_is_one_sentence(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "there" / "trips.db"
    folder.mkdir(parents=True)
    monkeypatch.setenv("TRIPS_MCP_DATABASE", str(folder.parent))

    assert call("list_trips").sentence == f"{folder} is a folder, not a database; name a file in it."


def test_flags_choose_what_is_offered_and_how_it_answers(call: Call, trip_id: str) -> None:
    bound = call("get_trip", "--json", "--trip", trip_id)
    hidden = call("create_map_pin", "name=x", "--read-only").sentence
    unknown = call("get_me", "--tools", "no_such_tool").sentence

    assert result(bound)["_id"] == trip_id
    assert "--read-only" in hidden or "TRIPS_MCP_READ_ONLY" in hidden
    assert "no_such_tool" in unknown
