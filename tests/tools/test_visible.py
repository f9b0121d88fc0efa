# ruff: noqa: RUF001 - characters that look like others are what this is about
"""What in other people's words is made visible, and what of it people need and is left alone."""

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trips_mcp.tools.answers.visible import visible

SHOWN = {  # of the format characters, as far as this Python knows them, those that draw something or place signs
    *range(0x0600, 0x0606), 0x06DD, 0x070F, *range(0x0890, 0x0892), 0x08E2, 0x110BD, 0x110CD,
    *range(0x13430, 0x13440),
}  # fmt: skip


def tags(letters: str) -> str:
    return "".join(chr(0xE0000 + ord(letter)) for letter in letters)


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("abc\u202egpj.exe", "abc\\u{202E}gpj.exe"),
        ("\u2066hidden\u2069", "\\u{2066}hidden\\u{2069}"),
        ("ig\u200bnore", "ig\\u{200B}nore"),
        ("\ufeffstart", "\\u{FEFF}start"),
        ("word\u2060joiner", "word\\u{2060}joiner"),
        ("bell\x07 escape\x1b[31m", "bell\\u{7} escape\\u{1B}[31m"),
        ("line\r\nline\x85", "line\\u{D}\nline\\u{85}"),
        ("one\u2028two", "one\\u{2028}two"),
        (f"hello{tags('obey')}", "hello\\u{E006F}\\u{E0062}\\u{E0065}\\u{E0079}"),
        (
            f"🏴{tags('obey me now')}\U000e007f",
            "🏴" + "".join(f"\\u{{{ord(c):X}}}" for c in tags("obey me now") + "\U000e007f"),
        ),
        (f"🏴{tags('gbsct')}", "🏴" + "".join(f"\\u{{{ord(c):X}}}" for c in tags("gbsct"))),
        ("a\u200db", "a\\u{200D}b"),
        ("a\u200cb", "a\\u{200C}b"),
        ("می\u200c\u200c\u200dخواهم", "می\\u{200C}\\u{200C}\\u{200D}خواهم"),
        ("x\ufe0f", "x\\u{FE0F}"),
        ("❤\ufe0f\ufe0e\ufe01", "❤\ufe0f\\u{FE0E}\\u{FE01}"),
        ("漢\U000e0100\U000e0101", "漢\U000e0100\\u{E0101}"),
        ("left\u200fright", "left\\u{200F}right"),
        ("שלום\u200f\u200f", "שלום\\u{200F}\\u{200F}"),
        ("soft\u00adhyphen", "soft\\u{AD}hyphen"),
        ("\u3164", "\\u{3164}"),
        ("half \ud83d", "half \\u{D83D}"),
        ("\x00", "\\u{0}"),
    ],
)
def test_what_hides_is_shown_by_its_number(text: str, seen: str) -> None:
    assert visible(text) == seen


@pytest.mark.parametrize(
    "text",
    [
        "Plain words, with \\u{202E} in them and [marks]\n\tand tabs",
        "Zürich, Kraków, Ağrı, Đà Nẵng, e\u0301",
        "👩‍⚕️ 👨‍👩‍👧‍👦 👩🏽‍🚀 🏳️‍🌈 🏴‍☠️ 👁️‍🗨️ ❤️‍🔥 🇯🇵 1️⃣ #️⃣ ©️ ↔️ ☺︎",
        f"🏴{tags('gbeng')}\U000e007f 🏴{tags('ustx')}\U000e007f",
        "می‌خواهم کتاب‌ها ه‍",
        "क्‍ष क्‌ष ശ്രീ ක්‍ෂ র‍্য",
        "שלום!\u200f ABC\u200e مرحبا\u061c",
        "葛\U000e0100城 ︎".replace(" ︎", ""),
        "ᠭᠠᠨ\u180e\u180e".replace("\u180e\u180e", "\u180eᠠ"),
        "한글 \u1100\u1160\u11a8",
        "≩︀ ≩\ufe00",
        "ก่อน ภาษาไทย 日本語 中文 한국어",
    ],
)
def test_what_people_need_to_write_stays(text: str) -> None:
    assert visible(text) == text


def test_no_character_that_shows_nothing_passes_alone() -> None:
    passed = {
        code
        for code in range(sys.maxunicode + 1)
        if unicodedata.category(chr(code)) in ("Cc", "Cf", "Cs", "Zl", "Zp")
        and visible(f"a{chr(code)}b") == f"a{chr(code)}b"
    }

    assert passed == {ord("\n"), ord("\t"), *(code for code in SHOWN if unicodedata.category(chr(code)) == "Cf")}


@given(st.text())
def test_nothing_but_escapes_is_added_and_nothing_left_out(text: str) -> None:
    seen = visible(text)

    rest = seen
    for character in text:
        escape = f"\\u{{{ord(character):X}}}"
        taken = character if rest.startswith(character) else escape
        assert rest.startswith(taken)
        rest = rest[len(taken) :]
    assert rest == ""
