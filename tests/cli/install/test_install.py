"""`install CLIENT` with a plain JSON file: it adds the entry and changes nothing else."""

import json
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from trips_mcp.cli.install.clients import CLIENTS

if TYPE_CHECKING:
    from .conftest import Desk

URL = "http://127.0.0.1:8848/mcp"
WRITTEN = [name for name, client in CLIENTS.items() if client.writable]
"""The clients whose file we write: all but those that can be told by their own command alone."""

OTHERS = """\
{
    "theme": "dark",
    "$SECTION": {
        "other": {"command": "other", "args": ["-y", "é\\u00e9"], "timeout": 1.50}
    },
    "list": [1,
             2]
}
"""

STARTED = " Started once: it offers 3 tools."

every_written = pytest.mark.parametrize("client", WRITTEN)


def others(client: str) -> str:
    return OTHERS.replace("$SECTION", CLIENTS[client].section)


def server(desk: "Desk", client: str, name: str = "trips") -> dict[str, Any]:
    return desk.read(client)[CLIENTS[client].section][name]


def words(entry: dict[str, Any]) -> list[str]:
    """What starts it, and what that is given."""
    return [*entry["command"]] if "args" not in entry else [entry["command"], *entry["args"]]


def environment(entry: dict[str, Any]) -> dict[str, str]:
    return entry.get("env") or entry.get("environment") or {}


@every_written
def test_a_missing_file_is_created_for_its_owner_only(desk: "Desk", client: str) -> None:
    ended = desk.install(client, OSOTO_API_KEY=desk.key)

    file = desk.file(client)
    assert (ended.code, ended.out) == (0, f"Added trips in {CLIENTS[client].title} ({file}).{STARTED}\n")
    assert "Taken from this environment: OSOTO_API_KEY.\n" in ended.err
    assert desk.key not in ended.out + ended.err
    assert words(server(desk, client))[-1] == "trips-mcp"
    assert environment(server(desk, client)) == {"OSOTO_API_KEY": desk.key}
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@every_written
def test_the_entry_is_the_printed_one_with_the_key(desk: "Desk", client: str) -> None:
    printed = desk.install(client, "--print", "--read-only", OSOTO_API_KEY=desk.key).out
    desk.install(client, "--read-only", OSOTO_API_KEY=desk.key)

    entry = json.loads(printed)[CLIENTS[client].section]["trips"]
    environment(entry)["OSOTO_API_KEY"] = desk.key
    assert server(desk, client) == entry


@every_written
def test_the_rest_of_the_file_stays_exactly_and_a_backup_is_kept(desk: "Desk", client: str) -> None:
    file = desk.put(client, others(client))
    file.chmod(0o640)

    ended = desk.install(client, OSOTO_API_KEY=desk.key)

    before, after = others(client), file.read_text("utf-8")
    backup = Path(f"{file}.before-trips-mcp")
    inserted = len(after) - len(before)
    start = next(at for at in range(len(before)) if before[at] != after[at])
    assert after[:start] + after[start + inserted :] == before
    assert set(desk.read(client)[CLIENTS[client].section]) == {"other", "trips"}
    assert backup.read_text("utf-8") == before
    assert [stat.S_IMODE(path.stat().st_mode) for path in (file, backup)] == [0o640, 0o640]
    assert f"The file as it was before: {backup}.\n" in ended.err
    assert {path.name for path in file.parent.iterdir()} == {file.name, backup.name}


def test_the_entry_has_the_layout_of_the_others(desk: "Desk") -> None:
    file = desk.put("zed", others("zed"))

    desk.install("zed", TRIPS_MCP_LOG="info")

    assert file.read_text("utf-8") == others("zed").replace(
        '"timeout": 1.50}\n',
        f'''"timeout": 1.50}},
        "trips": {{
            "command": "{desk.programs}/uvx",
            "args": [
                "trips-mcp"
            ],
            "env": {{
                "TRIPS_MCP_LOG": "info"
            }}
        }}
''',
    )


@every_written
@pytest.mark.parametrize(
    "content", ["", "  \n", "{}", "{\n}\n", '{"$SECTION": {}}', '{"a": 1}', '{"$SECTION": {"a": {}}}']
)
def test_an_almost_empty_file_is_accepted(desk: "Desk", client: str, content: str) -> None:
    section = CLIENTS[client].section
    content = content.replace("$SECTION", section)
    desk.put(client, content)

    assert desk.install(client).code == 0

    before: dict[str, Any] = json.loads(content) if content.strip() else {}
    servers = {**before.get(section, {}), "trips": server(desk, client)}
    assert desk.read(client) == {**before, section: servers}


