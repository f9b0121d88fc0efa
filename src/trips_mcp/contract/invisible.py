"""Characters that show nothing, or turn what is seen: which ones there are, and texts that have no others."""

import re
from functools import cache


def characters(ranges: str) -> str:
    """Ranges as `unicode_tables` has them, as the inside of a class of a regular expression."""
    return "".join("-".join(rf"\U{int(code, 16):08X}" for code in part.split("-")) for part in ranges.split())


@cache
def hidden() -> re.Pattern[str]:
    from trips_mcp.contract.unicode_tables import HIDDEN

    return re.compile(f"[{characters(HIDDEN)}]")


def without_hidden(text: str) -> str:
    return text if text.isascii() and text.isprintable() else hidden().sub("", text)


def is_blank(text: str) -> bool:
    """Whether nothing of it is seen."""
    return not without_hidden(text).strip()
