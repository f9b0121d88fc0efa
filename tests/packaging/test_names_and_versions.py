"""Every file that names the package, its version or its place says the same."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

import trips_mcp
from trips_mcp.cli.commands import run

ROOT = Path(__file__).parents[2]


def text(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


PROJECT: dict[str, Any] = tomllib.loads(text("pyproject.toml"))["project"]
MANIFEST: dict[str, Any] = json.loads(text("manifest.json"))
SERVER: dict[str, Any] = json.loads(text("server.json"))
LABELS = dict[str, str](re.findall(r'^(?:LABEL|     ) ([\w.]+)="([^"]*)"', text("Dockerfile"), re.MULTILINE))
VERSIONS = {
    "trips_mcp.__version__": trips_mcp.__version__,
    "manifest.json": MANIFEST["version"],
    "server.json": SERVER["version"],
    "server.json, package": SERVER["packages"][0]["version"],
    "Dockerfile": LABELS["org.opencontainers.image.version"],
    "CHANGELOG.md": re.findall(r"^## (\S+)", text("CHANGELOG.md"), re.MULTILINE)[0],
}
PLACES = {
    "pyproject.toml": PROJECT["urls"]["Homepage"],
    "manifest.json": MANIFEST["repository"]["url"].removesuffix(".git"),
    "server.json": SERVER["repository"]["url"],
    "Dockerfile": LABELS["org.opencontainers.image.source"],
}


@pytest.mark.parametrize("where", VERSIONS)
def test_the_version_is_that_of_the_project(where: str) -> None:
    assert VERSIONS[where] == PROJECT["version"]


def test_the_command_tells_its_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run(["--version"])

    assert capsys.readouterr().out == f"trips-mcp {PROJECT['version']}\n"


def test_the_registrys_name_is_the_one_that_the_package_and_the_image_vouch_for() -> None:
    markers = re.findall(r"^<!-- mcp-name: (\S+) -->$", text("README.md"), re.MULTILINE)

    assert markers == [SERVER["name"]]
    assert LABELS["io.modelcontextprotocol.server.name"] == SERVER["name"]


def test_the_package_is_named_the_same() -> None:
    assert [MANIFEST["name"], SERVER["packages"][0]["identifier"], *PROJECT["scripts"]] == [PROJECT["name"]] * 3


@pytest.mark.parametrize("where", PLACES)
def test_the_source_is_where_the_name_says(where: str) -> None:
    owner, _, name = SERVER["name"].removeprefix("io.github.").partition("/")

    assert PLACES[where] == f"https://github.com/{owner}/{name}"


@pytest.mark.parametrize("name", ["manifest.json", "server.json"])
def test_they_describe_it_in_the_same_words(name: str) -> None:
    assert json.loads(text(name))["description"] == MANIFEST["description"]
