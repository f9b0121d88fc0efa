"""The pages as their readers see them: headings and their anchors, links, blocks of code."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from typing_extensions import override

ROOT = Path(__file__).parents[2]
PAGES = sorted((*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/**/*.md")))
NAMES = [str(page.relative_to(ROOT)) for page in PAGES]

_BLOCK = re.compile(r"^([ \t]*)```([^\n]*)\n(.*?)^[ \t]*```[ \t]*$", re.MULTILINE | re.DOTALL)
_HIDDEN = re.compile(r"<!--.*?-->", re.DOTALL)
_CODE = re.compile(r"(`+)(.+?)\1", re.DOTALL)
_LINK = re.compile(
    r"\]\(\s*<?([^)\s>]*)>?(?:\s+\"[^\"]*\")?\s*\)|^\[[^\]]+\]:\s*(\S+)|(?:href|src)=\"([^\"]*)\"", re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class Block:
    page: Path
    language: str
    text: str

    @override
    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}: {self.text[:60]!r}"


def blocks(*languages: str) -> list[Block]:
    """Of every page, those in one of these languages, or all."""
    found = (
        Block(page, language.strip(), text)
        for page in PAGES
        for _, language, text in _BLOCK.findall(page.read_text("utf-8"))
    )
    return [block for block in found if not languages or block.language in languages]


def prose(page: Path) -> str:
    """Without blocks of code and comments."""
    return _HIDDEN.sub("", _BLOCK.sub("", page.read_text("utf-8")))


def spans(page: Path) -> Iterator[str]:
    """What is set as code in a line, as it is shown: a line break in it is a space."""
    for _, text in _CODE.findall(prose(page)):
        yield " ".join(text.split())


def links(page: Path) -> list[str]:
    return ["".join(parts) for parts in _LINK.findall(_CODE.sub("code", prose(page)))]


def anchors(page: Path) -> set[str]:
    """As GitHub makes them of headings: small letters, digits, - and _; the second of a name gets a number."""
    found: dict[str, int] = {}
    named: set[str] = set()
    for heading in re.findall(r"^#{1,6} +(.+?)[ #]*$", prose(page), re.MULTILINE):
        shown = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        slug = re.sub(r"[^\w\- ]", "", shown.lower()).replace(" ", "-")
        named.add(f"{slug}-{found[slug]}" if slug in found else slug)
        found[slug] = found.get(slug, 0) + 1
    return named
