"""The handlers of prompts/list and prompts/get."""

from collections.abc import Mapping
from typing import Any, Final

import mcp_types as types
from mcp import MCPError
from mcp.server import Server, ServerRequestContext

from trips_mcp.server.client_holder import ClientHolder
from trips_mcp.server.handlers import error_boundary, expect_no_cursor
from trips_mcp.server.offer import Offer
from trips_mcp.server.prompt_catalog import Prompt

Context = ServerRequestContext[ClientHolder]

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
    from trips_mcp.tools.results.untrusted_text import Quoting

    pasted = "\n".join(given[each.name] for each in prompt.arguments if each.pasted and each.name in given)
    if not pasted:
        return ""
    text = pasted.replace("\r\n", "\n").replace("\r", "\n")
    quoting = Quoting.fresh([text])
    lines = (quoting.explanation, quoting.quote(text), _CUT if len(text.split()) == 1 else "")
    return "\n".join(filter(None, lines))
