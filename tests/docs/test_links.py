"""Every link leads somewhere: to a file of this repository, to a heading in it, or to a site that we mean to name."""

from pathlib import Path
from urllib.parse import urlsplit

import pytest

from .pages import NAMES, PAGES, ROOT, anchors, links

SITES = {
    "docs.astral.sh",  # how to install uv
    "cursor.com",  # its "Add to Cursor" links
    "vscode.dev",
    "insiders.vscode.dev",  # VS Code's links
    "modelcontextprotocol.io",
    "github.com",
    "keepachangelog.com",
    "semver.org",
}
"""Outside of the repository nothing is asked: a site that is down is not our fault. A new one is added on purpose."""


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_every_link_leads_somewhere(page: Path) -> None:
    dead = [link for link in links(page) if not leads_somewhere(page, link)]

    assert dead == []


def leads_somewhere(page: Path, link: str) -> bool:
    parts = urlsplit(link)
    if parts.scheme:
        return parts.scheme == "https" and parts.hostname in SITES
    linked = page.parent / parts.path if parts.path else page
    if not linked.resolve().is_relative_to(ROOT) or not linked.exists():
        return False
    return not parts.fragment or parts.fragment in anchors(linked)


@pytest.mark.parametrize(
    "link",
    [
        "no-such-page.md",
        "faq.md#no-such-heading",
        "../../outside.md",
        "http://docs.astral.sh/uv",
        "https://example.com",
        "#Quick-start",
    ],
)
def test_a_link_that_leads_nowhere_would_be_found(link: str) -> None:
    assert not leads_somewhere(ROOT / "docs/quick-start.md", link)


def test_headings_get_the_anchors_that_github_gives_them(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# `spawn uvx ENOENT`, it's 401: what?\n## Again\n## Again\n"
        "```sh\n# no heading\n```\n## [a link](x.md) & get_me\n",
        "utf-8",
    )

    assert anchors(page) == {"spawn-uvx-enoent-its-401-what", "again", "again-1", "a-link--get_me"}


def test_the_index_names_every_page() -> None:
    index = ROOT / "docs/README.md"
    pages = {page.name for page in (ROOT / "docs").glob("*.md")} - {index.name}

    assert set(links(index)) == pages
