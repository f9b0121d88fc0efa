"""Generator of ids that a model can copy without error: a prefix and ten characters."""

import os
import secrets
from random import Random
from uuid import UUID

_requests = Random()  # noqa: S311 - unique, not secret; the system's generator is slow
if hasattr(os, "register_at_fork"):  # workers must not generate the same ids
    os.register_at_fork(after_in_child=_requests.seed)
_CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"  # without i, l, o, u, which look like other characters


def new_id(prefix: str) -> str:
    bits = secrets.randbits(50)
    return f"{prefix}_" + "".join(_CROCKFORD[bits >> shift & 31] for shift in range(0, 50, 5))


def new_request_id() -> str:
    return f"req_{UUID(int=_requests.getrandbits(128), version=4)}"
