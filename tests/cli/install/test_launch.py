"""The entry starts what ran `install`, and is tried once before it is written."""

import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import pytest
from mcp import Client, StdioServerParameters

from trips_mcp.cli.install import launch
from trips_mcp.cli.install.clients import CLIENTS
from trips_mcp.cli.install.launch import Process, source_of
from trips_mcp.tools.listing import entries

if TYPE_CHECKING:
    from .conftest import Desk

UVX = "/cache/uv/archive-v0/Hx1"
COMMITS = {"vcs": "git", "commit_id": "abc", "requested_revision": "v1"}


def process(*argv: str, prefix: str = UVX, parent: str = "", source: str | None = None) -> Process:
    return Process(
        argv=argv or ("trips-mcp", "install", "cursor"),
        parent=tuple(parent.split()),
        prefix=prefix,
        executable=f"{prefix}/bin/python",
        scripts=f"{prefix}/bin",
        source=source,
    )


@pytest.mark.parametrize(
    ("parent", "source", "entry"),
    [
        ("uv tool uvx trips-mcp", None, "trips-mcp"),
        ("/opt/uv tool run trips-mcp", None, "trips-mcp"),
        ("uvx trips-mcp@latest", None, "trips-mcp@latest"),
        ("uv tool uvx --from trips-mcp==0.1.0 trips-mcp", None, "--from trips-mcp==0.1.0 trips-mcp"),
        (
            "uv tool uvx --from trips-mcp[postgresql] trips-mcp",
            None,
            "--from trips-mcp[postgresql] trips-mcp",
        ),
        (
            "uv tool uvx --python 3.12 --from git+https://h/r trips-mcp",
            "git+https://h/r",
            "--python 3.12 --from git+https://h/r trips-mcp",
        ),
        ("uv --offline tool run --from=/w/x.whl trips-mcp", "/w/x.whl", "--offline --from=/w/x.whl trips-mcp"),
        ("uvx --from /w/x.whl python -m trips_mcp", "/w/x.whl", "--from /w/x.whl python -m trips_mcp"),
        ("", "/w/x.whl", "--from /w/x.whl trips-mcp"),
        ("", None, "trips-mcp"),
        ("bash -c something", "/clone", "--from /clone trips-mcp"),
        ("uv run --isolated trips-mcp", "/clone", "--from /clone trips-mcp"),
    ],
)
def test_run_by_uvx_it_is_what_uvx_was_given(parent: str, source: str | None, entry: str) -> None:
    told = f"{parent} install cursor" if parent else ""

    launch = process(parent=told, source=source).launch()

    assert (launch.by_uvx, " ".join(launch.words)) == (True, entry)


def test_a_relative_source_becomes_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.whl").touch()
    (tmp_path / "trips-mcp").mkdir()

    launch = process(parent="uv tool uvx --from ./x.whl[postgresql] --with=./ trips-mcp install cursor").launch()

    assert launch.words == ("--from", f"{tmp_path}/x.whl[postgresql]", f"--with={tmp_path}", "trips-mcp")


@pytest.mark.parametrize("named", ["argv", "scripts"])
def test_from_an_environment_its_own_program_is_used(tmp_path: Path, named: str) -> None:
    program = tmp_path / "bin" / ("trips-mcp.exe" if os.name == "nt" else "trips-mcp")
    program.parent.mkdir()
    program.touch()
    argv = (str(program) if named == "argv" else "/usr/lib/pytest", "install", "cursor")

    launch = process(*argv, prefix=str(tmp_path), parent="uv run trips-mcp install cursor").launch()

    assert (launch.by_uvx, launch.words) == (False, (str(program),))


def test_without_a_program_python_runs_the_module(tmp_path: Path) -> None:
    launch = process("/x/__main__.py", prefix=str(tmp_path)).launch()

    assert launch.words == (f"{tmp_path}/bin/python", "-m", "trips_mcp")


@pytest.mark.parametrize(
    ("direct_url", "source"),
    [
        ({"url": "file:///w/my%20x.whl", "archive_info": {}}, "/w/my x.whl"),
        ({"url": "https://h/x.whl", "archive_info": {}}, "https://h/x.whl"),
        ({"url": "https://h/r", "vcs_info": COMMITS}, "git+https://h/r@v1"),
        ({"url": "https://h/r", "vcs_info": {"vcs": "git"}, "subdirectory": "s"}, "git+https://h/r#subdirectory=s"),
        ({}, None),
    ],
)
@pytest.mark.skipif(sys.platform == "win32", reason="paths of another system")
def test_an_installed_tool_is_named_as_uvx_expects(direct_url: dict[str, Any], source: str | None) -> None:
    assert source_of(direct_url) == source


