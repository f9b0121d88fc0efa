"""What a host starts by manifest.json, with its fields filled in or left empty, as the settings understand it."""

import json
import re
import struct
from pathlib import Path
from typing import Any

import pytest

from trips_mcp.settings import Settings
from trips_mcp.settings_table import SETTINGS
from trips_mcp.tools.listing import entries

ROOT = Path(__file__).parents[2]
MANIFEST: dict[str, Any] = json.loads((ROOT / "manifest.json").read_text("utf-8"))
FIELDS: dict[str, dict[str, Any]] = MANIFEST["user_config"]
VARIABLES: dict[str, str] = MANIFEST["server"]["mcp_config"]["env"]


def started(**given: str | bool) -> Settings:
    """By a host that puts the defaults in the place of what was not given, as the bundle format's own code does."""
    filled = {name: field["default"] for name, field in FIELDS.items()} | given
    texts = {name: str(value).lower() if isinstance(value, bool) else value for name, value in filled.items()}
    return Settings.from_env(
        {
            variable: re.sub(r"\$\{user_config\.(\w+)\}", lambda mark: texts[mark[1]], template)
            for variable, template in VARIABLES.items()
        }
    )


def test_left_empty_trips_are_kept_in_the_users_own_file() -> None:
    assert started() == Settings()


def test_the_privacy_statement_that_it_names_is_there() -> None:
    [policy] = MANIFEST["privacy_policies"]
    page, _, section = policy.partition("#")

    assert page == MANIFEST["homepage"]
    assert f"\n## {section.capitalize()}\n" in (ROOT / "README.md").read_text("utf-8")


def test_the_privacy_statement_names_every_file_that_a_setting_places() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    statement = readme.partition("\n## Privacy\n")[2].partition("\n## ")[0].lower()

    kept = [setting.name.removeprefix("TRIPS_MCP_").lower() for setting in SETTINGS if setting.kind == "file"]
    assert len(kept) >= 3
    assert [name for name in kept if name not in statement] == []


def test_every_field_is_used_once_alone_and_none_is_required() -> None:
    assert sorted(VARIABLES.values()) == sorted(f"${{user_config.{name}}}" for name in FIELDS)
    assert not any(field["required"] for field in FIELDS.values())


def test_keys_are_sensitive_and_nothing_else_is() -> None:
    sensitive = {f"${{user_config.{name}}}" for name, field in FIELDS.items() if field.get("sensitive")}

    assert {variable for variable, value in VARIABLES.items() if value in sensitive} == {
        "OSOTO_API_KEY",
        "TRAVELMODE_TOKEN",
    }


def test_filled_in_each_reaches_its_setting(tmp_path: Path) -> None:
    settings = started(
        osoto_api_key="osk_1",
        travelmode_token="t1",  # noqa: S106 - no real one
        database_folder=str(tmp_path),
        read_only=True,
        toolsets="trips, legs",
        osoto_base_url="https://trips.test/api/v1",
        travelmode_base_url="https://events.test",
    )

    assert (settings.trips_key, settings.events_token) == ("osk_1", "t1")
    assert (settings.trips_url, settings.events_url) == ("https://trips.test/api/v1", "https://events.test")
    assert Path(settings.database) == tmp_path / "trips.db"
    assert settings.read_only
    assert settings.toolsets == ("trips", "legs")


def test_a_host_that_leaves_the_placeholders_of_empty_fields_is_understood() -> None:
    """But for the keys: one that was meant to be there must not be taken for none (and says so)."""
    settings = Settings.from_env(VARIABLES)

    assert settings.apis == ()
    assert [notice.partition(" ")[0] for notice in settings.notices] == ["OSOTO_API_KEY", "TRAVELMODE_TOKEN"]
    assert Settings.from_env(VARIABLES | {"OSOTO_API_KEY": "", "TRAVELMODE_TOKEN": ""}) == Settings()
    assert Settings.from_env(VARIABLES | {"OSOTO_API_KEY": "osk_1"}).apis == ("trips",)


def test_the_toolsets_that_can_be_named_are_those_there_are() -> None:
    named = re.search(r"between them: ([^.]+)\.", FIELDS["toolsets"]["description"])

    assert named
    assert named[1].split(", ") == list(dict.fromkeys(entry["toolset"] for entry in entries()))


@pytest.mark.parametrize("prompt", MANIFEST["prompts"], ids=lambda prompt: prompt["name"])
def test_a_prompts_text_has_a_place_for_each_argument(prompt: dict[str, Any]) -> None:
    assert sorted(re.findall(r"\$\{arguments\.(\w+)\}", prompt["text"])) == sorted(prompt["arguments"])


def test_the_pictures_are_there_in_the_size_that_hosts_want() -> None:
    [screenshot] = MANIFEST["screenshots"]

    assert size(ROOT / MANIFEST["icon"]) == (512, 512)
    assert size(ROOT / screenshot)[0] >= 1200
    assert sum((ROOT / name).stat().st_size for name in (MANIFEST["icon"], screenshot)) < 200_000


def size(png: Path) -> tuple[int, int]:
    head = png.read_bytes()[:24]
    assert head.startswith(b"\x89PNG\r\n")
    return struct.unpack(">II", head[16:])
