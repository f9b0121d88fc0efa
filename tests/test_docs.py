"""The documents tell the truth: settings are the real ones. Links, commands and code: tests/docs."""

import re
from pathlib import Path

from trips_mcp.settings_table import NAMES
from trips_mcp.tools.listing import entries

ROOT = Path(__file__).parent.parent
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]
README = (ROOT / "README.md").read_text("utf-8")
SETTINGS = (ROOT / "docs/settings.md").read_text("utf-8")


def test_every_setting_is_documented_and_every_documented_one_exists() -> None:
    pattern = r"\b(?:OSOTO|TRAVELMODE|TRIPS_MCP)_[A-Z][A-Z_]*[A-Z]\b"

    assert set(re.findall(pattern, SETTINGS)) == set(NAMES)
    assert set(re.findall(pattern, README)) <= set(NAMES)


def test_readme_shows_a_clarifying_question_then_the_install_then_why_and_tests_last() -> None:
    [picture] = re.findall(r"!\[(A conversation:[^\]]*)\]\((assets/\S+)\)", README)
    order = [
        README.index(part) for part in (picture[1], "\n## Install", "\n## Why", "\n## Development", "uv run pytest")
    ]

    assert "asks which" in picture[0]
    assert README[: order[0]].count("\n") <= 12
    assert order == sorted(order)
    assert (ROOT / picture[1]).is_file()


def test_every_page_tells_one_number_of_tools() -> None:
    whole = {path: re.findall(r"^(\d+) tools[ :]", path.read_text("utf-8"), re.M) for path in PAGES}

    assert {number for numbers in whole.values() for number in numbers} == {str(len(list(entries())))}
    assert whole[ROOT / "README.md"] != []


def test_no_page_or_source_names_a_package_registrys_host() -> None:
    hosts = re.compile(r"pypi\.org|pythonhosted\.org|registry\.npmjs|deb\.debian\.org")
    ours = [*PAGES, *ROOT.glob("src/**/*.py"), *ROOT.glob("tests/**/*.py"), ROOT / "Makefile", ROOT / ".ci/run"]

    assert [path.name for path in ours if hosts.search(path.read_text("utf-8"))] == []
