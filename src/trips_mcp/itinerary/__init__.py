"""Pure functions over one export of a trip and its events. No I/O, no MCP.

`journey` reads the trip once; `day_expressions`, `day`, `timeline`, `check` and `search` answer from it.
"""
