"""Every benchmark in turn, as one table each: `python benchmarks/run.py [--check]`.

With `--check` the exit code is 1 if any figure is past its bound; that one cannot be taken here is no fault. Children
run with compiled bytecode, as installed packages do. `make bench` runs it in an environment of its own without the
development tools: httpx imports a terminal library wherever one is installed, which no user pays for.
"""

import os
import subprocess
import sys
from pathlib import Path

SCRIPTS = (
    "sizes.py",
    "results.py",
    "questions.py",
    "places.py",
    "bookings.py",
    "cold_start.py",
    "calls.py",
    "client.py",
    "bulk.py",
    "files.py",
    "plans.py",
    "first_minute.py",
)
NOT_RUN = 75  # as first_minute.py says where no package registry can be reached


def main() -> int:
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    folder = Path(__file__).parent
    late = False
    for script in SCRIPTS:
        ended = subprocess.run([sys.executable, folder / script, *sys.argv[1:]], env=env, check=False)
        late |= ended.returncode not in (0, NOT_RUN)
        print(flush=True)
    return 1 if late else 0


if __name__ == "__main__":
    sys.exit(main())
