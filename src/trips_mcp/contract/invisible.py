"""Detection and removal of characters that are invisible or change how text is displayed."""

import re
from functools import cache


def characters(ranges: str) -> str:
    """Ranges in the format of `unicode_tables` → the inside of a regex character class."""
    return "".join("-".join(rf"\U{int(code, 16):08X}" for code in part.split("-")) for part in ranges.split())


@cache
def hidden() -> re.Pattern[str]:
    from trips_mcp.contract.unicode_tables import HIDDEN

    return re.compile(f"[{characters(HIDDEN)}]")


def without_hidden(text: str) -> str:
    return text if text.isascii() and text.isprintable() else hidden().sub("", text)


def is_blank(text: str) -> bool:
    """Whether the text shows nothing."""
    return not without_hidden(text).strip()
