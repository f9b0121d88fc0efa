"""The command itself, the demo and the example script, as processes."""

import json
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import anyio
import pytest

from trips_mcp.connect import connect
from trips_mcp.contract.trips import LIST_TRIPS, ListTrips
from trips_mcp.settings import Settings
from trips_mcp.tools.listing import entries

HELLO = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
LIST = "".join(
    json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params}) + "\n"
    for number, (method, params) in enumerate([("initialize", HELLO), ("tools/list", {})])
)

Run = Callable[..., subprocess.CompletedProcess[str]]

ROOT = Path(__file__).parents[2]


def test_it_says_its_version(run: Run) -> None:
    ended = run("--version", cold=True)

    assert (ended.returncode, ended.stdout) == (0, f"trips-mcp {version('trips-mcp')}\n")


@pytest.mark.parametrize("words", [[], ["serve"], ["serve", "--transport", "stdio"]], ids=" ".join)
def test_it_serves_mcp_until_its_input_ends(run: Run, tmp_path: Path, words: list[str]) -> None:
    line, database = LIST.splitlines(keepends=True)[0], str(tmp_path / "trips.db")
    ended = run(*words, stdin=line, cold=not words, TRIPS_MCP_DATABASE=database)

    assert ended.returncode == 0, ended.stderr
    (answer,) = map(json.loads, ended.stdout.splitlines())
    assert (answer["id"], answer["result"]["protocolVersion"]) == (0, "2025-11-25")


def tools_listed(ended: subprocess.CompletedProcess[str]) -> dict[str, list[str]]:
    """The arguments of each tool, by its name, of an answer to LIST."""
    assert ended.returncode == 0, ended.stderr
    answer = json.loads(ended.stdout.splitlines()[-1])
    return {tool["name"]: [*tool["inputSchema"]["properties"]] for tool in answer["result"]["tools"]}


@pytest.mark.parametrize(
    ("words", "settings"),
    [
        (["--tools", "get_trip,list_trips,update_trip", "--read-only", "--trip", "jx7"], {}),
        (["serve", "--tools=get_trip,list_trips,update_trip", "--read-only=on", "--trip=jx7"], {}),
        ([], {"TOOLS": "get_trip,list_trips,update_trip", "READ_ONLY": "1", "TRIP": "jx7"}),
        (["--read-only", "--tools", "get_trip"], {"TOOLS": "list_trips", "READ_ONLY": "0", "TRIP": "jx7"}),
    ],
    ids=["flags", "serve", "variables", "both"],
)  # fmt: skip
def test_a_client_is_offered_what_its_configuration_chooses(
    run: Run, words: list[str], settings: dict[str, str]
) -> None:
    ended = run(*words, stdin=LIST, **{f"TRIPS_MCP_{name}": value for name, value in settings.items()})

    assert tools_listed(ended) == {"get_trip": []}


@pytest.mark.parametrize("words", [["--help"], ["--read-only", "--help"]], ids=" ".join)
def test_help_is_not_served(run: Run, words: list[str]) -> None:
    ended = run(*words)

    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.startswith("usage: trips-mcp [")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["--raed-only"],
            "trips-mcp: --raed-only is not a flag of trips-mcp; did you mean --read-only? See `trips-mcp --help`.",
        ),
        (["--trip", ""], "trips-mcp: --trip is empty; give it a value, or leave it out."),
        (["--tools", "create_leg", "--read-only"], "trips-mcp: No tool is left to offer under --read-only, --tools; "),
    ],
    ids=["unknown", "empty", "nothing"],
)
def test_flags_that_cannot_be_meant_end_the_start(run: Run, words: list[str], said: str) -> None:
    ended = run(*words, stdin=LIST)

    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.splitlines()[-1].startswith(said)
    assert "Traceback" not in ended.stderr


