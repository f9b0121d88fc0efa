"""The digests that identify equal calls without revealing their arguments."""

import hmac
import json
from hashlib import sha256

from trips_mcp.client.endpoint import Endpoint
from trips_mcp.contract.operation import Operation, P, R


def account_secret(endpoint: Endpoint) -> bytes:
    """Equal for clients of the same account only. It contains the API key, so nobody else can compute it."""
    return sha256(json.dumps([endpoint.base_url, endpoint.key, endpoint.account]).encode()).digest()


def history_account(secret: bytes) -> str:
    """The account's name in the history, which reveals nothing of the key."""
    return hmac.new(secret, b"history", sha256).hexdigest()


def step_digest(secret: bytes, step: str, plain: str) -> str:
    """The digest of a plan's step, from that of the same call by itself."""
    return hmac.new(secret, f"step\0{step}\0{plain}".encode(), sha256).hexdigest()


def digest(secret: bytes, operation: Operation[P, R], params: P) -> str:
    """Equal for equal arguments of one operation on one account.

    Keyed, as some arguments have so few possible values that all can be tried: a door code, a yes or no.
    """
    arguments = json.dumps(params.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
    return hmac.new(secret, f"{operation.name}\0{arguments}".encode(), sha256).hexdigest()
