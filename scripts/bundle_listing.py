"""What manifest.json lists: the tools and prompts of a bundle whose settings were left as they are.

Settings take some of them off, and never add one, so `tools_generated` and `prompts_generated` stay false.
"""

from typing import Any

from trips_mcp.server.prompt_catalog import Prompt, offered_prompts
from trips_mcp.settings import Settings
from trips_mcp.tools.listing import first_sentence
from trips_mcp.tools.selection.rules import choose


def listed() -> dict[str, Any]:
    """These fields of it."""
    tools = [(tool["name"], tool["description"]) for tool in choose(Settings()).listing]
    offered = {name for name, _ in tools}
    return {
        "tools": [{"name": name, "description": first_sentence(description)} for name, description in tools],
        "tools_generated": False,
        "prompts": [_prompt(prompt, offered) for prompt in offered_prompts(offered, None)],
        "prompts_generated": False,
    }


def _prompt(prompt: Prompt, offered: set[str]) -> dict[str, Any]:
    """`text` is for a host that reads the manifest alone: unlike the server's it can't leave out what was not given."""
    marks = {argument.name: f"${{arguments.{argument.name}}}" for argument in prompt.arguments}
    required = {argument.name: marks[argument.name] for argument in prompt.arguments if argument.required}
    pasted = "\n".join(marks[argument.name] for argument in prompt.arguments if argument.pasted)
    optional = "; ".join(
        f"{argument.title}: {marks[argument.name]}" for argument in prompt.arguments if not argument.required
    )
    text = prompt.text(required, offered, pasted)
    return {
        "name": prompt.name,
        "description": prompt.description,
        "arguments": list(marks),
        "text": f"{text}\nWhere it is given, this counts too: {optional}" if optional else text,
    }