@every_written
def test_a_byte_order_mark_line_ends_of_windows_and_the_mode_are_kept(desk: "Desk", client: str) -> None:
    before = b'\xef\xbb\xbf{\r\n\t"a": 1\r\n}\r\n'
    file = desk.put(client, before)
    file.chmod(0o600)

    desk.install(client, OSOTO_API_KEY=desk.key)
    content, mode = file.read_bytes(), stat.S_IMODE(file.stat().st_mode)
    desk.install(client, "--remove")

    head = f'{{\r\n\t"a": 1,\r\n\t"{CLIENTS[client].section}": {{\r\n\t\t"trips": {{\r\n'
    assert content.startswith(b"\xef\xbb\xbf" + head.encode())
    assert content.count(b"\n") == content.count(b"\r\n")
    assert mode == stat.S_IMODE(file.stat().st_mode) == 0o600
    assert desk.read(client) == {"a": 1, CLIENTS[client].section: {}}


@every_written
def test_keys_in_a_file_that_others_may_read_cause_a_warning(desk: "Desk", client: str) -> None:
    file = desk.put(client, "{}")
    file.chmod(0o644)

    with_key = desk.install(client, OSOTO_API_KEY=desk.key)
    file.chmod(0o600)
    for_me_alone = desk.install(client, "--read-only")

    note = f"Note that others on this computer may read {file}, which holds keys now: chmod 600 keeps them out.\n"
    assert note in with_key.err
    assert note not in for_me_alone.err


@every_written
def test_a_second_install_finds_the_entry(desk: "Desk", client: str) -> None:
    desk.install(client, OSOTO_API_KEY=desk.key)
    before = desk.file(client).read_bytes()

    ended = desk.install(client, OSOTO_API_KEY=desk.key)

    assert (ended.code, ended.err) == (0, "")
    assert ended.out == f"{CLIENTS[client].title} already has trips with this entry ({desk.file(client)}).\n"
    assert desk.file(client).read_bytes() == before
    assert not Path(f"{desk.file(client)}.before-trips-mcp").exists()


@every_written
def test_a_changed_install_keeps_keys_and_the_users_additions(desk: "Desk", client: str) -> None:
    desk.put(client, others(client))
    desk.install(client, OSOTO_API_KEY=desk.key)
    section = CLIENTS[client].section
    content = desk.read(client)
    content[section]["trips"]["timeout"] = 90
    desk.put(client, json.dumps(content, indent=2))

    ended = desk.install(client, "--read-only", TRAVELMODE_TOKEN=desk.events_key)

    entry = server(desk, client)
    assert ended.out.startswith("Updated trips in ")
    assert "Kept from before: OSOTO_API_KEY.\n" in ended.err
    assert environment(entry) == {"OSOTO_API_KEY": desk.key, "TRAVELMODE_TOKEN": desk.events_key}
    assert words(entry)[-2:] == ["trips-mcp", "--read-only"]
    assert entry["timeout"] == 90
    assert list(desk.read(client)[section]) == ["other", "trips"]


def test_an_address_replaces_the_whole_command(desk: "Desk") -> None:
    desk.install("cursor", OSOTO_API_KEY=desk.key)

    desk.install("cursor", "--url", URL, OSOTO_API_KEY=desk.key)

    assert server(desk, "cursor") == {"url": URL, "headers": {"Authorization": f"Bearer {desk.key}"}}


@every_written
def test_removal_restores_the_file(desk: "Desk", client: str) -> None:
    desk.put(client, others(client))
    desk.install(client, OSOTO_API_KEY=desk.key)

    ended = desk.install(client, "--remove")

    assert (ended.code, ended.out) == (0, f"Removed trips from {CLIENTS[client].title} ({desk.file(client)}).\n")
    assert desk.file(client).read_text("utf-8") == others(client)
    assert "with any keys that are in it" in ended.err


@every_written
def test_removing_a_missing_entry_is_no_error(desk: "Desk", client: str) -> None:
    ended = desk.install(client, "--remove")

    assert (ended.code, ended.err) == (0, "")
    assert ended.out == f"{CLIENTS[client].title} has no trips ({desk.file(client)}).\n"
    assert desk.files() == set()


def test_a_server_at_an_address_is_removed_by_its_address(desk: "Desk") -> None:
    desk.put("cursor", json.dumps({"mcpServers": {"trips": {"url": URL}}}))

    blind = desk.install("cursor", "--remove")
    named = desk.install("cursor", "--remove", "--url", URL)

    assert blind.code == 2
    assert blind.sentence.endswith("name the one to remove with --name, or with the --url it is at.")
    assert named.code == 0
    assert desk.read("cursor") == {"mcpServers": {}}


def test_a_switch_may_stand_before_the_client(desk: "Desk") -> None:
    desk.install("--read-only", "cursor", "--name", "one")
    desk.install("cursor", "--read-only", "--name", "two")

    assert server(desk, "cursor", "one") == server(desk, "cursor", "two")
    assert words(server(desk, "cursor", "one"))[-1] == "--read-only"


