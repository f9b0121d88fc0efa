"""The handlers of tools/list and tools/call."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import mcp_types as types
from mcp import MCPError
from mcp.server import Server, ServerRequestContext

from trips_mcp import delivery
from trips_mcp.server.client_holder import ClientHolder
from trips_mcp.server.handlers import expect_no_cursor, host_draws, incident
from trips_mcp.server.offer import Offer
from trips_mcp.server.preload import gc_paused

if TYPE_CHECKING:
    from trips_mcp.tools import Tool
    from trips_mcp.tools.call_context import Conduct

Context = ServerRequestContext[ClientHolder]


class LazyTools:
    """The tools by name; the first call imports them."""

    def __init__(self, load: "Callable[[], Iterable[Tool[Any, Any]]]") -> None:
        self._load = load
        self._tools: dict[str, Tool[Any, Any]] = {}

    def __getitem__(self, name: str) -> "Tool[Any, Any]":
        if not self._tools:
            with gc_paused():
                self._tools = {tool.name: tool for tool in self._load()}
        return self._tools[name]


def add_tools(server: Server[ClientHolder], offer: Offer, tools: LazyTools) -> None:
    offered = offer.names

    async def list_tools(context: Context, params: types.PaginatedRequestParams) -> dict[str, Any]:
        expect_no_cursor(params)
        return {"tools": offer.listing_for(draws=host_draws(context)), "resultType": "complete"}

    async def call_tool(context: Context, params: types.CallToolRequestParams) -> dict[str, Any]:
        name = params.name
        if name in offer.missing:
            return _failure(offer.missing[name])
        if name not in offered:
            raise MCPError(types.INVALID_PARAMS, f"Unknown tool: {name[:100]}")
        answer = delivery.current() or delivery.begin()
        # The outermost boundary: the SDK would send the exception's text to the client.
        try:
            result = await _called(tools[name], context, params.arguments or {}, offer.conduct)
        except Exception as error:  # noqa: BLE001 - this is the boundary
            result = _failure(incident(name, error))
        if result["isError"]:
            await answer.abandon()  # the response does not say what was written
        return result

    # Registered by method: the constructor's arguments accept models only, and a listing is already wire data.
    server.add_request_handler("tools/list", types.PaginatedRequestParams, list_tools)
    server.add_request_handler("tools/call", types.CallToolRequestParams, call_tool)


async def _called(
    tool: "Tool[Any, Any]", context: Context, arguments: dict[str, Any], conduct: "Conduct"
) -> dict[str, Any]:
    from trips_mcp.client.errors import TripsError

    try:
        client = await context.lifespan_context.client()
    except TripsError as error:
        return _failure(str(error))
    answer = await tool.call(client, arguments, context.session.report_progress, conduct)
    drawn = await answer.drawn() if answer.drawn is not None and host_draws(context) else None
    result = _wire(answer.text, drawn or answer.structured, answer.is_error, answer.meta)
    if (file := answer.attachment) is not None:
        resource = {"uri": file.uri, "mimeType": file.media_type, "text": file.text}
        result["content"].append({"type": "resource", "resource": resource})
    return result


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
