r"""Text with its invisible characters made visible, as `\u{202E}`, where nothing that people write needs them.

Hidden characters can carry words that only a model reads, or turn what a person sees. What scripts and emoji need
stays as it is: joiners, variation selectors, the tags of flags; one at a time, and only beside what they act on.
"""

import re
from typing import Final

_ESCAPED: Final = (
    r"\x00-\x08\x0B-\x1F\x7F-\x9F"  # controls but newline and tab
    r"\u202A-\u202E\u2066-\u2069"  # bidirectional embeddings, overrides, isolates
    r"\u200B\u2060-\u2065\uFEFF"  # zero-width spaces, invisible operators
    r"\u00AD\u034F\u17B4\u17B5\u3164\uFFA0\u206A-\u206F"  # soft hyphen, fillers, and others that show nothing
    r"\u2028\u2029\uFFF0-\uFFFB\uFFFE\uFFFF"
    r"\U0001BCA0-\U0001BCA3\U0001D173-\U0001D17A"
    r"\uD800-\uDFFF"  # halves of a character, which no UTF-8 can hold
)
_KEPT_IN_PLACE: Final = (
    r"\u061C\u200E\u200F"  # marks of direction
    r"\u200C\u200D"  # joiners
    r"\u115F\u1160"  # fillers in a Hangul syllable
    r"\u180B-\u180F"  # Mongolian selectors and vowel separator
    r"\uFE00-\uFE0F\U000E0100-\U000E01EF"  # variation selectors
)
_TAGS: Final = r"\U000E0000-\U000E00FF\U000E01F0-\U000E0FFF"

_RIGHT_TO_LEFT: Final = (
    r"\u0590-\u05FF\u0600-\u061B\u061D-\u08FF\uFB1D-\uFDFF\uFE70-\uFEFC\U00010800-\U00010FFF\U0001E800-\U0001EFFF"
)
_JOINING: Final = (
    r"\u0600-\u061B\u061D-\u08FF\uFB50-\uFDFF\uFE70-\uFEFC"  # Arabic, Syriac, N'Ko, Mandaic
    r"\u0900-\u0DFF"  # Devanagari to Sinhala
    r"\u0F00-\u109F\u1780-\u17B3\u17B6-\u18AF"  # Tibetan, Myanmar, Khmer, Mongolian
    r"\u1A20-\u1AAF\u1B00-\u1BFF\uA840-\uA877\uA880-\uA8FF\uA980-\uA9FF\uAA60-\uAA7F\uABC0-\uABFF"
    r"\U00010A00-\U00010A5F\U00010AC0-\U00010AFF\U00011000-\U00011FFF\U0001E900-\U0001E95F"
)
_EMOJI: Final = (
    r"\u00A9\u00AE\u203C\u2049\u2122\u2139\u2190-\u21FF\u2300-\u23FF\u24C2\u25A0-\u27BF\u2900-\u297F"
    r"\u2B00-\u2BFF\u3030\u303D\u3297\u3299\U0001F000-\U0001FAFF"
)
_VARIED: Final = (  # what else has variants: ideographs and their punctuation, mathematics, Myanmar, Phags-pa
    r"\u1000-\u109F\u2200-\u22FF\u2A00-\u2AFF\u3000-\u303F\u3400-\u4DBF\u4E00-\u9FFF\uA840-\uA877\uAA60-\uAA7F"
    r"\uF900-\uFAFF\uFF01-\uFF60\U00020000-\U0003FFFF"
)

_KEPT: Final = (
    r"(?<=\U0001F3F4)[\U000E0061-\U000E007A]{2}[\U000E0030-\U000E0039\U000E0061-\U000E007A]{1,3}\U000E007F"  # a flag
    rf"|(?<=[{_EMOJI}\uFE0F])\u200D(?=[{_EMOJI}])"
    rf"|(?<=[{_JOINING}])[\u200C\u200D](?![{_ESCAPED}{_KEPT_IN_PLACE}{_TAGS}])"
    rf"|(?<=[{_EMOJI}0-9#*])[\uFE0E\uFE0F]"
    rf"|(?<=[{_VARIED}])[\uFE00-\uFE0D\U000E0100-\U000E01EF]"
    r"|(?<=[\u1800-\u180A\u1810-\u18AF])[\u180B-\u180F]"
    r"|\u115F(?=[\u1161-\u11A7])|(?<=[\u1100-\u115E\uA960-\uA97C])\u1160(?=[\u11A8-\u11FF])"
)
_KEPT_RIGHT_TO_LEFT: Final = (
    r"(?<![\u061C\u200E\u200F])[\u061C\u200E\u200F]"
    rf"(?![{_ESCAPED}{_KEPT_IN_PLACE}{_TAGS}])"
)

_SUSPECT: Final = re.compile(f"[{_ESCAPED}{_KEPT_IN_PLACE}{_TAGS}]")
_HIDDEN: Final = re.compile(f"(?P<kept>{_KEPT})|[{_ESCAPED}{_KEPT_IN_PLACE}{_TAGS}]")
_HIDDEN_RIGHT_TO_LEFT: Final = re.compile(
    f"(?P<kept>{_KEPT}|{_KEPT_RIGHT_TO_LEFT})|[{_ESCAPED}{_KEPT_IN_PLACE}{_TAGS}]"
)
_HAS_RIGHT_TO_LEFT: Final = re.compile(f"[{_RIGHT_TO_LEFT}]")


def visible(text: str) -> str:
    if not _SUSPECT.search(text):
        return text
    hidden = _HIDDEN_RIGHT_TO_LEFT if _HAS_RIGHT_TO_LEFT.search(text) else _HIDDEN
    return hidden.sub(lambda found: found["kept"] or rf"\u{{{ord(found[0]):X}}}", text)
