"""Telling apart what JSON was parsed into."""

from typing import Any, TypeGuard

JsonObject = dict[str, Any]


def is_list(value: object) -> TypeGuard[list[Any]]:
    return isinstance(value, list)


def is_unicode(text: str) -> bool:
    """Whether it can be stored and sent: JSON can spell half of a surrogate pair, UTF-8 cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
