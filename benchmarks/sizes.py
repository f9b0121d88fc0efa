"""What the catalogue costs: bytes of tools/list, and what of it a client puts into the model's prompt.

python benchmarks/sizes.py
"""

import json

from trips_mcp.tools.catalogue import catalogue


def compact(value: object) -> int:
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())


def main() -> None:
    tools = catalogue(("trips", "events"))
    prompt = {tool["name"]: compact({k: tool[k] for k in ("name", "description", "inputSchema")}) for tool in tools}
    total = sum(prompt.values())
    largest = sorted(prompt.items(), key=lambda item: -item[1])[:5]
    print(f"Catalogue: {len(tools)} tools")
    print(f"  tools/list                         {compact(tools):7,} bytes")
    print(f"  name + description + input schema  {total:7,} bytes, {total / len(tools):.0f} a tool")
    print(f"  largest                            {', '.join(f'{name} {size:,}' for name, size in largest)}")


if __name__ == "__main__":
    main()