def words(desk: "Desk", client: str) -> list[str]:
    entry = desk.read(client)[CLIENTS[client].section]["trips"]
    return [*entry["command"]] if "args" not in entry else [entry["command"], *entry["args"]]


def test_without_uvx_uv_itself_runs_the_tool(desk: "Desk") -> None:
    (desk.programs / "uvx").unlink()
    uv = desk.place(desk.programs / "uv", desk.server)

    ended = desk.install("cursor")

    assert ended.code == 0
    assert words(desk, "cursor") == [uv, "tool", "run", "trips-mcp"]


def test_from_an_environment_no_uvx_is_needed(desk: "Desk", monkeypatch: pytest.MonkeyPatch) -> None:
    (desk.programs / "uvx").unlink()
    own = desk.place(desk.home / "clone/.venv/bin/trips-mcp", desk.server)
    monkeypatch.setattr(Process, "this", lambda: process(own, "install", prefix=str(desk.home / "clone/.venv")))

    ended = desk.install("cursor", "--read-only")
    shown = desk.install("cursor", "--print", "--name", "other")

    assert ended.out == f"Added trips in Cursor ({desk.file('cursor')}). Started once: it offers 3 tools.\n"
    assert f"It starts {own}: keep that environment, or run this again after a move.\n" in ended.err
    assert words(desk, "cursor") == [own, "--read-only"]
    assert json.loads(shown.out)["mcpServers"]["other"]["command"] == own


every_client = pytest.mark.parametrize("client", CLIENTS)
PROGRAMS = {"claude-code": "claude", "gemini-cli": "gemini", "codex": "codex", "vscode": "code"}


@every_client
@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("#!/bin/sh\nexit 3\n", "exit code 3"),
        ("#!/bin/sh\necho 'trips-mcp: no such package.' >&2; exit 1\n", "exit code 1: no such package"),
        ("#!/bin/sh\necho 'no json'\n", "exit code 0"),
        ('#!/bin/sh\necho \'{"jsonrpc":"2.0","id":1,"result":{"tools":[]}}\'\n', "exit code 0"),
        ("#!/nowhere/at/all\n", "no such file or directory"),
    ],
    ids=["fails", "says why", "no server", "no tools", "cannot be run"],
)
def test_an_entry_that_does_not_start_is_not_written(desk: "Desk", client: str, source: str, why: str) -> None:
    desk.place(desk.programs / "uvx", source)
    if client in PROGRAMS:
        desk.program(PROGRAMS[client])

    ended = desk.install(client, "--read-only")

    assert (ended.code, ended.out) == (2, "")
    assert ended.sentence == (
        f"`uvx trips-mcp --read-only` does not start as a server ({why}), so nothing was changed; "
        "run that command in a shell to see more."
    )
    assert desk.files() == set()
    assert all(desk.told(program) == [] for program in PROGRAMS.values())


def test_a_trial_that_times_out_is_ended_with_its_children(desk: "Desk", monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launch, "SECONDS", 1)
    desk.place(desk.programs / "uvx", "#!/bin/sh\n/bin/sleep 60 & echo $! > child; wait\n")

    ended = desk.install("cursor")

    assert "(no answer within 1 seconds), so nothing was changed; " in ended.sentence
    child = Path("/proc", (desk.home / "child").read_text().strip(), "stat")
    deadline = time.monotonic() + 20  # a killed process may run on until the kernel next looks at it
    while not has_ended(child) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert has_ended(child)


def has_ended(stat: Path) -> bool:
    try:
        return stat.read_text().split()[2] == "Z"
    except OSError:
        return True


def test_the_trial_has_only_the_variables_of_the_entry(desk: "Desk") -> None:
    report = '#!/bin/sh\necho "$OSOTO_API_KEY,$TRIPS_MCP_LOG,$TRIPS_MCP_TRIP" > seen\n' + desk.server.split("\n", 1)[1]
    desk.place(desk.programs / "uvx", report)
    kept = {"command": "uvx", "args": ["trips-mcp"], "env": {"TRIPS_MCP_TRIP": "jx7"}}
    desk.put("cursor", json.dumps({"mcpServers": {"trips": kept}}))

    ended = desk.install("cursor", OSOTO_API_KEY=desk.key, TRIPS_MCP_LOG="info")

    assert ended.out.startswith("Updated trips in Cursor")
    assert (desk.home / "seen").read_text() == f"{desk.key},info,jx7\n"


def test_a_key_that_its_error_repeats_is_not_shown(desk: "Desk") -> None:
    desk.place(desk.programs / "uvx", '#!/bin/sh\necho "bad key: $OSOTO_API_KEY" >&2; exit 1\n')

    ended = desk.install("cursor", OSOTO_API_KEY=desk.key)

    assert "exit code 1: bad key: …)" in ended.sentence
    assert desk.key not in ended.err


