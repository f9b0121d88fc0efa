"""server.json is what the MCP Registry takes: its limits, and what it checks beyond its schema."""

import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from trips_mcp.settings import Settings
from trips_mcp.settings_table import NAMES

ROOT = Path(__file__).parents[2]
SERVER: dict[str, Any] = json.loads((ROOT / "server.json").read_text("utf-8"))
[PACKAGE] = SERVER["packages"]

TEXT = {"type": "string", "minLength": 1}
URL = {"type": "string", "pattern": "^https://"}
VERSION = {"type": "string", "pattern": r"^\d+\.\d+\.\d+$", "maxLength": 255}
"""The registry refuses `latest` and ranges."""


def closed(required: dict[str, Any], optional: dict[str, Any] | None = None) -> dict[str, Any]:
    """An object with no other fields: the registry's schema would let a misspelt one pass."""
    return {
        "type": "object",
        "required": list(required),
        "properties": {**required, **(optional or {})},
        "additionalProperties": False,
    }


VARIABLE = closed(
    {"name": {"pattern": "^[A-Z_]+$"}, "description": TEXT, "isRequired": {"type": "boolean"}},
    {
        "isSecret": {"type": "boolean"},
        "format": {"enum": ["string", "number", "boolean", "filepath"]},
        "default": TEXT,
        "placeholder": TEXT,
    },
)
SCHEMA = closed(
    {
        "$schema": {"const": "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json"},
        "name": {"pattern": "^io\\.github\\.[a-zA-Z0-9-]+/[a-zA-Z0-9._-]+$", "minLength": 3, "maxLength": 200},
        "title": {**TEXT, "maxLength": 100},
        "description": {**TEXT, "maxLength": 100},
        "version": VERSION,
        "websiteUrl": URL,
        "repository": closed({"url": URL, "source": {"const": "github"}}),
        "icons": {
            "type": "array",
            "items": closed(
                {
                    "src": {**URL, "maxLength": 255},
                    "mimeType": {"const": "image/png"},
                    "sizes": {"type": "array", "items": {"pattern": r"^\d+x\d+$"}},
                }
            ),
        },
        "packages": {
            "type": "array",
            "minItems": 1,
            "items": closed(
                {
                    "registryType": {"const": "pypi"},
                    "identifier": TEXT,
                    "version": VERSION,
                    "runtimeHint": {"const": "uvx"},
                    "transport": closed({"type": {"const": "stdio"}}),
                    "environmentVariables": {"type": "array", "items": VARIABLE},
                }
            ),
        },
    }
)


def test_it_has_every_field_in_its_limits_and_no_other() -> None:
    errors = Draft202012Validator(SCHEMA).iter_errors(SERVER)  # pyright: ignore[reportUnknownMemberType]

    assert [f"{error.json_path}: {error.message}" for error in errors] == []


def test_its_variables_are_settings_and_none_has_to_be_set() -> None:
    assert {variable["name"] for variable in PACKAGE["environmentVariables"]} <= set(NAMES)
    assert not any(variable["isRequired"] for variable in PACKAGE["environmentVariables"])


def test_its_defaults_and_examples_can_be_set() -> None:
    given = {
        variable["name"]: variable.get("default", variable.get("placeholder", ""))
        for variable in PACKAGE["environmentVariables"]
    }

    assert Settings.from_env(given).toolsets == ("trips", "itinerary", "legs")
    assert not Settings.from_env(given).read_only


def test_keys_are_secret_and_nothing_else_is() -> None:
    secret = {variable["name"] for variable in PACKAGE["environmentVariables"] if variable.get("isSecret")}

    assert secret == {"OSOTO_API_KEY", "TRAVELMODE_TOKEN"}


def test_the_icon_is_the_bundles() -> None:
    [icon] = SERVER["icons"]

    assert re.fullmatch(rf"https://raw\.githubusercontent\.com/[\w-]+/{PACKAGE['identifier']}/main/(.+)", icon["src"])
    assert icon["src"].endswith(f"/{json.loads((ROOT / 'manifest.json').read_text('utf-8'))['icon']}")


def test_the_release_adds_the_bundle_where_it_can_be_had(tmp_path: Path) -> None:
    bundle = tmp_path / "trips-mcp.mcpb"
    bundle.write_bytes(b"packed")

    words = [sys.executable, str(ROOT / "scripts/registry_entry.py"), str(bundle)]
    published = json.loads(subprocess.run(words, capture_output=True, timeout=60, check=True).stdout)

    assert published["packages"][0] == PACKAGE
    assert published["packages"][1] == {
        "registryType": "mcpb",
        "identifier": f"{SERVER['repository']['url']}/releases/download/v{SERVER['version']}/trips-mcp.mcpb",
        "version": SERVER["version"],
        "fileSha256": hashlib.sha256(b"packed").hexdigest(),
        "transport": {"type": "stdio"},
    }
    assert published | {"packages": [PACKAGE]} == SERVER
