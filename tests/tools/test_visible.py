# ruff: noqa: RUF001 - characters that look like others are what this is about
"""Invisible characters in other people's words are shown, except those that people need."""

import re
import sys
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trips_mcp.contract import unicode_tables
from trips_mcp.contract.fields import characters
from trips_mcp.tools.untrusted_text import visible


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
        ("\u3000\ufe00漢\ufe05", "\u3000\\u{FE00}漢\\u{FE05}"),
        ("left\u200fright", "left\\u{200F}right"),
        ("שלום\u200f\u200f", "שלום\\u{200F}\\u{200F}"),
        ("soft\u00adhyphen", "soft\\u{AD}hyphen"),
        ("\u3164", "\\u{3164}"),
        ("half \ud83d", "half \\u{D83D}"),
        ("\x00", "\\u{0}"),
        ("\u0600a", "\\u{600}a"),
        ("braille\u2800blank", "braille\\u{2800}blank"),
        ("\ufffc", "\\u{FFFC}"),
        ("\U00013430", "\\u{13430}"),
        ("\ufdd0 \U0010ffff", "\\u{FDD0} \\u{10FFFF}"),
        ("em\u2003quad", "em\\u{2003}quad"),
        ("020\ufe0f7", "020\\u{FE0F}7"),
        ("0\ufe00", "0\\u{FE00}"),
        ("\ufe0f\u20e3", "\\u{FE0F}\u20e3"),
        ("😀\ufe0f", "😀\\u{FE0F}"),
        ("🐶\u200d🐱", "🐶\\u{200D}🐱"),
        ("👩\u200d👩\u200d👧\u200d🐶", "👩\u200d👩\u200d👧\\u{200D}🐶"),
        (f"🏴{tags('ustx')}\U000e007f", "🏴" + "".join(f"\\u{{{ord(c):X}}}" for c in tags("ustx") + "\U000e007f")),
        ("葛\U000e0100城", "葛\\u{E0100}城"),
        ("ن\u200dن", "ن\\u{200D}ن"),
        ("د\u200dد", "د\\u{200D}د"),
        ("د\u200cا", "د\\u{200C}ا"),
        ("של\u200fום של\u200eום", "של\\u{200F}ום של\\u{200E}ום"),
        ("שלום \u200fעולם", "שלום \\u{200F}עולם"),
        ("\u200fשלום", "\\u{200F}שלום"),
        ("\u115f\u1161", "\\u{115F}\u1161"),
    ],
)
def test_invisible_characters_are_shown_as_code_points(text: str, seen: str) -> None:
    assert visible(text) == seen


@pytest.mark.parametrize(
    "text",
    [
        "Plain words, with \\u{202E} in them and [marks]\n\tand tabs",
        "Zürich, Kraków, Ağrı, Đà Nẵng, e\u0301",
        "👩‍⚕️ 👨‍👩‍👧‍👦 👩🏽‍🚀 🏳️‍🌈 🏴‍☠️ 👁️‍🗨️ ❤️‍🔥 🇯🇵 1️⃣ #️⃣ ©️ ↔️ ☺︎",
        "🐦‍🔥 🍋‍🟩 🧑‍🧑‍🧒 🏃🏽‍♀️‍➡️",
        f"🏴{tags('gbeng')}\U000e007f 🏴{tags('gbsct')}\U000e007f 🏴{tags('gbwls')}\U000e007f",
        "می‌خواهم کتاب‌ها ه‍",
        "क्‍ष क्‌ष ശ്രീ ක්‍ෂ র‍্য",
        "שלום!\u200f ABC\u200e مرحبا",
        "ספר C++\u200e טוב",
        "\u200fABC שלום",
        "שלום\n\u200eשלום ABC",
        "آیه \u06dd\u0661",
        "直\ufe00 欄\ufe00",
        "ᠭᠠᠨ\u180e\u180e".replace("\u180e\u180e", "\u180eᠠ"),
        "한글 \u1100\u1160\u11a8",
        "≩︀ ≩\ufe00",
        "ก่อน ภาษาไทย 日本語 中文 한국어",
    ],
)
def test_characters_that_people_need_stay(text: str) -> None:
    assert visible(text) == text


