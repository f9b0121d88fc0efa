"""`python -m trips_mcp` is the command `trips-mcp`."""

import sys

from trips_mcp.cli import main

if __name__ == "__main__":
    sys.exit(main())
