"""The agent tools: operations with names, descriptions, hints and answers.

`TOOLS` has all of them, `load` gives one. Both import lazily: the catalogue can be read without importing a model.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from trips_mcp.tools.listing import entries

if TYPE_CHECKING:
    from trips_mcp.tools.registry import TOOLS, TOOLSETS
    from trips_mcp.tools.tool import Answer, Report, Tool

__all__ = ["TOOLS", "TOOLSETS", "Answer", "Report", "Tool", "load"]


def load(name: str) -> "Tool[Any, Any]":
    """The tool of this name; imports its module and what that needs."""
    module = next(entry["module"] for entry in entries() if entry["listing"]["name"] == name)
    tool: Tool[Any, Any] = getattr(import_module(f"{__name__}.{module}"), name)
    return tool


def __getattr__(name: str) -> Any:
    if name in ("TOOLS", "TOOLSETS"):
        from trips_mcp.tools import registry

        return getattr(registry, name)
    if name in __all__:
        from trips_mcp.tools import tool

        return getattr(tool, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
