"""The MCP server: lists what is offered, and runs it against one client."""

import logging
import uuid
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import mcp_types as types
from mcp import MCPError
from mcp.server import CacheHint, Server, ServerRequestContext

from trips_mcp import __version__
from trips_mcp.server.holding import Holding, holding
from trips_mcp.server.importing import without_collecting
from trips_mcp.server.offer import FRESH_MS, NAME, TITLE, Offer

if TYPE_CHECKING:
    from trips_mcp.tools import Tool

_LISTS = CacheHint(ttl_ms=FRESH_MS, scope="private")

logger = logging.getLogger(__name__)

Context = ServerRequestContext[Holding]


def build_server(offer: Offer) -> Server[Holding]:
    """Imports the tools, and opens the connection they use, with the first call of one."""
    offered = {listing["name"] for listing in offer.listing}
    tools = _Toolbox(offer.load_tools)

    async def list_tools(_: Context, __: types.PaginatedRequestParams) -> dict[str, Any]:
        return {"tools": offer.listing, "resultType": "complete"}

    async def call_tool(context: Context, params: types.CallToolRequestParams) -> dict[str, Any]:
        name = params.name
        if name in offer.missing:
            return _failure(offer.missing[name])
        if name not in offered:
            raise MCPError(types.INVALID_PARAMS, f"Unknown tool: {name[:100]}")
        # The outermost wall: what gets past it, the SDK tells the client in the exception's own words.
        try:
            return await _called(tools[name], context, params.arguments or {})
        except Exception:
            incident = uuid.uuid4().hex[:8]
            logger.exception("%s failed, incident %s", name, incident)
            return _failure(f"An internal error happened in {name}; it is in this server's log as incident {incident}.")

    server = Server(
        NAME,
        version=__version__,
        title=TITLE,
        instructions=offer.instructions,
        cache_hints={"server/discover": _LISTS, "tools/list": _LISTS},
        lifespan=lambda _: holding(offer.connect),
    )
    # Registered by method, as the constructor's own arguments take models only: a listing is wire data already.
    server.add_request_handler("tools/list", types.PaginatedRequestParams, list_tools)
    server.add_request_handler("tools/call", types.CallToolRequestParams, call_tool)
    return server


class _Toolbox:
    """The tools by name, imported with the first call."""

    def __init__(self, load: "Callable[[], Iterable[Tool[Any, Any]]]") -> None:
        self._load = load
        self._tools: dict[str, Tool[Any, Any]] = {}

    def __getitem__(self, name: str) -> "Tool[Any, Any]":
        if not self._tools:
            with without_collecting():
                self._tools = {tool.name: tool for tool in self._load()}
        return self._tools[name]


async def _called(tool: "Tool[Any, Any]", context: Context, arguments: dict[str, Any]) -> dict[str, Any]:
    from trips_mcp.client.errors import TripsError

    try:
        client = await context.lifespan_context.client()
    except TripsError as error:
        return _failure(str(error))
    answer = await tool.call(client, arguments, context.session.report_progress)
    return _wire(answer.text, answer.structured, answer.is_error, answer.meta)


def _failure(sentence: str) -> dict[str, Any]:
    return _wire(sentence, None, is_error=True)


def _wire(
    text: str, structured: dict[str, Any] | None, is_error: bool, meta: dict[str, Any] | None = None
) -> dict[str, Any]:
    result: dict[str, Any] = {
        "content": [{"type": "text", "text": text}],
        "isError": is_error,
        "resultType": "complete",
    }
    if structured is not None:
        result["structuredContent"] = structured
    return result if meta is None else {**result, "_meta": meta}
