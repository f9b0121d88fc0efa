"""The table of all modules in docs/architecture.md: each with the first sentence of its docstring."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

SOURCE = Path(__file__).parent.parent / "src"

_SENTENCE = re.compile(r"(.+?[.!?])(?:\s|$)", re.DOTALL)


def module_table() -> str:
    """One table per folder, in the order of the paths."""
    folders: dict[str, list[Path]] = {}
    for path in sorted((SOURCE / "trips_mcp").rglob("*.py")):
        folders.setdefault(str(path.parent.relative_to(SOURCE / "trips_mcp")), []).append(path)
    return "\n".join(line for folder, paths in sorted(folders.items()) for line in _section(folder, paths))


def _section(folder: str, paths: list[Path]) -> Iterator[str]:
    shown = [(path, sentence) for path in paths if (sentence := first_sentence(path))]
    if not shown:
        return
    yield f"\n### {'trips_mcp' if folder == '.' else folder}/\n"
    yield "| Module | What it is |"
    yield "|---|---|"
    for path, sentence in shown:
        yield f"| `{path.stem}` | {sentence} |"


def first_sentence(path: Path) -> str:
    """On one line, as it can stand in a table. Empty where there is no docstring."""
    docstring = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
    found = _SENTENCE.match(docstring.replace("…", "..."))
    return " ".join((found[1] if found else docstring).split()).replace("|", "\\|")
