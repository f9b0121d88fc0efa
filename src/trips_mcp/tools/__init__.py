"""The agent tools: operations with names, descriptions, hints and answers.

`TOOLS` has all of them and loads lazily: the catalogue can be read without importing a model.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trips_mcp.tools.registry import TOOLS, TOOLSETS
    from trips_mcp.tools.tool import Answer, Report, Tool

__all__ = ["TOOLS", "TOOLSETS", "Answer", "Report", "Tool"]


def __getattr__(name: str) -> Any:
    if name in ("TOOLS", "TOOLSETS"):
        from trips_mcp.tools import registry

        return getattr(registry, name)
    if name in __all__:
        from trips_mcp.tools import tool

        return getattr(tool, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
