"""Invalid files: nothing is changed, one sentence and the entry to paste, exit code 2."""

import errno
import json
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from trips_mcp.cli.install import client_cli, config_file
from trips_mcp.cli.install.clients import CLIENTS
from trips_mcp.cli.install.config_file import InstallRefusedError, with_member

if TYPE_CHECKING:
    from .conftest import Desk

PROGRAMS = {"claude-code": "claude", "gemini-cli": "gemini", "codex": "codex", "vscode": "code"}
COMMENTED = '{\n  // mine\n  "theme": "dark", /* too */\n  "url": "http://x/*y*/", // "{"\n  "a": [1, 2,],\n}\n'
IN_JSON = [name for name in CLIENTS if name != "codex"]

every_client = pytest.mark.parametrize("client", CLIENTS)


def broken(desk: "Desk", client: str) -> str:
    toml = "[mcp_servers\n"
    desk.put(client, toml if client == "codex" else f'{{\n  "{CLIENTS[client].section}": {{,\n}}\n')
    return "is broken TOML" if client == "codex" else "is broken JSON at line 2"


def no_text(desk: "Desk", client: str) -> str:
    desk.put(client, b'{"a": "\xff"}')
    return "is not UTF-8 text"


def read_only(desk: "Desk", client: str) -> str:
    desk.put(client, "" if client == "codex" else "{}").chmod(0o444)
    return "is read-only"


def link(desk: "Desk", client: str) -> str:
    file, target = desk.file(client), desk.home / "dotfiles"
    target.write_text("" if client == "codex" else "{}", "utf-8")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.symlink_to(target)
    return "is a link"


def link_to_nothing(desk: "Desk", client: str) -> str:
    file = desk.file(client)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.symlink_to(desk.home / "nothing")
    return "is a link"


def second_name(desk: "Desk", client: str) -> str:
    (desk.home / "dotfiles").hardlink_to(desk.put(client, "" if client == "codex" else "{}"))
    return "is a link"


def folder(desk: "Desk", client: str) -> str:
    desk.file(client).mkdir(parents=True)
    return "is not a file"


def other_server(desk: "Desk", client: str) -> str:
    section = CLIENTS[client].section
    toml = f'[{section}.trips]\ncommand = "other"\nargs = ["my-trips-mcp-proxy"]\n'
    entry = {"command": "other", "args": ["my-trips-mcp-proxy"]}
    desk.put(client, toml if client == "codex" else json.dumps({section: {"trips": entry}}))
    return "has another server called trips"


def other_thing(desk: "Desk", client: str) -> str:
    section = CLIENTS[client].section
    desk.put(client, f'{section} = "none"' if client == "codex" else json.dumps({section: ["none"]}))
    return f"{section} in {desk.file(client)} is not an object"


def no_object(desk: "Desk", client: str) -> str:
    desk.put(client, "trips" if client == "codex" else '["trips"]')
    return "is broken TOML" if client == "codex" else "is not a JSON object"


def read_only_folder(desk: "Desk", client: str) -> str:
    folder = desk.put(client, "" if client == "codex" else "{}").parent
    folder.chmod(0o555)
    return f"the folder {folder} is read-only"


def read_only_folder_above(desk: "Desk", client: str) -> str:
    desk.home.chmod(0o555)
    return f"the folder {desk.home} is read-only"


FAULTS: list[Callable[["Desk", str], str]] = [
    broken,
    no_text,
    read_only,
    link,
    link_to_nothing,
    second_name,
    folder,
    other_server,
    other_thing,
    no_object,
    read_only_folder,
    read_only_folder_above,
]
every_fault = pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)


def state(desk: "Desk") -> dict[str, object]:
    """Of everything in the home: what it is, and what is in it."""
    return {
        name: (path.lstat().st_mode, path.is_symlink() and path.readlink(), path.is_file() and path.read_bytes())
        for name, path in ((name, desk.home / name) for name in desk.files())
    }


