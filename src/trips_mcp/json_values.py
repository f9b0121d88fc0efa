"""Type checks for parsed JSON, from the standard library alone."""

from typing import Any, TypeGuard

JsonObject = dict[str, Any]


def is_object(value: object) -> TypeGuard[JsonObject]:
    """Whether parsed JSON is an object (its keys are then strings)."""
    return isinstance(value, dict)


def is_list(value: object) -> TypeGuard[list[Any]]:
    return isinstance(value, list)


def is_text(value: object) -> TypeGuard[str]:
    """Whether it is a string that can be sent and stored."""
    return isinstance(value, str) and is_unicode(value)


def is_unicode(text: str) -> bool:
    """Whether UTF-8 can encode the text: JSON may contain half of a surrogate pair."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def merged(before: JsonObject, change: JsonObject) -> JsonObject:
    """`before` with `change` merged in: objects by key; any other value is replaced."""
    after = dict(before)
    for name, value in change.items():
        held = before.get(name)
        after[name] = merged(held, value) if is_object(held) and is_object(value) else value
    return after