def test_no_invisible_character_passes_alone() -> None:
    passed = {
        code
        for code in range(sys.maxunicode + 1)
        if (unicodedata.category(chr(code)) in ("Cc", "Cf", "Cs", "Zl", "Zp") or is_noncharacter(code))
        and visible(f"a{chr(code)}b") == f"a{chr(code)}b"
    }

    assert passed == {ord("\n"), ord("\t")}


def is_noncharacter(code: int) -> bool:
    return code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF


SELECTORS = [*map(chr, range(0xFE00, 0xFE10)), *map(chr, range(0xE0100, 0xE01F0))]
CARRIERS = {
    "selectors behind ideographs": ("東京駅", SELECTORS),
    "selectors behind ideographic spaces": ("\u3000", SELECTORS),
    "selectors behind letters and digits": ("Kyoto 2027", SELECTORS),
    "selectors behind faces": ("😀🥰", SELECTORS),
    "tags": ("🏴", list(map(chr, range(0xE0000, 0xE0080)))),
    "joiners in Arabic": ("دارو", ["\u200c", "\u200d"]),
    "joiners in connected Arabic": ("سفن", ["\u200d"]),
    "joiners in Latin and between faces": ("Kyoto😀🥰", ["\u200c", "\u200d"]),
    "marks in Hebrew": ("שלום עולם", ["\u200e", "\u200f", "\u061c"]),
    "marks in Latin": ("see you", ["\u200e", "\u200f", "\u061c"]),
    "number signs": ("Kyoto", list(map(chr, range(0x600, 0x606)))),
    "blanks": ("Kyoto", ["\u2800", "\ufffc", "\u3164", "\uffa0", "\u115f", "\u2003", "\u205f"]),
    "hieroglyph controls": ("Kyoto", list(map(chr, range(0x13430, 0x13440)))),
    "noncharacters": ("Kyoto", [*map(chr, range(0xFDD0, 0xFDF0)), "\ufffe", "\U0001ffff"]),
}


@pytest.mark.parametrize(("carrier", "alphabet"), CARRIERS.values(), ids=list(CARRIERS))
@settings(max_examples=30)
@given(data=st.data())
def test_no_carrier_takes_a_hidden_message_past(carrier: str, alphabet: list[str], data: st.DataObject) -> None:
    messages = st.text(st.sampled_from(alphabet), max_size=3)
    parts = data.draw(st.lists(st.tuples(st.sampled_from(carrier), messages), min_size=1, max_size=8))
    text = "".join(character + message for character, message in parts) + carrier[0]

    assert not set(visible(text)) & set(alphabet)


def test_a_mark_before_the_first_letter_of_its_own_direction_is_shown() -> None:
    assert visible(" \u061cש") == r" \u{61C}ש"


def test_the_tables_agree_with_pythons_unicode_data() -> None:
    viramas = re.compile(f"[{characters(unicode_tables.VIRAMAS)}]")
    bases = {chr(int(code, 16)): characters(found) for code, found in unicode_tables.VARIED.items()}

    assert all(unicodedata.combining(one) == 9 for one in map(chr, range(0xF000)) if viramas.match(one))
    assert all(unicodedata.name(selector).startswith(("VARIATION", "MONGOLIAN FREE")) for selector in bases)
    # a compatibility ideograph is the same as its ideograph with the selector
    assert re.match(f"[{bases[chr(0xFE00)]}]", unicodedata.normalize("NFC", "\uf900"))
    assert len(unicode_tables.EMOJI_SEQUENCES.split()) > 200


@given(st.text())
def test_only_escapes_are_added_and_nothing_is_lost(text: str) -> None:
    seen = visible(text)

    rest = seen
    for character in text:
        escape = f"\\u{{{ord(character):X}}}"
        taken = character if rest.startswith(character) else escape
        assert rest.startswith(taken)
        rest = rest[len(taken) :]
    assert rest == ""
