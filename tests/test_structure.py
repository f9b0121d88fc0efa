"""The house rules that can be checked: names that say one thing, files worth opening, paths that exist."""

import ast
import re
from collections import defaultdict
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src"
FILES = {
    ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(SOURCE.rglob("*.py"))
}

SHORT = 60
"""Lines; a module below that with one importer belongs in that importer."""
ALONE = {
    "trips_mcp.__main__": "runs `python -m trips_mcp`",
    "trips_mcp.in_process": "loads httpx, which its importer must not do",
    "trips_mcp.tools.registry": "loads every tool, which the package itself must not do",
    "trips_mcp.tools.trip_reading": "the one place that knows worker threads",
}
"""Short modules with one importer that stay files of their own, each with its reason."""
EXEMPT = re.compile(
    r"\.(resources|migrations|contract)\."  # a resource a file
    r"|\.cli\.\w+$"  # a command a file
    r"|\.doctor\.\w+$"  # a family of findings a file
    r"|\.formats\.\w+$"  # a format a file
)


@cache
def trees() -> dict[str, ast.Module]:
    return {module: ast.parse(path.read_text("utf-8")) for module, path in FILES.items()}


def importers() -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for module, tree in trees().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module:
                for name in (node.module, *(f"{node.module}.{alias.name}" for alias in node.names)):
                    if name in FILES:
                        found[name].add(module)
    return found


def test_short_modules_have_more_than_one_importer() -> None:
    used = importers()
    lonely = [
        module
        for module, path in FILES.items()
        if path.name != "__init__.py"
        and len(path.read_text("utf-8").splitlines()) < SHORT
        and len(used[module]) <= 1
        and not EXEMPT.search(module)
        and module not in ALONE
    ]

    assert lonely == []


def test_the_list_of_exceptions_has_no_dead_entries() -> None:
    assert [module for module in ALONE if module not in FILES] == []


def test_no_two_public_classes_share_a_name() -> None:
    places: dict[str, list[str]] = defaultdict(list)
    for module, tree in trees().items():
        for node in tree.body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(module)

    assert {name: modules for name, modules in places.items() if len(modules) > 1} == {}


def test_every_module_says_what_it_is() -> None:
    silent = [
        module
        for module, tree in trees().items()
        if not ast.get_docstring(tree) and FILES[module].name != "__init__.py"
    ]

    assert silent == []


PATH = re.compile(
    r"`((?:src/|tests/|docs/|scripts/|examples/|benchmarks/)?(?:[\w-]+/)+(?:[\w-]+\.(?:py|md|json|toml))?)`"
)
"""A path in backticks: with a folder in it, and a file of ours or a folder at its end."""


def test_every_path_that_docs_and_docstrings_name_exists() -> None:
    tops = ("", "src/", "src/trips_mcp/", "tests/", "docs/")
    known_tops = {path.name for folder in tops for path in (ROOT / folder).iterdir()}
    pages = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *FILES.values()]
    named = [(page.name, path) for page in pages for path in PATH.findall(page.read_text("utf-8"))]
    ours = [(page, path) for page, path in named if path.split("/")[0] in known_tops]

    assert ours
    assert [(page, path) for page, path in ours if not any((ROOT / top / path).exists() for top in tops)] == []
