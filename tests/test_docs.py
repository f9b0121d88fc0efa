"""The documents tell the truth: links lead somewhere, settings and commands are the real ones."""

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]
README = (ROOT / "README.md").read_text("utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_the_pages_lead_somewhere(page: Path) -> None:
    text = page.read_text("utf-8")

    for target, anchor in re.findall(r"\]\(([^)#\s:]*)(?:#([\w-]+))?\)", text):
        linked = page.parent / target if target else page
        assert linked.exists(), target
        if anchor:
            assert re.search(rf"^#+ {re.escape(anchor)}$", linked.read_text("utf-8"), re.MULTILINE), anchor


def test_every_setting_is_documented_and_every_documented_one_exists() -> None:
    source = (ROOT / "src/trips_mcp/settings.py").read_text("utf-8")
    pattern = r"\b(?:OSOTO|TRAVELMODE|TRIPS_MCP)_[A-Z][A-Z_]*[A-Z]\b"

    assert set(re.findall(pattern, README)) == set(re.findall(pattern, source))


def test_json_in_the_readme_is_json() -> None:
    blocks = re.findall(r"```json\n(.*?)```", README, re.DOTALL)

    assert blocks
    for block in blocks:
        assert json.loads(block)["mcpServers"]["trips"]["command"] == "uvx"


def test_no_page_or_source_names_a_package_registrys_host() -> None:
    hosts = re.compile(r"pypi\.org|pythonhosted\.org|registry\.npmjs|deb\.debian\.org")
    ours = [*PAGES, *ROOT.glob("src/**/*.py"), *ROOT.glob("tests/**/*.py"), ROOT / "Makefile", ROOT / ".ci/run"]

    assert [path.name for path in ours if hosts.search(path.read_text("utf-8"))] == []