@every_client
@every_fault
def test_nothing_is_changed_and_the_entry_is_there_to_paste(
    desk: "Desk", client: str, fault: Callable[["Desk", str], str]
) -> None:
    if client in PROGRAMS:
        desk.program(PROGRAMS[client])
    said = fault(desk, client)
    before = state(desk)

    ended = desk.install(client, OSOTO_API_KEY=desk.key)

    assert ended.code == 2
    assert said in ended.sentence
    assert str(desk.file(client)) in ended.sentence
    assert ", so nothing was changed; " in ended.sentence
    assert ended.out == desk.install(client, "--print", OSOTO_API_KEY=desk.key).out
    assert desk.key not in ended.out + ended.err
    assert state(desk) == before


@every_client
@every_fault
def test_nothing_is_removed_either(desk: "Desk", client: str, fault: Callable[["Desk", str], str]) -> None:
    if client in PROGRAMS:
        desk.program(PROGRAMS[client])
    said = fault(desk, client)
    before = state(desk)

    ended = desk.install(client, "--remove")

    assert (ended.code, ended.out) == (2, "")
    assert said in ended.sentence
    assert ", so nothing was changed; " in ended.sentence
    assert state(desk) == before


@every_client
def test_a_file_too_large_to_be_a_configuration_is_not_even_read(
    desk: "Desk", client: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(config_file, "_LARGEST", 20)
    desk.put(client, "# " * 11 if client == "codex" else json.dumps({"theme": "as dark as can be"}))
    before = state(desk)

    ended = desk.install(client, OSOTO_API_KEY=desk.key)

    assert ended.code == 2
    assert ended.sentence.startswith(f"{desk.file(client)} is larger than any configuration, so nothing was changed; ")
    assert ended.out == desk.install(client, "--print", OSOTO_API_KEY=desk.key).out
    assert state(desk) == before


@every_client
def test_without_a_home_there_is_no_place_for_it(desk: "Desk", client: str) -> None:
    nameless = desk.install(client, HOME="")
    missing = desk.install(client, HOME=str(desk.home / "ada"))

    assert (nameless.code, nameless.out) == (missing.code, missing.out) == (2, "")
    assert nameless.sentence == "your home folder cannot be found; set HOME to it."
    assert missing.sentence == f"your home folder {desk.home / 'ada'} does not exist; set HOME to one that does."
    assert desk.files() == set()


@pytest.mark.parametrize("client", [name for name in CLIENTS if CLIENTS[name].writable])
@pytest.mark.parametrize("words", [[], ["--remove"]], ids=["add", "remove"])
def test_a_full_disk_changes_nothing_and_leaves_nothing_behind(
    desk: "Desk", client: str, words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = {"trips": {"command": "uvx", "args": ["trips-mcp"]}} if words else {}
    desk.put(client, json.dumps({CLIENTS[client].section: ours}))
    before = state(desk)

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    ended = desk.install(client, *words, OSOTO_API_KEY=desk.key)

    assert ended.code == 2
    assert f"{desk.file(client)} cannot be written (no space left on device), so nothing was" in ended.sentence
    assert state(desk) == before


def test_one_of_two_concurrent_installs_is_refused_and_nothing_is_lost(desk: "Desk") -> None:
    file = desk.put("cursor", '{"theme": "dark"}')
    both_have_looked = threading.Barrier(2)
    refused: list[str] = []

    def put(name: str) -> None:
        seen = config_file.look(file)
        both_have_looked.wait(10)
        try:
            config_file.replace(seen, with_member(seen.text, ("mcpServers", name), {"command": name}))
        except InstallRefusedError as error:
            refused.append(str(error))

    writers = [threading.Thread(target=put, args=(name,)) for name in ("one", "other")]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(10)

    assert refused == [f"{file} was changed meanwhile"]
    assert len(desk.read("cursor")["mcpServers"]) == 1
    assert Path(f"{file}.before-trips-mcp").read_text("utf-8") == '{"theme": "dark"}'
    assert len(list(file.parent.iterdir())) == 2


@pytest.mark.parametrize("client", PROGRAMS)
def test_a_clients_own_command_that_hangs_is_ended(desk: "Desk", client: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_cli, "_SECONDS", 0.1)
    desk.place(desk.programs / PROGRAMS[client], "#!/bin/sh\nexec /bin/sleep 60\n")

    ended = desk.install(client, OSOTO_API_KEY=desk.key)

    assert ended.code == 2
    assert "did not end within 0.1 seconds, so it may be there or not; " in ended.sentence
    assert ended.out == desk.install(client, "--print", OSOTO_API_KEY=desk.key).out
    assert desk.key not in ended.out + ended.err
    assert desk.files() == set()


@pytest.mark.parametrize("client", PROGRAMS)
def test_a_clients_own_command_that_cannot_be_run_is_one_sentence(desk: "Desk", client: str) -> None:
    desk.place(desk.programs / PROGRAMS[client], "#!/nowhere/at/all\n")

    ended = desk.install(client, OSOTO_API_KEY=desk.key)

    assert ended.code == 2
    assert " cannot be run, so nothing was changed; " in ended.sentence
    assert ended.out == desk.install(client, "--print", OSOTO_API_KEY=desk.key).out
    assert desk.files() == set()


@pytest.mark.parametrize("client", [name for name in IN_JSON if CLIENTS[name].writable])
@pytest.mark.parametrize("words", [[], ["--remove"]], ids=["add", "remove"])
def test_a_file_with_comments_is_not_rewritten(desk: "Desk", client: str, words: list[str]) -> None:
    ours = f'"{CLIENTS[client].section}": {{"trips": {{"command": "uvx", "args": ["trips-mcp"]}}}},'
    desk.put(client, COMMENTED.replace('"a"', f'{ours} "a"') if words else COMMENTED)
    before = state(desk)

    ended = desk.install(client, *words)

    assert ended.code == 2
    assert ended.sentence.startswith(f"{desk.file(client)} has comments or trailing commas, which a rewrite might lose")
    assert ended.out == ("" if words else desk.install(client, "--print").out)
    assert state(desk) == before


@pytest.mark.parametrize("client", ["gemini-cli", "vscode"])
def test_comments_are_no_matter_to_a_clients_own_command(desk: "Desk", client: str) -> None:
    desk.put(client, COMMENTED)
    desk.program(PROGRAMS[client])

    ended = desk.install(client)

    assert ended.code == 0
    assert len(desk.told(PROGRAMS[client])) == 1


@pytest.mark.parametrize("content", ["[]", "null", '"text"', "[" * 100_000, '{"a": 1' + "0" * 5000 + "}"])
def test_json_that_is_not_a_configuration_is_refused(desk: "Desk", content: str) -> None:
    file = desk.put("cursor", content)

    ended = desk.install("cursor")

    assert ended.code == 2
    assert ended.sentence.startswith((f"{file} is not a JSON object, so", f"{file} is broken JSON"))
    assert file.read_text("utf-8") == content


@pytest.mark.parametrize("client", ["claude-code", "codex"])
@pytest.mark.parametrize("words", [[], ["--remove"]], ids=["add", "remove"])
def test_a_client_that_is_told_by_its_own_command_alone_must_be_there(
    desk: "Desk", client: str, words: list[str]
) -> None:
    desk.put(
        client,
        '[mcp_servers.trips]\ncommand = "trips-mcp"\nargs = []\n'
        if client == "codex"
        else '{"mcpServers": {"trips": {"command": "trips-mcp", "args": []}}}',
    )
    before = state(desk)

    ended = desk.install(client, *words)

    assert ended.code == 2
    assert ended.sentence.startswith(f"`{PROGRAMS[client]}` was not found on the PATH, so nothing was changed; ")
    assert state(desk) == before


def test_where_no_file_can_be_made_nothing_is_left_behind(desk: "Desk") -> None:
    (desk.home / ".cursor").write_text("not a folder", "utf-8")

    ended = desk.install("cursor")

    assert ended.code == 2
    assert "cannot be written (" in ended.sentence
    assert desk.files() == {".cursor"}


def test_an_unreadable_path_is_one_sentence(desk: "Desk") -> None:
    ended = desk.install("codex", CODEX_HOME="/" + "x" * 5000)

    assert ended.code == 2
    assert "cannot be read (file name too long), so nothing was changed; " in ended.sentence


def test_a_file_that_its_client_has_just_written_is_not_written_over(desk: "Desk") -> None:
    file = desk.put("cursor", "{}")
    seen = config_file.look(file)
    file.write_text('{"a": 1}', "utf-8")

    with pytest.raises(InstallRefusedError, match="was changed meanwhile"):
        config_file.replace(seen, '{"mcpServers": {}}')

    assert file.read_text("utf-8") == '{"a": 1}'
    assert [path.name for path in file.parent.iterdir()] == ["mcp.json"]


def test_a_backup_that_cannot_be_made_stops_it(desk: "Desk") -> None:
    file = desk.put("cursor", "{}")
    (Path(f"{file}.before-trips-mcp") / "full").mkdir(parents=True)
    before = state(desk)

    ended = desk.install("cursor")

    assert ended.code == 2
    assert "cannot be written (" in ended.sentence
    assert state(desk) == before


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"OSOTO_BASE_URL": "https://trips.example/api/v1"}, "OSOTO_BASE_URL is set without OSOTO_API_KEY"),
        ({"OSOTO_API_KEY": "two words"}, "OSOTO_API_KEY holds characters that no key has"),
        ({"TRIPS_MCP_LOG": "loud"}, "TRIPS_MCP_LOG must be one of"),
    ],
)
@pytest.mark.parametrize("words", [[], ["--print"]], ids=["add", "print"])
def test_settings_with_which_no_server_would_start_are_not_written_down(
    desk: "Desk", environment: dict[str, str], said: str, words: list[str]
) -> None:
    ended = desk.install("cursor", *words, **environment)

    assert (ended.code, ended.out) == (2, "")
    assert ended.sentence.startswith(said)
    assert desk.files() == set()


