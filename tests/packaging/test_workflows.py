"""The workflows agree with the repository: what they run is there, and is run on what the project supports.

That they are valid is looked at by scripts/workflows.py.
"""

import json
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WORKFLOWS = {path.name: path.read_text("utf-8") for path in (ROOT / ".github/workflows").glob("*.yml")}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
NAMES = pytest.mark.parametrize("name", sorted(WORKFLOWS))


def job(workflow: str, name: str) -> str:
    return re.split(r"^  (?=\w)", WORKFLOWS[workflow].partition(f"\n  {name}:\n")[2], maxsplit=1, flags=re.MULTILINE)[0]


@NAMES
def test_every_action_is_pinned_to_one_release(name: str) -> None:
    used = re.findall(r"uses: (\S+)", WORKFLOWS[name])

    assert used
    assert [action for action in used if not re.fullmatch(r"[\w-]+/[\w-]+@v\d+\.\d+\.\d+", action)] == []


@NAMES
def test_what_is_run_is_there(name: str) -> None:
    run = "\n".join(re.findall(r"run: (.*)", WORKFLOWS[name]))
    files = re.findall(r"(?:scripts|tests|\.ci)/[\w./]+", run)

    assert files
    assert [file for file in files if not (ROOT / file).exists()] == []


@NAMES
def test_a_job_may_do_nothing_that_it_does_not_ask_for(name: str) -> None:
    assert "\npermissions: {}\n" in WORKFLOWS[name]
    assert "secrets." not in WORKFLOWS[name]


def test_the_quick_suite_runs_on_every_system_and_python() -> None:
    quick = job("ci.yml", "quick")
    systems = re.findall(r"os: \[(.*)\]", quick)[0].split(", ")
    pythons: list[str] = json.loads(f"[{re.findall(r'python: .(.*)]', quick)[0]}]")

    assert sorted(system.partition("-")[0] for system in systems) == ["macos", "ubuntu", "windows"]
    assert f">={pythons[0]}" == PROJECT["requires-python"]
    assert pythons == [f"3.{minor}" for minor in range(11, 15)]


def test_the_package_is_published_by_identity_alone_and_after_its_check() -> None:
    package = job("release.yml", "package")

    assert "scripts/release.py --tag" in job("release.yml", "build")
    assert "needs: build\n" in package
    assert "environment: pypi\n" in package
    assert re.findall(r"^      (\S+): write", package, re.MULTILINE) == ["id-token"]
    assert "uv publish --trusted-publishing always" in package


@pytest.mark.parametrize(("name", "needs"), [("bundle", "package"), ("registry", "[package, bundle]")])
def test_what_refers_to_something_comes_after_it(name: str, needs: str) -> None:
    assert re.search(rf"^    needs: {re.escape(needs)}(?: #|$)", job("release.yml", name), re.MULTILINE)
