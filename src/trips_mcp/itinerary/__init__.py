"""Answers about a trip: pure functions over one export and the trip's events. No I/O, no MCP.

`journey` reads the trip once; `dates`, `day`, `timeline`, `check` and `search` answer from that.
"""
