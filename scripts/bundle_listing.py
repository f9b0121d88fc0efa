"""Parts of manifest.json that are derived: the form for settings, and the tools and prompts of unchanged settings.

Settings take some of them off, and never add one, so `tools_generated` and `prompts_generated` stay false.
"""

from typing import Any

from trips_mcp.server.prompt_catalog import Prompt, offered_prompts
from trips_mcp.settings import Settings
from trips_mcp.settings_table import SETTINGS, Setting
from trips_mcp.tools.listing import entries, first_sentence
from trips_mcp.tools.selection import choose


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


def settings_form(manifest: dict[str, Any]) -> dict[str, Any]:
    """The form's fields, and the variables that they set, from the table of settings; other services come last."""
    fields = {setting.name: setting.bundle for setting in sorted(SETTINGS, key=_is_url) if setting.bundle}
    toolsets = ", ".join(dict.fromkeys(entry["toolset"] for entry in entries()))
    keys = {setting.name for setting in SETTINGS if setting.kind == "key"}
    config = manifest["server"]["mcp_config"] | {
        "env": {variable: f"${{user_config.{field.name}}}" for variable, field in fields.items()}
    }
    return {
        "server": manifest["server"] | {"mcp_config": config},
        "user_config": {
            field.name: {
                "type": field.type,
                "title": field.title,
                "description": field.description.replace("{toolsets}", toolsets),
                **({"sensitive": True} if variable in keys else {}),
                "required": False,
                "default": False if field.type == "boolean" else "",
            }
            for variable, field in fields.items()
        },
    }


def _is_url(setting: Setting[object]) -> bool:
    return setting.kind == "url"


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
