"""The Dockerfile and compose.yaml agree with the code, as far as that can be told without Docker."""

import json
import re
from pathlib import Path

import pytest

from trips_mcp.cli.commands import parser
from trips_mcp.server.http.settings import PORT, HttpSettings
from trips_mcp.settings_table import OURS

ROOT = Path(__file__).parent.parent
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
COMPOSE = (ROOT / "compose.yaml").read_text("utf-8")
DEPLOY = (ROOT / "docs/deploy.md").read_text("utf-8")
NGINX = re.findall(r"```nginx\n(.*?)```", DEPLOY, re.DOTALL)


def environment() -> dict[str, str]:
    """What the image sets for itself."""
    return dict(re.findall(r"\b(TRIPS_MCP_\w+)=(\S+)", DOCKERFILE))


def words(instruction: str) -> list[str]:
    """Of the last of these in the Dockerfile, in its JSON form."""
    found: list[str] = re.findall(rf"^{instruction} (\[.*\])$", DOCKERFILE, re.MULTILINE)
    return json.loads(found[-1])


@pytest.mark.parametrize("text", [DOCKERFILE, COMPOSE, DEPLOY], ids=["Dockerfile", "compose.yaml", "deploy.md"])
def test_every_variable_is_a_setting(text: str) -> None:
    named = set(re.findall(r"\bTRIPS_MCP_[A-Z_]*[A-Z]\b", text))

    assert named
    assert named <= set(OURS)


def test_the_image_serves_callers_with_keys_on_every_address() -> None:
    http = HttpSettings.from_env(environment(), {})

    assert (http.transport, http.host, http.port, http.auth) == ("http", "0.0.0.0", PORT, "key")  # noqa: S104


def test_the_ports_are_the_default_one() -> None:
    published: list[tuple[str, str]] = re.findall(r'"127\.0\.0\.1:(\d+):(\d+)"', COMPOSE)

    assert re.findall(r"^EXPOSE (\d+)$", DOCKERFILE, re.MULTILINE) == [str(PORT)]
    assert published == [(str(PORT), str(PORT))]
    assert {int(port) for port in re.findall(r"server [\d.]+:(\d+)\b", NGINX[0])} == {PORT}


def test_the_commands_are_commands() -> None:
    assert words("ENTRYPOINT") == ["trips-mcp"]
    assert parser().parse_args(words("CMD"))
    commands: list[str] = re.findall(r"^    command: (\[.*\])$", COMPOSE, re.MULTILINE)
    assert [json.loads(command) for command in commands] == [["backend", "migrate"]]
    assert parser().parse_args(json.loads(commands[0]))


def test_commands_in_the_guide_are_commands() -> None:
    given = re.findall(r"(?:^ *|`|compose run --rm )trips(?:-mcp)? ((?:serve|backend) [^`#\n]+)", DEPLOY, re.MULTILINE)

    assert len(given) > 5
    for line in given:
        assert parser().parse_args(line.split())


def test_the_health_check_can_be_run_and_knows_the_address() -> None:
    check = re.search(r'^ *CMD \["python", "-c", "(.*)"\]$', DOCKERFILE, re.MULTILINE)

    assert check
    compile(check[1], "HEALTHCHECK", "exec")
    assert "'/healthz'" in check[1]


def test_it_runs_with_as_few_rights_as_can_be() -> None:
    assert re.search(r"^USER [1-9]\d+:[1-9]\d+$", DOCKERFILE, re.MULTILINE)
    for line in ("read_only: true", "- ALL", "- no-new-privileges:true", "- /tmp"):
        assert re.search(rf"^ +{line}$", COMPOSE, re.MULTILINE), line
    assert environment()["TRIPS_MCP_JOURNAL"].startswith("/data/")
    assert re.search(r"^ +- journal:/data$", COMPOSE, re.MULTILINE)


def test_the_servers_python_is_one_that_the_project_supports() -> None:
    images = set(re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE))

    assert images == {"python:3.11-slim"}


def test_nobody_is_given_a_password_by_default() -> None:
    assert re.findall(r"\$\{POSTGRES_PASSWORD(.{2})", COMPOSE) == [":?", ":?"]
    assert not re.search(r"osk_|password=", COMPOSE)


def test_the_server_starts_when_the_tables_are_there() -> None:
    trips = COMPOSE.split("\n  trips:\n")[1].split("\n  migrate:\n")[0]

    assert re.search(r"migrate:\n +condition: service_completed_successfully", trips)


def test_all_that_the_image_is_made_of_gets_into_the_build() -> None:
    ignored = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    copied = re.findall(r"^COPY (?!--from)(.*) \S+$", DOCKERFILE, re.MULTILINE)

    assert {f"!{name}" for line in copied for name in line.split()} == {line for line in ignored if line[:1] == "!"}
