"""Every benchmark in turn, as one table each: `python benchmarks/run.py [--check]`.

With `--check` the exit code is 1 if any figure is past its bound. Children run with compiled bytecode, as installed
packages do. `make bench` runs it in an environment of its own without the development tools: httpx imports a terminal
library wherever one is installed, which no user pays for.
"""

import os
import subprocess
import sys
from pathlib import Path

SCRIPTS = ("sizes.py", "results.py", "cold_start.py", "calls.py", "client.py", "bulk.py")


def main() -> int:
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    folder = Path(__file__).parent
    late = False
    for script in SCRIPTS:
        late |= subprocess.run([sys.executable, folder / script, *sys.argv[1:]], env=env, check=False).returncode != 0
        print(flush=True)
    return 1 if late else 0


if __name__ == "__main__":
    sys.exit(main())
