"""A setting is one row: every place that knows settings has it from there."""

import json
import re
from collections.abc import Callable
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

import pytest

from trips_mcp.cli.commands import run
from trips_mcp.cli.doctor.settings import settings_found
from trips_mcp.cli.install.machine import Machine
from trips_mcp.cli.install.target import taken_along
from trips_mcp.server.http.settings import HttpSettings
from trips_mcp.settings import Settings, SettingsError
from trips_mcp.settings_table import EVENTS_URL, SETTINGS, TRANSPORT, TRIPS_URL, Setting

ROOT = Path(__file__).parent.parent
by_name = pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)


def default_of(setting: Setting[object]) -> object:
    [field] = [one for one in fields(HttpSettings if setting.http else Settings) if one.name == setting.field]
    return field.default if field.default_factory is MISSING else field.default_factory()


@by_name
def test_its_value_has_a_field_whose_default_the_row_tells(setting: Setting[object]) -> None:
    default = default_of(setting)

    if setting is TRANSPORT:
        assert default == "http"  # the settings of a server that is not on stdio
    elif setting.default:
        assert setting.parse(setting.name, setting.default) == (default or False)
    else:
        assert not default


@by_name
def test_each_is_read_from_its_variable_and_from_its_flag(setting: Setting[object]) -> None:
    texts = {
        "OSOTO_BASE_URL": TRIPS_URL,
        "TRAVELMODE_BASE_URL": EVENTS_URL,
        "TRIPS_MCP_SCOPES": "trips:read",
        "TRIPS_MCP_EVENT_TRIPS": "jx7=42",
        "TRIPS_MCP_TRANSPORT": "sse",
        "TRIPS_MCP_TRUSTED_PROXY": "10.0.0.5",
        "TRIPS_MCP_ALLOWED_ORIGIN": "https://app.example.com",
        "TRIPS_MCP_AUTH": "key",
        "TRIPS_MCP_LOG": "debug",
    }
    text = texts.get(setting.name) or ("7" if setting.http else "on")
    read: Callable[..., Any] = HttpSettings.from_env if setting.http else Settings.from_env
    keys = {"OSOTO_API_KEY": "k", "TRAVELMODE_TOKEN": "k"}

    ways: list[tuple[dict[str, str], dict[str, str]]] = [({**keys, setting.name: text}, {})]
    if setting.group:
        ways.append((keys, {setting.flag: text}))

    for env, flags in ways:
        value = getattr(read(env, flags), setting.field)
        if setting.field == "trusted_proxies":
            assert "10.0.0.5" in value
        else:
            assert value == setting.parse(setting.name, text)


@by_name
@pytest.mark.parametrize("command", [("serve", {"start", "offer", "http"}), ("doctor", {"start", "offer", "http"})])
def test_a_server_and_the_doctor_have_its_flag(
    setting: Setting[object], command: tuple[str, set[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    shown = help_of(command[0], capsys)

    assert (f"  {setting.flag} " in shown) == (setting.group in command[1])


@by_name
@pytest.mark.parametrize("command", ["tools", "install", "call"])
def test_commands_about_tools_have_the_flags_that_choose_them(
    setting: Setting[object], command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (f"  {setting.flag} " in help_of(command, capsys)) == (setting.group == "offer")


def help_of(command: str, capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit):
        run([command, "--help"])
    return capsys.readouterr().out


@by_name
def test_the_doctor_reports_it_and_what_it_shows_holds_no_secret(setting: Setting[object]) -> None:
    secret = "osk_hunter2hunter2hunter2"  # noqa: S105 - no real one
    text = f"https://kim:{secret}@trips.test" if setting.kind in ("url", "database") else secret

    unset = {found.name: found for found in settings_found({}, {}, None)}
    [found] = [found for found in settings_found({setting.name: text}, {}, None) if found.name == setting.name]

    assert (setting.name in unset) == (not setting.http or setting is TRANSPORT)
    assert found.source == "variable"
    assert found.value
    assert secret not in found.value
    if setting.group:
        [flag] = [found for found in settings_found({}, {setting.flag: "x"}, None) if found.name == setting.flag]
        assert (flag.value, flag.source) == ("x", "flag")


@by_name
def test_the_page_and_the_bundle_have_it(setting: Setting[object]) -> None:
    page = (ROOT / "docs/settings.md").read_text("utf-8")
    manifest = json.loads((ROOT / "manifest.json").read_text("utf-8"))
    variables: dict[str, str] = manifest["server"]["mcp_config"]["env"]

    [row] = re.findall(rf"^\| `{setting.name}` \| (.*) \|$", page, re.MULTILINE)
    assert setting.doc in row
    assert row.startswith(f"`{setting.flag}`: ") == bool(setting.group)
    assert (setting.name in variables) == (setting.bundle is not None)


@by_name
def test_an_entry_of_a_client_takes_it_along_with_paths_made_absolute(setting: Setting[object]) -> None:
    taken = taken_along(Machine("linux", Path.cwd(), {setting.name: "notes"}))

    assert taken == {setting.name: str(Path("notes").absolute()) if setting.kind in ("database", "file") else "notes"}


def test_a_name_without_a_row_is_refused() -> None:
    with pytest.raises(SettingsError, match="TRIPS_MCP_PORTS is not a setting; rename it to TRIPS_MCP_PORT, "):
        Settings.from_env({"TRIPS_MCP_PORTS": "1"})
