"""The Markdown file, as a traveller prints it and as a renderer reads it."""

import pytest
from markdown_it import MarkdownIt

from tests.itinerary.trips import export, flight, leg, pin, plan, todo
from trips_mcp.formats import FORMAT
from trips_mcp.formats.outline import outline_of

RENDERER = MarkdownIt("gfm-like", {"linkify": False})


def test_a_trip_is_told_day_by_day() -> None:
    line = flight("JL44", "LHR 2026-07-19T11:25", "HND 2026-07-20T07:15")
    whole = export(
        "2026-07-19 2026-07-24",
        legs=[leg("Tokyo", "2026-07-20 2026-07-24", "Asia/Tokyo", stay="Park Hotel", flights=[line])],
        plans=[plan("Tea", "2026-07-21", "10:00 11:30"), plan("Fair", "2026-07-22", isAllDay=True)],
        pins=[pin("Onsen", 35.2, 139.0)],
        todos=[todo("Rail pass", "now", completed=True)],
    )

    assert FORMAT["md"].render(outline_of(whole)).splitlines() == [
        "# A trip",
        "",
        "Sunday 2026-07-19 to Friday 2026-07-24",
        "",
        "## Sunday 2026-07-19",
        "",
        "- 11:25 Europe/London - 07:15 Asia/Tokyo (Monday 2026-07-20) **JL44 LHR → HND**",
        "  - From: London Heathrow (LHR), 2026-07-19 11:25 Europe/London",
        "  - To: Tokyo Haneda (HND), 2026-07-20 07:15 Asia/Tokyo",
        "",
        "## Monday 2026-07-20 · Tokyo",
        "",
        "- until Friday 2026-07-24: **Park Hotel**",
        "",
        "## Tuesday 2026-07-21 · Tokyo",
        "",
        "- 10:00-11:30 **Tea**",
        "",
        "## Wednesday 2026-07-22 · Tokyo",
        "",
        "- **Fair**",
        "",
        "## To do",
        "",
        "- [x] Rail pass",
        "",
        "## Places",
        "",
        "- Onsen: 35.20000, 139.00000",
    ]


@pytest.mark.parametrize(
    "text",
    ["**bold** _it_", "<b>x</b>", "[a](http://b)", "# head", "1. one", "- dash", "`code`", "a | b", "~~gone~~", "> q"],
)
def test_other_peoples_text_is_never_markup(text: str) -> None:
    whole = export(plans=[plan("x", "2026-07-21", notes=text) | {"title": text}], todos=[todo(text, "now")])

    tokens = RENDERER.parse(FORMAT["md"].render(outline_of(whole)))

    kinds = {token.type for token in tokens} | {child.type for token in tokens for child in token.children or ()}
    assert not kinds & {"link_open", "html_inline", "html_block", "code_inline", "em_open", "blockquote_open"}
    assert not kinds & {"ordered_list_open", "table_open", "s_open"}
    assert [token.tag for token in tokens if token.type == "heading_open"] == ["h1", "h2", "h2"]
