"""Redaction of keys, URLs and other text that may contain secrets."""

import re
from typing import Final
from urllib.parse import urlsplit

_SHORTEST: Final = 16
"""Minimum length in characters of a key of which a part is shown."""
_KEY: Final = re.compile(r"(?:osk_|((?i:bearer)\s+))\S+?(?=[.,;:!?)\]]?(?:\s|$))")
"""A key of ours, or any token after `Bearer`, without a punctuation mark that ends it."""
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]+")


def shortened(secret: str) -> str:
    """Enough to tell two keys apart, too little to use one."""
    if len(secret) < _SHORTEST:
        return "…"
    prefix, _, _ = secret.partition("_")
    return f"{prefix}_…{secret[-4:]}" if len(prefix) < 5 else f"…{secret[-4:]}"


def without_keys(text: str) -> str:
    return _KEY.sub(r"\1…", text)


def without_secrets(text: str) -> str:
    """Removes keys, and control characters that a terminal would obey."""
    return without_keys(_CONTROL.sub(" ", text))


def bare_url(url: str) -> str:
    """Without the password and the query, which a base URL should not have."""
    try:
        parts = urlsplit(url)
        place = parts.netloc.rpartition("@")[2]
    except ValueError:
        return "what is no URL"
    return without_secrets(f"{parts.scheme}://{place}{parts.path}") if place else "what is no URL"
