"""The command line: what it offers, what it refuses, and how little it imports."""

import json
import os
import re
import subprocess
import sys
from contextlib import suppress
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from trips_mcp.cli import COMMAND_WORDS
from trips_mcp.cli.command import Command
from trips_mcp.cli.commands import COMMANDS, flags_with_value, run
from trips_mcp.cli.parser import Parser, normalized
from trips_mcp.contract import OPERATIONS
from trips_mcp.tools.listing import entries, first_sentence

OPERATION = {operation.name: operation for operation in OPERATIONS}
FLAGS = (
    "--toolsets", "--tools", "--exclude-tools", "--read-only", "--no-outbound", "--mask-secrets",
    "--trip", "--event-trips",
)  # fmt: skip


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(("OSOTO_", "TRAVELMODE_", "TRIPS_MCP_"))]:
        monkeypatch.delenv(name)


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        run(["--help"])

    shown = capsys.readouterr().out
    assert ended.value.code == 0
    for command in COMMANDS:
        assert f"  {command.words} " in shown
        assert command.summary in shown


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.words)
def test_every_command_explains_itself(command: object, capsys: pytest.CaptureFixture[str]) -> None:
    words = next(known for known in COMMANDS if known is command).words.split()

    with pytest.raises(SystemExit) as ended:
        run([*words, "--help"])

    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith(f"usage: trips-mcp {' '.join(words)}")


