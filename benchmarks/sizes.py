"""What the catalogue costs: bytes of tools/list, and what of it a client puts into the model's prompt.

    python benchmarks/sizes.py [--check]

Once with every tool there is, and once as a server that is bound to one trip lists them.
"""

import json
import sys
from typing import Any

from trips_mcp.server.instructions import instructions
from trips_mcp.settings import Settings
from trips_mcp.tools.listing import first_sentence
from trips_mcp.tools.selection import choose

EVERYTHING = {"--mask-secrets": "on"}
BOUND = EVERYTHING | {"--trip": "jx7abc"}
LIMITS = {"all tools": (EVERYTHING, 36_500), "bound to one trip": (BOUND, 32_500)}
ORIENTATION = 5_500
"""Bytes of the instructions, and of each tool's name with its first sentence: what it costs to find one's way."""


def compact(value: object) -> int:
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())


def of_a_prompt(listing: dict[str, Any]) -> int:
    return compact({part: listing[part] for part in ("name", "description", "inputSchema")})


def main() -> int:
    too_large = [title for title, (flags, limit) in LIMITS.items() if catalogue(title, flags, limit) > limit]
    if orientation() > ORIENTATION:
        too_large.append("orientation")
    return 1 if too_large and "--check" in sys.argv[1:] else 0


def orientation() -> int:
    """Prints and returns the bytes of the instructions and of the tools' first sentences."""
    settings = Settings.from_env({}, EVERYTHING)
    listing = choose(settings).listing
    said = instructions(settings, {tool["name"] for tool in listing})
    sentences = "\n".join(f"{tool['name']}: {first_sentence(tool['description'])}" for tool in listing)
    total = len(said.encode()) + len(sentences.encode())
    print(
        f"Instructions and first sentences     {total:7,} bytes of {ORIENTATION:,}, instructions {len(said.encode()):,}"
    )
    return total


def catalogue(title: str, flags: dict[str, str], limit: int) -> int:
    """Prints its table, and gives the bytes that a model is shown."""
    listing = choose(Settings.from_env({}, flags)).listing
    prompt = {tool["name"]: of_a_prompt(tool) for tool in listing}
    total = sum(prompt.values())
    largest = sorted(prompt.items(), key=lambda item: -item[1])[:5]
    print(f"Catalogue, {title}: {len(listing)} tools")
    print(f"  tools/list                         {compact(listing):7,} bytes")
    print(f"  name + description + input schema  {total:7,} bytes of {limit:,}, {total / len(listing):.0f} a tool")
    print(f"  largest                            {', '.join(f'{name} {size:,}' for name, size in largest)}")
    return total


if __name__ == "__main__":
    sys.exit(main())
