"""Any JSON object in any layout: one member is set or removed, and no other character changes."""

import copy
import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trips_mcp.cli.install.config_file import with_member, without_member

NAMES = st.sampled_from(["mcpServers", "trips", "a", 'q"uo\\te', "é", ""])
TEXT = st.text('a "\\{}[],:\né', max_size=5)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)
THINGS = st.dictionaries(NAMES, VALUES, max_size=3)


def content_of(before: dict[str, Any], servers: dict[str, Any] | None, after: dict[str, Any]) -> dict[str, Any]:
    """Servers among other things, or none."""
    known = {} if servers is None else {"mcpServers": servers}
    return (
        {f"{name} before": before[name] for name in before} | known | {f"{name} after": after[name] for name in after}
    )


CONTENTS = st.builds(content_of, THINGS, st.none() | THINGS, THINGS)
STYLES = st.sampled_from(
    [
        {"indent": 2},
        {"indent": 4},
        {"indent": "\t"},
        {"indent": None},
        {"indent": 0},
        {"separators": (",", ":")},
        {"indent": 3, "ensure_ascii": False},
    ]
)
ENTRY = {"command": "uvx", "args": ["trips-mcp"], "env": {"A": "é"}}
PATH = ("mcpServers", "trips")

patiently = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def text_of(content: dict[str, Any], style: dict[str, Any], line_end: str, around: str) -> str:
    return around + json.dumps(content, **style).replace("\n", line_end) + around


TEXTS = st.builds(text_of, CONTENTS, STYLES, st.sampled_from(["\n", "\r\n"]), st.sampled_from(["", "\n", " "]))


@given(TEXTS)
@patiently
def test_a_member_is_set_in_place_or_at_the_end(text: str) -> None:
    expected = json.loads(text)
    expected.setdefault("mcpServers", {})["trips"] = ENTRY

    after = json.loads(with_member(text, PATH, ENTRY))

    assert after == expected
    assert [*after, *after["mcpServers"]] == [*expected, *expected["mcpServers"]]


@given(TEXTS)
@patiently
def test_a_new_member_is_inserted_and_removed_again(text: str) -> None:
    text = without_member(text, PATH)
    known = "mcpServers" in json.loads(text)

    after = with_member(text, PATH, ENTRY)

    inserted = len(after) - len(text)
    assert any(after[:at] + after[at + inserted :] == text for at in range(len(text) + 1))
    if known and json.loads(text)["mcpServers"]:
        assert without_member(after, PATH) == text


@given(TEXTS)
@patiently
def test_only_the_named_member_is_removed(text: str) -> None:
    expected = copy.deepcopy(json.loads(text))
    expected.get("mcpServers", {}).pop("trips", None)

    assert json.loads(without_member(text, PATH)) == expected


def test_of_duplicate_members_the_last_counts_and_all_are_removed() -> None:
    text = '{"mcpServers": {"trips": 1, "a": 0, "trips": 2}}'

    assert with_member(text, PATH, 3) == '{"mcpServers": {"trips": 1, "a": 0, "trips": 3}}'
    assert without_member(text, PATH) == '{"mcpServers": {"a": 0}}'


def test_a_replaced_member_has_the_layout_of_its_neighbours() -> None:
    lines = '{\n\t"mcpServers": {\n\t\t"trips": {"command": "old"},\n\t\t"a": {}\n\t}\n}'
    line = '{"mcpServers": {"trips": {"command": "old"}, "a": {}}}'

    assert with_member(lines, PATH, {"b": 1}) == lines.replace('{"command": "old"}', '{\n\t\t\t"b": 1\n\t\t}')
    assert with_member(line, PATH, {"b": 1}) == line.replace('{"command": "old"}', '{"b": 1}')