@pytest.mark.parametrize(
    "words",
    [
        "dance",
        "--colour",
        "backend",
        "backend dance",
        "backend create-key",
        "backend create-key --user= trips:read",
        "backend revoke-key",
        "serve --transport carrier-pigeon",
        "tools --jso",
        "tools --json --markdown",
    ],
)
def test_an_unknown_command_is_a_usage_error(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        run(words.split())

    captured = capsys.readouterr()
    assert ended.value.code == 2
    assert captured.out == ""
    assert re.fullmatch(r"trips-mcp: .+[.?] See `trips-mcp( \S+)* --help`\.\n", captured.err)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("dance", "there is no COMMAND 'dance'; it is one of "),
        ("instal cursor", "there is no COMMAND 'instal'; did you mean install? it is one of "),
        ("install emacs", "there is no CLIENT 'emacs'; it is one of "),
        ("tools --raed-only", "--raed-only is not a flag of trips-mcp tools; did you mean --read-only?"),
        ("tools --frobnicate", "--frobnicate is not a flag of trips-mcp tools."),
        ("tools --foo", "--foo is not a flag of trips-mcp tools."),
        ("--format md tools", "--format is not a flag of trips-mcp tools."),
        ("tools legs", "'legs' is one word too many."),
    ],
)
def test_a_usage_error_says_what_is_wrong_and_the_nearest_that_is_right(
    words: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        run(words.split())

    assert capsys.readouterr().err.startswith(f"trips-mcp: {said}")


SAME = [
    ["tools --read-only --json", "tools --json --read-only", "--read-only tools --json", "tools --read-only=on --json"],
    ["tools --toolsets legs --json", "--toolsets legs tools --json", "--toolsets=legs tools --json"],
    ["--read-only --toolsets legs --trip jx7 tools --json", "tools --trip jx7 --read-only --toolsets legs --json"],
    ["tools --mask-secrets off --json", "--mask-secrets off tools --json", "tools --json"],
    ["--read-only backend keys --json", "backend --read-only keys --json"],
    ["backend keys --json", "backend --json keys", "--json backend keys"],
    ["history --limit 3 --json", "--limit 3 history --json", "--json --limit=3 history", "--limit 3 --json history"],
    ["export x --format md", "--format md export x", "export --format md x"],
    ["backend create-key none --user ann", "backend --user ann create-key none", "--user ann backend create-key none"],
]


@pytest.mark.parametrize("ways", SAME, ids=lambda ways: ways[0])
def test_flags_may_come_before_or_after_the_command(
    ways: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TRIPS_MCP_DATABASE", str(tmp_path / "none.db"))

    said: set[str] = set()
    for words in ways:
        with suppress(SystemExit):
            run(words.split())
        ended = capsys.readouterr()
        said.add(ended.out + ended.err)

    assert len(said) == 1
    assert said != {""}


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.words)
def test_every_flag_with_a_value_may_come_before_its_command(command: Command) -> None:
    words = command.words.split()
    known = {one.words for one in COMMANDS}
    alone = Parser()
    command.flags(alone)

    for flag in sorted(alone.flags_with_value()):
        for place in range(len(words) + 1):
            said = [*words[:place], flag, "x", *words[place:]]
            assert normalized(said, known, flags_with_value()) == [*words, flag, "x"]


def test_the_words_that_are_commands_are_known_without_loading_them() -> None:
    assert set(COMMAND_WORDS) == {command.words.split()[0] for command in COMMANDS}


@pytest.mark.parametrize(
    "words",
    ["serve --allowed-host=", "serve --transport http --allowed-host=", "--transport http --allowed-host= --port 0",
     "serve --transport http --allowed-host a.example --allowed-host=", "serve --allowed-origin=", "serve --host="],
)  # fmt: skip
def test_an_empty_flag_is_refused(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    code = run(words.split())

    flag = words.split("=")[0].split()[-1]
    assert (code, capsys.readouterr().err) == (2, f"trips-mcp: {flag} is empty; give it a value, or leave it out.\n")


@pytest.mark.parametrize("words", [["backend", "keys"], ["backend", "migrate"], ["backend", "serve"]], ids=" ".join)
def test_an_empty_database_flag_is_refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    code = run([*words, "--database", ""])

    assert (code, capsys.readouterr().err) == (
        2,
        "trips-mcp: --database is empty; give it a value, or leave it out.\n",
    )


@pytest.mark.parametrize("words", [[], ["--mask-secrets"], ["--read-only"], ["--toolsets", "shares"]], ids=" ".join)
def test_tools_lists_each_tool_by_its_toolset_with_its_scope_in_100_columns(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    code = run(["tools", *words])

    shown = capsys.readouterr().out
    names = re.findall(r"^  ([a-z]\w+) +(\S+|any key|no key|nobody) +[A-Z]", shown, re.M)
    scopes = {entry["listing"]["name"]: entry["scope"] for entry in entries()}
    toolsets = {entry["listing"]["name"]: entry["toolset"] for entry in entries()}
    assert code == 0
    assert max(map(len, shown.splitlines())) <= 100
    assert names == [(name, scopes[name]) for name, _ in names]
    assert f"\n{len(names)} tools: " in shown
    assert re.findall(r"^(\w+)$", shown, re.M) == list(dict.fromkeys(toolsets[name] for name, _ in names))


def test_tools_fits_a_narrow_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = _Screen()
    monkeypatch.setattr(sys, "stdout", screen)
    monkeypatch.setenv("COLUMNS", "70")

    assert run(["tools"]) == 0
    assert max(map(len, screen.getvalue().splitlines())) <= 70


class _Screen(StringIO):
    def isatty(self) -> bool:  # pyright: ignore[reportImplicitOverride]
        return True


def test_a_tool_that_a_setting_would_bring_back_names_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run(["tools"])
    unmasked = capsys.readouterr().out
    monkeypatch.setenv("OSOTO_API_KEY", "osk_a-key")
    run(["tools"])
    without_events = " ".join(capsys.readouterr().out.split())

    assert "\nnot offered: get_secret needs --mask-secrets\n" in unmasked
    assert re.search(r" not offered: create_event, get_event, [a-z_, ]+ need TRAVELMODE_TOKEN ", without_events)


@pytest.mark.parametrize(("name", "near"), [("foo", ""), ("list_leg", "the nearest is list_legs, and ")])
def test_a_tool_that_does_not_exist_is_answered_with_one_that_is_near_or_none(
    name: str, near: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code = run(["tools", "--tools", name])

    assert code == 2
    assert capsys.readouterr().err.startswith(
        f"trips-mcp: --tools (TRIPS_MCP_TOOLS) names {name}, which is no tool; {near}the toolsets are trips, "
    )


def test_tools_as_json_are_the_wire_listings(capsys: pytest.CaptureFixture[str]) -> None:
    code = run(["tools", "--json", "--mask-secrets"])

    assert code == 0
    told = [entry["listing"] | ({"description": entry["local"]} if "local" in entry else {}) for entry in entries()]
    assert json.loads(capsys.readouterr().out) == told


def test_tools_as_markdown_are_the_page_of_the_docs(capsys: pytest.CaptureFixture[str]) -> None:
    page = Path(__file__).parents[2].joinpath("docs/tools.md").read_text("utf-8")
    docs = re.sub(r" \[Example\]\(examples\.md#\w+\)", "", page)  # which a page by itself could not lead to

    code = run(["tools", "--markdown", "--mask-secrets"])

    shown = capsys.readouterr().out
    for entry in entries():  # the page is about an account, and here trips are kept locally
        if "local" in entry:
            for part in (str, first_sentence):
                shown = shown.replace(part(entry["local"]), part(entry["listing"]["description"]))
    table, sections = shown.partition("\n| Tool |")[2].split("\n## get_me\n")
    assert code == 0
    assert shown.startswith(f"# Tools\n\n{len(entries())} of {len(entries())} tools are offered.")
    assert table in docs
    assert sections.rstrip() in docs
    assert "Not offered" not in shown


def test_tools_as_markdown_are_those_that_are_offered_in_words_that_fit(capsys: pytest.CaptureFixture[str]) -> None:
    run(["tools", "--markdown", "--toolsets", "legs", "--read-only", "--trip", "jx7"])

    shown = capsys.readouterr().out
    assert re.findall(r"^## (.+)$", shown, re.M) == ["list_legs", "Not offered"]
    assert "`GET /api/v1/trips/{tripId}/legs`, needs `trips:read`." in shown
    assert "| `limit` | whole number |" in shown
    assert "| `tripId`" not in shown
    assert "Answers with `items` (of each `_id`, `tripId`, `order`" in shown
    told, hidden = shown.split("## Not offered\n")
    assert "list_commitments" not in told
    assert "\n- not offered (--read-only): create_trip," in hidden


def test_tools_are_those_of_the_keys_that_are_set(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRAVELMODE_TOKEN", "a-token-of-the-events-api")

    run(["tools"])

    assert capsys.readouterr().out.splitlines()[-1].startswith("5 tools: ")


def test_tools_shows_the_effect_of_flags_and_variables_and_the_size(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRIPS_MCP_TOOLSETS", "members")
    monkeypatch.setenv("TRIPS_MCP_READ_ONLY", "yes")
    words = ["tools", "--toolsets", "legs", "--tools", "get_me", "--tools", "get_trip,list_trips", "--trip", "jx7"]

    listed = run([*words, "--json"]), json.loads(capsys.readouterr().out)
    shown = run(words), capsys.readouterr().out.splitlines()

    assert (listed[0], shown[0]) == (0, 0)
    names = [listing["name"] for listing in listed[1]]
    assert names == ["get_me", "get_trip", "list_legs"]
    assert re.findall(r"^  (\w+) ", "\n".join(shown[1]), re.M) == names
    size = sum(prompt_bytes(listing) for listing in listed[1])
    assert shown[1][-1] == (f"3 tools: {size:,} bytes of names, descriptions and schemas, about {size // 4:,} tokens")
    assert "not offered (--trip): list_trips, get_shared_trip, export_shared_trip" in shown[1]


def prompt_bytes(listing: dict[str, Any]) -> int:
    seen = {part: listing[part] for part in ("name", "description", "inputSchema")}
    return len(json.dumps(seen, separators=(",", ":"), ensure_ascii=False).encode())


@pytest.mark.parametrize("words", [["serve"], ["tools"]], ids=" ".join)
def test_the_flags_that_choose_are_explained(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run([*words, "--help"])

    shown = capsys.readouterr().out
    for flag in FLAGS:
        assert f"  {flag} " in shown


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("tools --trip=", "--trip is empty; "),
        ("tools --trip a/b", "--trip must be the id of one trip, "),
        ("tools --read-only=perhaps", "--read-only must be one of "),
        ("tools --toolsets beds", "--toolsets (TRIPS_MCP_TOOLSETS) names beds, which is no toolset; "),
        ("tools --tools create_leg --read-only", "No tool is left to offer under --read-only, --tools; "),
        ("serve --tools create_leg --read-only", "No tool is left to offer under --read-only, --tools; "),
        ("serve --event-trips jx7", "--event-trips must give trips their number "),
        ("backend serve --host=", "--host is empty; "),
        ("backend serve --port eighty", "--port must be a number from 0 to 65535."),
        ("backend serve --port 65536", "--port must be a number from 0 to 65535."),
        ("backend serve --port=-1", "--port must be a number from 0 to 65535."),
        ("backend serve --rate-limit 0", "--rate-limit must be how many requests a minute "),
        ("backend serve --rate-limit sometimes", "--rate-limit must be how many requests a minute "),
        ("backend serve --max-connections-per-address 0", "--max-connections-per-address must be a number from 1 "),
        ("backend serve --trusted-proxy nginx", "--trusted-proxy must list addresses of proxies, "),
    ],
)
def test_an_invalid_selection_is_one_sentence(words: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    code = run(words.split())

    captured = capsys.readouterr()
    assert (code, captured.out) == (2, "")
    assert captured.err.startswith(f"trips-mcp: {said}")
    assert captured.err.count("\n") == 1


def test_doctor_says_what_is_offered(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (
        ("DATABASE", str(tmp_path / "t.db")),
        ("READ_ONLY", "1"),
        ("TRIP", "jx7"),
        ("NO_OUTBOUND", "on"),
    ):
        monkeypatch.setenv(f"TRIPS_MCP_{name}", value)

    code = run(["doctor"])

    shown = capsys.readouterr().out
    assert code == 1  # as there is no trip jx7
    assert [line for line in shown.splitlines() if line.startswith("fail")][1:] == []
    assert re.search(
        r"^ok    tools: \d+ of \d+ tools are offered \(read-only, without outbound ones, bound to", shown, re.M
    )


def test_a_mistake_in_the_settings_is_one_sentence(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OSOTO_BASE_URL", "https://trips.example/api/v1")

    code = run(["tools"])

    captured = capsys.readouterr()
    assert code == 2
    assert captured.err == "trips-mcp: OSOTO_BASE_URL is set without OSOTO_API_KEY; set both, or neither.\n"


@pytest.mark.parametrize(
    ("module", "also"),
    [("trips_mcp.cli, trips_mcp.settings", set[str]()), ("trips_mcp.cli.serve", {"argparse"})],
    ids=["bare", "flags"],
)
def test_the_start_over_stdio_imports_almost_nothing(module: str, also: set[str]) -> None:
    heavy = {"argparse", "logging", "json", "asyncio", "anyio", "pydantic", "httpx", "mcp", "mcp_types", "sqlalchemy"}
    asked = f"import sys, {module}; print(*sorted(name.partition('.')[0] for name in sys.modules))"

    env = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}  # it imports, too

    command = [sys.executable, "-c", asked]
    shown = subprocess.run(command, env=env, capture_output=True, check=True, text=True, timeout=60).stdout

    assert "trips_mcp" in shown.split()
    assert heavy.intersection(shown.split()) == also


@pytest.mark.parametrize("auth", ["none", "key"])
def test_files_are_not_served_over_http(auth: str, capsys: pytest.CaptureFixture[str]) -> None:
    code = run(["serve", "--transport", "http", "--port", "0", "--auth", auth, "--files", "bookings"])

    sentence = "--files (TRIPS_MCP_FILES) is for a server over stdio; leave it out over HTTP."
    assert (code, capsys.readouterr().err) == (2, f"trips-mcp: {sentence}\n")
