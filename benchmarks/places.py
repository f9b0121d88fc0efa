"""What known places cost: bytes of the tables in a wheel, and the first question of a process.

    python benchmarks/places.py [--check]

Processor time, as the first question is the same work whatever else the machine does; the median of several processes.
"""

import subprocess
import sys
import zlib
from pathlib import Path
from statistics import median

import trips_mcp

DATA = Path(trips_mcp.__file__).parent / "places/data"
LIMIT_BYTES = 300_000
LIMIT_MS = 15.0
RUNS = 7
QUESTIONS = {
    "airport HND": "airports.airport('HND')",
    "city ウィーン": "cities.find_city('ウィーン')",
    "stop Tokyo Haneda": "stops.find_stop('Tokyo Haneda')",
    "zone at 48.2, 16.4": "cities.zone_at(48.2, 16.4)",
}
PROGRAM = """
import time
from trips_mcp.places import airports, cities, stops
start = time.process_time()
{question}
print((time.process_time() - start) * 1000)
"""


def main() -> int:
    packed = {path.name: len(zlib.compress(path.read_bytes(), 9)) for path in sorted(DATA.iterdir())}
    total = sum(packed.values())
    print("Known places")
    for name, size in packed.items():
        print(f"  {name:34} {size:7,} bytes in a wheel")
    print(f"  {'all':34} {total:7,} bytes of {LIMIT_BYTES:,}")
    slowest = 0.0
    for title, question in QUESTIONS.items():
        took = median(first(question) for _ in range(RUNS))
        slowest = max(slowest, took)
        print(f"  first question: {title:18} {took:7.1f} ms of {LIMIT_MS:.0f}")
    return 1 if "--check" in sys.argv[1:] and (total > LIMIT_BYTES or slowest > LIMIT_MS) else 0


def first(question: str) -> float:
    program = PROGRAM.format(question=question)
    return float(subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True).stdout)


if __name__ == "__main__":
    sys.exit(main())
