"""The documents tell the truth: settings are the real ones. Links, commands and code: tests/docs."""

import re
from pathlib import Path

from trips_mcp.settings_table import NAMES

ROOT = Path(__file__).parent.parent
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]
README = (ROOT / "README.md").read_text("utf-8")
SETTINGS = (ROOT / "docs/settings.md").read_text("utf-8")


def test_every_setting_is_documented_and_every_documented_one_exists() -> None:
    pattern = r"\b(?:OSOTO|TRAVELMODE|TRIPS_MCP)_[A-Z][A-Z_]*[A-Z]\b"

    assert set(re.findall(pattern, SETTINGS)) == set(NAMES)
    assert set(re.findall(pattern, README)) <= set(NAMES)


def test_no_page_or_source_names_a_package_registrys_host() -> None:
    hosts = re.compile(r"pypi\.org|pythonhosted\.org|registry\.npmjs|deb\.debian\.org")
    ours = [*PAGES, *ROOT.glob("src/**/*.py"), *ROOT.glob("tests/**/*.py"), ROOT / "Makefile", ROOT / ".ci/run"]

    assert [path.name for path in ours if hosts.search(path.read_text("utf-8"))] == []
