"""Every command in the pages is one: our own go through the real parser, calls name tools and arguments that exist."""

import re
import shlex
from collections.abc import Iterator
from typing import Any

import pytest

from trips_mcp.cli.commands import COMMANDS, parser
from trips_mcp.cli.serve import SERVE
from trips_mcp.settings_table import NAMES as SETTINGS
from trips_mcp.tools.listing import entries

from .pages import PAGES, ROOT, blocks, spans

PLACEHOLDER = re.compile(r"…|\[|<|\b(CLIENT|TOOL|KEY|VALUE|SCOPE)\b")
PROGRAM = re.compile(r"trips-mcp(@\S+)?")
NAMES = {command.words for command in COMMANDS}
"""In the text a command may be called by its name alone, whatever it takes."""
TOOL: dict[str, Any] = {entry["listing"]["name"]: entry["listing"] for entry in entries()}


def commands(line: str) -> Iterator[list[str]]:
    """The words of each command in a line of shell."""
    words = shlex.shlex(line, posix=True, punctuation_chars=";&|()")
    words.whitespace_split = True
    words.commenters = "#"
    command: list[str] = []
    for word in words:
        if set(word) <= set(";&|()"):
            yield command
            command = []
        else:
            command.append(word)
    yield command


def ours(command: list[str]) -> list[str] | None:
    """What is given to trips-mcp in it, if it is there; None of a `docker build -t trips-mcp`."""
    if command[:2] == ["docker", "build"]:
        return None
    if command[:3] == ["docker", "compose", "run"] and "trips" in command:
        return command[command.index("trips") + 1 :]
    found = [place for place, word in enumerate(command) if PROGRAM.fullmatch(word)]
    return command[found[0] + 1 :] if found else None


def shell_lines() -> list[str]:
    return [
        line
        for block in blocks("sh", "bash", "shell", "console")
        for line in block.text.replace("\\\n", " ").splitlines()
    ]


def shown() -> list[str]:
    """Lines of shell, and commands within the text."""
    inline = {span for page in PAGES for span in spans(page) if re.match(r"(uvx )?trips-mcp ", span)}
    return sorted({line for line in (*shell_lines(), *inline) if "trips-mcp" in line and not PLACEHOLDER.search(line)})


@pytest.mark.parametrize("line", shown())
def test_it_is_a_command_with_flags_that_exist(line: str) -> None:
    for command in commands(line):
        words = ours(command)
        if words and " ".join(words) not in NAMES:
            check(words)


def check(words: list[str]) -> None:
    try:
        if words[0].startswith("-") and words[0] not in ("--version", "--help"):
            parsed = parser().parse_args(["serve", *words])
            assert parsed.run == SERVE.run
        else:
            parsed = parser().parse_args(words)
    except SystemExit as ended:
        assert ended.code == 0, words  # noqa: PT017 - argparse leaves by it, after --version too
        return
    if words[0] == "call":
        check_call(*parsed.words)


def check_call(tool: str, *pairs: str) -> None:
    known = TOOL[tool]["inputSchema"]
    given = {pair.partition("=")[0] for pair in pairs}

    assert given <= set(known["properties"])
    assert set(known.get("required", ())) <= given


@pytest.mark.parametrize(
    "words", [["dance"], ["install", "notepad"], ["--read-mostly"], ["demo", "--fast"]], ids=" ".join
)
def test_what_is_no_command_would_be_found(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(AssertionError):
        check(words)

    assert capsys.readouterr().err.startswith("trips-mcp: ")


def test_the_variables_that_are_set_are_settings() -> None:
    named = {name for line in shell_lines() for name in re.findall(r"\b((?:TRIPS_MCP|OSOTO|TRAVELMODE)_\w+)=", line)}

    assert named
    assert named - {*SETTINGS, "POSTGRESQL_TEST_URL"} == set()


def test_what_is_made_has_a_recipe() -> None:
    recipes = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    named = {command[1] for line in shell_lines() for command in commands(line) if command[:1] == ["make"]}
    named |= {span.split()[1] for page in PAGES for span in spans(page) if re.fullmatch(r"make [a-z-]+", span)}

    assert named
    assert named - recipes == set()