@pytest.mark.parametrize(
    "words",
    [
        "",
        "emacs",
        "cursor zed",
        "cursor --print --remove",
        "cursor --name=",
        "cursor --name=-x",
        "cursor --name=a/b",
        "cursor --url=ftp://trips.example/mcp",
        "cursor --url=http://",
        "cursor --url=http://[::1/mcp",
        "cursor --url=http://h:port/mcp",
        "cursor --url=http://ada:secret@trips.example/mcp",
        "cursor --url=http://trips.example/$HOME",
        "cursor --url=http://trips.exämple/",
        "cursor --read-onl",
    ],
)
def test_contradicting_words_are_a_usage_error(desk: "Desk", words: str) -> None:
    ended = desk.install(*words.split())

    assert (ended.code, ended.out) == (2, "")
    assert ended.sentence.endswith("See `trips-mcp install --help`.")
    assert desk.files() == set()


@pytest.mark.parametrize("flag", ["--read-only", "--from=trips-mcp==0.1.0"])
def test_what_is_offered_at_an_address_is_not_chosen_here(desk: "Desk", flag: str) -> None:
    ended = desk.install("cursor", "--url", "http://127.0.0.1:8848/mcp", flag)

    assert ended.code == 2
    assert ended.sentence == (
        "what is offered at --url is settled where that server is started; leave the other flags out."
    )


@pytest.mark.parametrize("flag", ["--trip=a/b", "--read-only=perhaps", "--tools=no_such_tool", "--toolsets=,"])
def test_flags_with_which_no_server_would_start_are_not_written_down(desk: "Desk", flag: str) -> None:
    ended = desk.install("cursor", flag)

    assert (ended.code, ended.out) == (2, "")
    assert flag.partition("=")[0] in ended.sentence
    assert desk.files() == set()
