"""The address by which the caller of the running request reaches this server."""

from contextvars import ContextVar

from trips_mcp.addresses import is_address, is_loopback
from trips_mcp.server.http.request import HttpRequest

_request: ContextVar[HttpRequest] = ContextVar("request")


def note(request: HttpRequest) -> None:
    """Notes the request that this task answers, once its Host header has been checked."""
    _request.set(request)


def current() -> str | None:
    """Such as `https://trips.example.com`. None if the request does not name one host."""
    request = _request.get(None)
    hosts = [] if request is None else request.values("host")
    if request is None or len(hosts) != 1:
        return None
    return f"{_scheme(request, hosts[0])}://{hosts[0].lower()}"


def _scheme(request: HttpRequest, host: str) -> str:
    """As the proxy says, which nobody but the caller is told. Without that, a name is behind a proxy that adds TLS."""
    said = request.headers.get("x-forwarded-proto", "").partition(",")[0].strip().lower()
    if said in ("http", "https"):
        return said
    return str(request.scope["scheme"]) if is_loopback(host) or is_address(host) else "https"
