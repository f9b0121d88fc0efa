"""Session ids without sessions: what a host of the older era announced when it initialized.

Only its first request says that it draws pages (MCP Apps), while any replica may answer the next one. So the response
to that request has an id that says it, and the host sends the id with every request. Nothing is kept of it.
"""

import re
import secrets
from collections.abc import Mapping
from typing import Any, Final

from trips_mcp.json_values import is_object
from trips_mcp.server.apps import EXTENSION, draws
from trips_mcp.server.http.request import HttpRequest

HEADER: Final = "mcp-session-id"
_DRAWS: Final = re.compile(r"draws-[0-9a-f]{32}")


def issued(params: Mapping[str, Any]) -> str | None:
    """The id for a host that initializes with these params. None if it announces nothing that matters later."""
    capabilities: object = params.get("capabilities")
    is_drawing = is_object(capabilities) and draws(capabilities.get("extensions"))
    return f"draws-{secrets.token_hex(16)}" if is_drawing else None


def is_known(request: HttpRequest) -> bool:
    """Whether the request has no session id, or one of ours."""
    given = request.values(HEADER)
    return all(_DRAWS.fullmatch(each) for each in given)


def capabilities(request: HttpRequest) -> dict[str, Any] | None:
    """What the host announced, as far as its session id says."""
    return {"extensions": {EXTENSION: {}}} if request.values(HEADER) and is_known(request) else None
