"""Which call is identical to which, without telling what any of them said."""

import hmac
import json
from hashlib import sha256

from trips_mcp.client.endpoint import Endpoint
from trips_mcp.contract.operation import Operation, P, R


def account_secret(endpoint: Endpoint) -> bytes:
    """What is the same for two clients of one account alone; with a key in it, nobody else can work it out."""
    return sha256(json.dumps([endpoint.base_url, endpoint.key, endpoint.account]).encode()).digest()


def digest(secret: bytes, operation: Operation[P, R], params: P) -> str:
    """Equal for equal arguments of one operation on one account.

    Keyed, as arguments may be few enough to be tried out one after the other: a door code, a yes or no.
    """
    arguments = json.dumps(params.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
    return hmac.new(secret, f"{operation.name}\0{arguments}".encode(), sha256).hexdigest()
