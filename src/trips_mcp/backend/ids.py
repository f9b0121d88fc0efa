"""Ids that a model can copy without error: a prefix that says what it is, and ten characters."""

import secrets
from uuid import uuid4

_CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"  # without i, l, o, u: none reads as another


def new_id(prefix: str) -> str:
    bits = secrets.randbits(50)
    return f"{prefix}_" + "".join(_CROCKFORD[bits >> shift & 31] for shift in range(0, 50, 5))


def new_request_id() -> str:
    return f"req_{uuid4()}"
