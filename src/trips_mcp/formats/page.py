"""One self-contained HTML page with map, timeline and list; it asks the network for nothing.

`views/` holds its source. The built page is package data; this module puts the data in.
"""

import json
import re
from collections.abc import Mapping
from functools import cache
from html import escape
from importlib.resources import files
from typing import Any, Final

from trips_mcp.formats.outline import Outline
from trips_mcp.formats.page_data import page_of

_NO_DATA: Final = '<script type="application/json" id="trip">null</script>'
_NO_TITLE: Final = "<title>Trip</title>"
_POLICY: Final = re.compile(r'<meta http-equiv="Content-Security-Policy" content="([^"]*)">\n?')
_UNSAFE: Final = re.compile("[<>&\u2028\u2029\ud800-\udfff]")
"""Characters that end a script, or a line in old readers of scripts, or that UTF-8 cannot hold."""


def render(outline: Outline) -> str:
    return to_html(page_of(outline))


def to_html(page: Mapping[str, Any]) -> str:
    """The page with this data, which is what `page_of` returns."""
    data = json.dumps(page, ensure_ascii=False, separators=(",", ":"))
    data = _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", data)
    title = _UNSAFE.sub(" ", page["trip"]["title"])
    before, middle, after = _parts()
    return f"{before}<title>{escape(title)}</title>{middle}{_NO_DATA.replace('null', data)}{after}"


@cache
def for_chat() -> str:
    """The page without data, for a host with MCP Apps, which has the data and sets the policy for scripts."""
    before, middle, after = _parts()
    return f"{_POLICY.sub('', before)}{_NO_TITLE}{middle}{_NO_DATA}{after}"


@cache
def policy() -> str:
    """The page's Content-Security-Policy, for the header."""
    found = _POLICY.search(_parts()[0])
    return found[1] if found else "default-src 'none'"


@cache
def _parts() -> tuple[str, str, str]:
    """The page around its title and its data."""
    text = files("trips_mcp.formats").joinpath("data/trip.html").read_text("utf-8")
    before, _, rest = text.partition(_NO_TITLE)
    middle, _, after = rest.partition(_NO_DATA)
    return before, middle, after
