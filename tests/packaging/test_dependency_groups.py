"""`uv run trips-mcp demo` installs the default group first, so that has what the tests import and no more."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
PLUGINS = {"pytest-timeout", "pytest-xdist"}
"""Loaded by pytest itself, as the options in pyproject.toml ask for them."""
HEAVY = {"pyright", "ruff", "coverage", "import-linter"}


def names(group: str) -> set[str]:
    return {re.split(r"[\[><=]", line)[0] for line in PROJECT["dependency-groups"][group]}


MODULES = {"markdown-it-py": "markdown_it"}
"""Those with another name than their package."""


def test_the_default_group_is_what_the_tests_import() -> None:
    tests = "".join(path.read_text("utf-8") for path in (ROOT / "tests").rglob("*.py"))

    needed = {
        name
        for name in names("dev") - PLUGINS
        if re.search(rf"^\s*(import|from) {MODULES.get(name, name.replace('-', '_'))}\b", tests, re.MULTILINE)
    }

    assert "default-groups" not in PROJECT["tool"]["uv"]
    # SQLAlchemy imports the first two, and a server over HTTP that finds it the last
    assert names("dev") - PLUGINS - needed == {"aiosqlite", "asyncpg", "uvloop"}
    assert names("checks") == HEAVY
    assert names("mutants") == {"mutmut"}


def test_make_and_ci_ask_for_the_rest() -> None:
    assert "\nUV ?= uv run --group checks\n" in (ROOT / "Makefile").read_text("utf-8")
    assert "uv sync --quiet --group checks\n" in (ROOT / ".ci/run").read_text("utf-8")
