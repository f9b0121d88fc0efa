"""Replacement of a trusted proxy's address by that of the client behind it."""

from starlette.types import Scope

from trips_mcp.addresses import TrustedProxies


def with_real_client(scope: Scope, proxies: TrustedProxies) -> Scope:
    """The scope with `client` set to the address that trusted proxies report."""
    peer: tuple[str, int] | None = scope["client"]
    if peer is None or peer[0] not in proxies:
        return scope
    forwarded = [value.decode("latin-1") for name, value in scope["headers"] if name == b"x-forwarded-for"]
    return {**scope, "client": (proxies.client(peer[0], forwarded), peer[1])}