def test_settings_that_contradict_each_other_are_one_sentence(run: Run) -> None:
    ended = run(TRAVELMODE_BASE_URL="https://events.example")

    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == "trips-mcp: TRAVELMODE_BASE_URL is set without TRAVELMODE_TOKEN; set both, or neither.\n"


@pytest.mark.parametrize("words", [[], ["--no-outbound"], ["tools"], ["call", "list_trips"]], ids=" ".join)
def test_a_misspelled_limit_does_not_start_a_server_without_it(run: Run, words: list[str]) -> None:
    ended = run(*words, stdin=LIST, TRIPS_MCP_READONLY="1")

    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == (
        "trips-mcp: TRIPS_MCP_READONLY is not a setting; rename it to TRIPS_MCP_READ_ONLY, or remove it.\n"
    )


def test_a_list_that_nobody_reads_to_its_end_is_no_traceback() -> None:
    tools = subprocess.Popen(
        [sys.executable, "-m", "trips_mcp", "tools", "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    with tools:
        assert tools.stdout is not None
        assert tools.stderr is not None
        tools.stdout.close()
        said = tools.stderr.read()

    assert said == b""


def test_the_demo_holds(run: Run, tmp_path: Path) -> None:
    ended = run(
        "demo",
        OSOTO_API_KEY="osk_the_demo_must_not_use_this",
        TRIPS_MCP_DATABASE=str(tmp_path / "untouched.db"),
        TMPDIR=str(tmp_path),
        TEMP=str(tmp_path),
    )

    lines = ended.stdout.splitlines()
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert max(map(len, lines)) <= 110
    assert [line.split()[0] for line in lines if line.startswith(("You ", "Agent ", "FAILED"))] == ["You", "Agent"] * 17
    for shown in (
        f"Connected: protocol 2026-07-28, {len(entries())} tools, ",
        "I would create 4 legs, 23 pins, 12 action items. Nothing is written yet.",
        "4 legs, 23 pins, 12 action items: all unchanged. Nothing is there twice.",
        "Where are we sleeping on Tuesday? get_day Agent Tuesday may be 30 March or 6 April. Which one?",
        "The first one. get_day Agent On Tuesday 30 March at Yamabuki Machiya, ",
        "What is the door code there? list_legs, get_secret Agent 4096*.",
        "a day later? export_trip, plan_move Agent 8 things move by a day, ",
        "on Thursday 8 April there would be no bed. To rebook: 3 stays and cars, and the flights JL106 and JL43.",
        "Do it. apply_plan, list_legs Agent 8 changes made, as shown. Kyoto is now from 30 Mar to 9 Apr.",
        "plan_undo, apply_plan, export_trip Agent 8 changes taken back. Every date is as it was before.",
        "door codes, passwords and booking numbers are not in it",
        "endDate: not a real date, expected YYYY-MM-DD",
        "Every answer was checked",
    ):
        assert shown in " ".join(ended.stdout.split())
    assert "\x1b" not in ended.stdout
    assert ended.stderr == ""
    (page,) = tmp_path.iterdir()
    assert str(page) in lines
    assert "Yamabuki Machiya" in page.read_text("utf-8")
    assert "4096*" not in page.read_text("utf-8")


async def test_the_example_script_imports_a_trip(environment: Callable[..., dict[str, str]], tmp_path: Path) -> None:
    file = str(tmp_path / "trips.db")
    command = [sys.executable, str(ROOT / "examples" / "import_trip.py"), str(ROOT / "examples" / "kyoto.json")]

    with anyio.fail_after(60):
        ended = await anyio.run_process(command, env=environment(TRIPS_MCP_DATABASE=file))
    async with connect(Settings.from_env({"TRIPS_MCP_DATABASE": file})) as client:
        trips = await client.call(LIST_TRIPS, ListTrips())

    assert ended.stdout.startswith(b"legs: 4 created, 0 updated, 0 unchanged, 0 refused\n")
    assert [trip.title for trip in trips.items] == ["Kyoto in cherry blossom"]
