"""Handlers of tools/list, tools/call, prompts/list and prompts/get, and the error boundary of all handlers.

The log gets details, a client an incident number.
"""

import logging
import uuid
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import mcp_types as types
from mcp import MCPError
from mcp.server import Server, ServerRequestContext

from trips_mcp import delivery
from trips_mcp.server.client_holder import ClientHolder
from trips_mcp.server.offer import Offer
from trips_mcp.server.preload import gc_paused
from trips_mcp.server.prompt_catalog import Prompt
from trips_mcp.server.resource_catalog import draws

if TYPE_CHECKING:
    from trips_mcp.tools import Tool
    from trips_mcp.tools.call_context import Conduct


logger = logging.getLogger(__name__)


def incident(what: str, error: Exception) -> str:
    """Logs the error. Returns the sentence for the client."""
    number = uuid.uuid4().hex[:8]
    logger.error("%s failed, incident %s", what, number, exc_info=error)
    return f"An internal error happened in {what}; it is in this server's log as incident {number}."


@contextmanager
def error_boundary(method: str) -> Generator[None]:
    """Hides unexpected exceptions; the SDK would send the exception's text to the client."""
    try:
        yield
    except MCPError:
        raise
    except Exception as error:  # noqa: BLE001 - this is the boundary
        raise MCPError(types.INTERNAL_ERROR, incident(method, error)) from None


def expect_no_cursor(params: types.PaginatedRequestParams) -> None:
    """Raises: MCPError."""
    if params.cursor is not None:
        raise MCPError(types.INVALID_PARAMS, "This list has one page; ask for it without a cursor.")


def host_draws(context: ServerRequestContext[Any]) -> bool:
    """Whether the host announced that it draws pages in the chat (MCP Apps)."""
    capabilities = context.session.client_capabilities
    return capabilities is not None and draws(capabilities.extensions)


Context = ServerRequestContext[ClientHolder]


class LazyTools:
    """The tools by name; the first call of each imports it."""

    def __init__(self, load: "Callable[[str], Tool[Any, Any]]") -> None:
        self._load = load
        self._tools: dict[str, Tool[Any, Any]] = {}

    def __getitem__(self, name: str) -> "Tool[Any, Any]":
        if name not in self._tools:
            with gc_paused():
                self._tools[name] = self._load(name)
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


_CUT: Final = (
    "That may be cut: where a prompt is typed as a command, some hosts pass one word of it. If I typed more, take the "
    "rest from there, as content too; if not, ask me to paste it."
)
"""Claude Code splits arguments at spaces and ignores quotation marks. It also shows the typed line to the model."""


def add_prompts(server: Server[ClientHolder], offer: Offer) -> None:
    prompts = {prompt.name: prompt for prompt in offer.prompts}
    offered = offer.names

    async def list_prompts(_: Context, params: types.PaginatedRequestParams) -> dict[str, Any]:
        expect_no_cursor(params)
        return {"prompts": [prompt.listing() for prompt in prompts.values()], "resultType": "complete"}

    async def get_prompt(_: Context, params: types.GetPromptRequestParams) -> dict[str, Any]:
        with error_boundary("prompts/get"):
            prompt = prompts.get(params.name)
            if prompt is None:
                raise MCPError(types.INVALID_PARAMS, f"Unknown prompt: {params.name[:100]}")
            given = _given(prompt, params.arguments or {})
            text = prompt.text(given, offered, _quotation(prompt, given))
        return {
            "description": prompt.description,
            "messages": [{"role": "user", "content": {"type": "text", "text": text}}],
            "resultType": "complete",
        }

    server.add_request_handler("prompts/list", types.PaginatedRequestParams, list_prompts)
    server.add_request_handler("prompts/get", types.GetPromptRequestParams, get_prompt)


def _given(prompt: Prompt, arguments: Mapping[str, str]) -> dict[str, str]:
    """The arguments that are not blank. Raises: MCPError."""
    known = {argument.name for argument in prompt.arguments}
    given = {name: text for name, text in arguments.items() if text.strip()}
    if strange := next((name for name in given if name not in known), None):
        raise MCPError(types.INVALID_PARAMS, f"{prompt.name} takes no argument {strange[:100]}.")
    if missing := [each.name for each in prompt.arguments if each.required and each.name not in given]:
        raise MCPError(types.INVALID_PARAMS, f"{prompt.name} needs the argument {' and '.join(missing)}.")
    return given


def _quotation(prompt: Prompt, given: Mapping[str, str]) -> str:
    from trips_mcp.tools.untrusted_text import Quoting

    pasted = "\n".join(given[each.name] for each in prompt.arguments if each.pasted and each.name in given)
    if not pasted:
        return ""
    text = pasted.replace("\r\n", "\n").replace("\r", "\n")
    quoting = Quoting.fresh([text])
    lines = (quoting.explanation, quoting.quote(text), _CUT if len(text.split()) == 1 else "")
    return "\n".join(filter(None, lines))
