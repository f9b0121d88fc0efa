"""Type checks for parsed JSON."""

from typing import Any, TypeGuard

JsonObject = dict[str, Any]


def is_list(value: object) -> TypeGuard[list[Any]]:
    return isinstance(value, list)


def is_unicode(text: str) -> bool:
    """Whether UTF-8 can encode the text: JSON may contain half of a surrogate pair."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