def test_two_servers_can_have_two_names(desk: "Desk") -> None:
    desk.install("cursor")
    desk.install("cursor", "--name", "kyoto", "--trip", "jx7")

    desk.install("cursor", "--remove", "--name", "trips")

    assert list(desk.read("cursor")["mcpServers"]) == ["kyoto"]
    assert words(server(desk, "cursor", "kyoto"))[1:] == ["trips-mcp", "--trip=jx7"]


def test_programs_with_windows_get_the_whole_path_of_uvx_and_the_others_its_name(desk: "Desk") -> None:
    for client in WRITTEN:
        desk.install(client)

    started = {client: words(server(desk, client))[0] for client in WRITTEN}
    names = {client for client, command in started.items() if command == "uvx"}
    assert names == {"gemini-cli", "opencode"}
    assert {started[client] for client in WRITTEN if client not in names} == {str(desk.programs / "uvx")}


@pytest.mark.parametrize("place", [".local/bin/uvx", ".cargo/bin/uvx", "beside/uvx"])
def test_uvx_is_also_found_where_uv_puts_it(desk: "Desk", place: str) -> None:
    (desk.programs / "uvx").unlink()
    uvx = desk.place(desk.home / place, desk.server)

    for client in ("cursor", "opencode"):
        desk.install(client, UV=str(desk.home / "beside/uv"))

    assert words(server(desk, "cursor"))[0] == words(server(desk, "opencode"))[0] == uvx


@pytest.mark.parametrize(
    ("program", "flags", "named"), [("uvx", [], "install uv"), ("npx", ["--url", URL], "install Node.js")]
)
def test_without_a_launcher_nothing_is_installed(desk: "Desk", program: str, flags: list[str], named: str) -> None:
    (desk.programs / program).unlink()

    ended = desk.install("claude-desktop", *flags)

    assert (ended.code, ended.out) == (2, "")
    assert ended.sentence.startswith(f"{program} was not found: {named}")
    assert desk.files() == set()


def test_paths_in_the_settings_become_absolute(desk: "Desk", monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(desk.home)

    desk.install("cursor", TRIPS_MCP_DATABASE="my trips.db", TRIPS_MCP_JOURNAL="~/notes.db")
    desk.install("zed", TRIPS_MCP_DATABASE="sqlite+aiosqlite:///:memory:", TRIPS_MCP_JOURNAL="off")
    desk.install("windsurf", "--files", "bookings", TRIPS_MCP_DATABASE="~nobody-of-this-name/trips.db")

    assert environment(server(desk, "cursor")) == {
        "TRIPS_MCP_DATABASE": str(desk.home / "my trips.db"),
        "TRIPS_MCP_JOURNAL": str(desk.home / "notes.db"),
    }
    assert environment(server(desk, "zed"))["TRIPS_MCP_DATABASE"] == "sqlite+aiosqlite:///:memory:"
    assert environment(server(desk, "zed"))["TRIPS_MCP_JOURNAL"] == "off"
    assert environment(server(desk, "windsurf"))["TRIPS_MCP_DATABASE"] == "~nobody-of-this-name/trips.db"
    assert words(server(desk, "windsurf"))[-1] == f"--files={desk.home / 'bookings'}"


def test_the_source_of_the_package_can_be_named(desk: "Desk", monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(desk.home)
    wheel = desk.home / "trips_mcp-0.1.0-py3-none-any.whl"
    wheel.touch()

    desk.install("cursor", "--from", "trips-mcp==0.1.0")
    desk.install("zed", "--from", f"./{wheel.name}")

    assert words(server(desk, "cursor"))[1:] == ["--from", "trips-mcp==0.1.0", "trips-mcp"]
    assert words(server(desk, "zed"))[1:] == ["--from", str(wheel), "trips-mcp"]


def test_an_unexpanded_reference_is_kept_and_reported(desk: "Desk") -> None:
    ended = desk.install("cursor", OSOTO_API_KEY="${env:OSOTO_API_KEY}")

    assert environment(server(desk, "cursor")) == {"OSOTO_API_KEY": "${env:OSOTO_API_KEY}"}
    assert "OSOTO_API_KEY is a reference such as ${NAME}, which" in ended.err
    assert "No key is set" not in ended.err


def test_opencodes_newer_file_is_the_one_where_it_is_there(desk: "Desk") -> None:
    newer = desk.home / ".config/opencode/opencode.jsonc"
    newer.parent.mkdir(parents=True)
    newer.write_text('{"$schema": "https://opencode.ai/config.json"}', "utf-8")

    desk.install("opencode")
    (desk.home / ".config/opencode/opencode.json").write_text("{}", "utf-8")
    ended = desk.install("opencode", "--remove")

    assert ended.out == f"Removed trips from opencode ({newer}).\n"
    assert json.loads(newer.read_text("utf-8"))["mcp"] == {}