def test_a_package_that_is_not_there_is_refused(desk: "Desk", monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(desk.home)
    for source in (
        "./nowhere",
        "nowhere/",
        "../x.whl",
        "x-0.1.0.whl",
        "/nowhere[postgresql]",
        "~/nowhere",
        "~nobody/x",
    ):
        for words in (["cursor"], ["cursor", "--print"]):
            ended = desk.install(*words, "--from", source)

            assert (ended.code, ended.out) == (2, "")
            assert ended.sentence == (
                f"--from {source}: there is no such file or folder; name a wheel, a clone, or a package."
            )
    assert desk.files() == set()


@pytest.mark.parametrize(
    "source", ["trips-mcp==0.1.0", "trips-mcp[postgresql]", "git+https://h/r@v1", "https://h/x.whl"]
)
def test_a_package_that_is_not_a_path_stays_as_it_is(desk: "Desk", source: str) -> None:
    desk.install("cursor", "--from", source)

    assert words(desk, "cursor")[1:] == ["--from", source, "trips-mcp"]


def test_a_name_leaves_room_for_every_tool(desk: "Desk") -> None:
    longest = max((entry["listing"]["name"] for entry in entries()), key=len)
    most = 64 - len(f"mcp____{longest}")

    fits = desk.install("cursor", "--name", "n" * most)
    too_long = desk.install("cursor", "--name", "n" * (most + 1))

    assert fits.code == 0
    assert too_long.code == 2
    assert too_long.err.endswith(
        f"{most + 1} characters are too many: tools are called mcp__NAME__tool, which model APIs take up to 64 "
        f"characters of; use at most {most}. See `trips-mcp install --help`.\n"
    )


@pytest.mark.parametrize("client", [name for name, client in CLIENTS.items() if client.writable])
def test_an_address_that_was_installed_is_removed_and_changed_without_naming_it(desk: "Desk", client: str) -> None:
    installed = desk.install(client, "--url", "http://127.0.0.1:8848/mcp")
    changed = desk.install(client, "--url", "http://127.0.0.1:9999/mcp")
    removed = desk.install(client, "--remove")

    assert (installed.code, changed.code, removed.code) == (0, 0, 0), removed.err
    assert changed.out.startswith("Updated trips in ")
    assert removed.out == f"Removed trips from {CLIENTS[client].title} ({desk.file(client)}).\n"
    assert desk.read(client)[CLIENTS[client].section] == {}


def test_an_address_that_somebody_else_wrote_is_not_ours(desk: "Desk") -> None:
    desk.install("cursor", "--url", "http://127.0.0.1:8848/mcp")
    desk.put("cursor", json.dumps({"mcpServers": {"trips": {"url": "https://other.example/mcp"}}}))

    ended = desk.install("cursor", "--remove")

    assert "has another server called trips, so nothing was changed; " in ended.sentence


def test_an_unusable_record_is_no_failure(desk: "Desk", tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file where the folder would be")

    installed = desk.install("cursor", "--url", "http://127.0.0.1:8848/mcp")
    removed = desk.install("cursor", "--remove")
    named = desk.install("cursor", "--remove", "--url", "http://127.0.0.1:8848/mcp")

    assert (installed.code, removed.code, named.code) == (0, 2, 0)
    assert "name the one to remove with --name, or with the --url it is at" in removed.sentence


@pytest.mark.skipif(sys.platform == "win32", reason="a home folder of another system")
async def test_the_entry_of_this_environment_starts_for_a_real_client(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    env = {name: value for name, value in os.environ.items() if not name.startswith("TRIPS_MCP_")}
    env |= {"HOME": str(home), "TRIPS_MCP_DATABASE": str(tmp_path / "trips.db"), "PATH": "/nowhere"}

    ended = await anyio.to_thread.run_sync(
        lambda: subprocess.run(
            [sys.executable, "-m", "trips_mcp", "install", "cursor", "--toolsets", "legs"],
            env=env, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
        )
    )  # fmt: skip

    assert ended.stdout.endswith("Started once: it offers 5 tools.\n"), ended.stderr
    entry = json.loads((home / ".cursor/mcp.json").read_text("utf-8"))["mcpServers"]["trips"]
    assert Path(entry["command"]).is_absolute()
    async with Client(StdioServerParameters(**entry, cwd=str(home))) as client:
        assert len((await client.list_tools()).tools) == 5
    assert not (tmp_path / "trips.db").exists()


def test_how_this_process_was_started_is_known() -> None:
    told = Process.this()

    assert told.prefix == sys.prefix
    assert replace(told, parent=()).launch().by_uvx is False
    if sys.platform == "linux":
        assert told.parent
