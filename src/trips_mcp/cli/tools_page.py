"""The tools as a Markdown page: all of them for docs/tools.md, or those that a server offers."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from pydantic import BaseModel

from trips_mcp.contract import OPERATIONS
from trips_mcp.contract.models import Result, models_in
from trips_mcp.contract.operation import Operation
from trips_mcp.tools import TOOLS, Tool
from trips_mcp.tools.fields import named_fields
from trips_mcp.tools.listing import first_sentence
from trips_mcp.tools.resources.legs import Secret

OPERATION_NAMES: Final = frozenset(operation.name for operation in OPERATIONS)
_ANSWERS: Final[dict[str, type[Result]]] = {"get_secret": Secret}
"""Result models of tools that are not operations and declare none."""
_TOOL: Final[dict[str, Tool[Any, Any]]] = {tool.name: tool for tool in TOOLS}

Listing = dict[str, Any]


def tool_table(shown: Sequence[Listing], page: str = "") -> str:
    """`page`: the page that has the sections."""
    rows = "\n".join(
        f"| [`{tool['name']}`]({page}#{tool['name']}) | {first_sentence(tool['description'])} | {hints(tool)} |"
        for tool in shown
    )
    return f"| Tool | When to use it | Hints |\n|---|---|---|\n{rows}\n"


def tool_sections(shown: Sequence[Listing]) -> str:
    return "\n".join(map(_section, shown))


def hints(tool: Listing) -> str:
    told = tool["annotations"]
    if told["readOnlyHint"]:
        said = ["reads"]
    else:
        said = ["writes"] + ["may overwrite or remove"] * told["destructiveHint"]
        said += ["safe to repeat"] * told["idempotentHint"]
    return ", ".join(said + ["others' words"] * told["openWorldHint"])


def full_path(operation: Operation[Any, Any]) -> str:
    return operation.path if operation.api == "events" else f"/api/v1{operation.path}"


def access(operation: Operation[Any, Any]) -> str:
    return {"nobody": "no key", "any key": "any valid key"}.get(operation.scope, f"`{operation.scope}`")


def _section(tool: Listing) -> str:
    schema = tool["inputSchema"]
    required = set(schema.get("required", ()))
    rows = "\n".join(
        f"| `{name}`{' *' if name in required else ''} | {_kind(inner)} | {_limits(inner)} |"
        for name, inner in schema["properties"].items()
    )
    table = f"| Argument | Type | Notes |\n|---|---|---|\n{rows}\n" if rows else "No arguments.\n"
    return f"""## {tool["name"]}

{tool["description"]}

{_calls(_TOOL[tool["name"]])}

{table}
{_result(_TOOL[tool["name"]])}
"""


def _calls(tool: Tool[Any, Any]) -> str:
    """The requests that the tool makes."""
    main, *others = (f"`{operation.method} {full_path(operation)}`" for operation in tool.uses)
    also = f" and, where they can be had, {', '.join(others)}" if others else ""
    of = "" if tool.name in OPERATION_NAMES else "Made of "
    return f"{of}{main}{also}, needs {access(tool.uses[0])}."


def _result(tool: Tool[Any, Any]) -> str:
    """The fields of the structured content; empty fields are omitted."""
    kind: type[Result] = tool.answers or _ANSWERS.get(tool.name) or tool.uses[0].result
    fields = named_fields(kind)
    lists = {name: inner for name, field in fields.items() if (inner := list(models_in(field.annotation)))}
    told = [
        f"`{name}` (of each {_names(inner[0])})" if (inner := lists.get(name)) and len(lists) == 1 else f"`{name}`"
        for name in fields
    ]
    return f"Answers with {', '.join(told)}."


def _names(kind: type[BaseModel]) -> str:
    return ", ".join(f"`{name}`" for name in named_fields(kind))


def _kind(schema: dict[str, Any]) -> str:
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    if schema["type"] == "array":
        return f"list of {_kind(schema['items'])}"
    if schema["type"] == "object":
        return f"object: {', '.join(schema['properties'])}"
    return {"string": "text", "integer": "whole number", "number": "number", "boolean": "true or false"}[schema["type"]]


def _limits(schema: dict[str, Any]) -> str:
    return "; ".join(_limits_in(schema))


def _limits_in(schema: dict[str, Any]) -> Iterator[str]:
    if "description" in schema:
        yield schema["description"]
    least, most = schema.get("minimum", schema.get("minItems")), schema.get("maximum", schema.get("maxItems"))
    if least is not None and most is not None:
        yield f"{least:g} to {most:g}"
    elif most is not None:
        yield f"at most {most:g}"
