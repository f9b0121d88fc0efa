"""What a share link's files take: a calendar feed, a map and the page of a trip of 500 items.

    python benchmarks/files.py [--check]

From the shared export, as it is read, to the bytes that are sent. `--check` exits 1 where the median is past its bound.
"""

import statistics
import sys
from datetime import UTC, date, datetime, timedelta
from time import perf_counter
from typing import Any, Final

from trips_mcp.contract.shares import SharedExport
from trips_mcp.server.http.shared_files import rendered

BOUNDS: Final = {"calendar.ics": 150, "places.geojson": 150, "": 500}
"""Milliseconds."""
RUNS: Final = 7
TOWNS: Final = ("Tokyo", "Kyoto", "Honolulu", "Lisbon", "Vienna", "Sydney")


def trip(items: int = 500) -> SharedExport:
    """Half of it commitments, the rest pins and legs with a stay and a flight each."""
    first = date(2027, 3, 1)
    legs: list[dict[str, Any]] = []
    for number in range(items // 10):
        starts, ends = (str(first + timedelta(days)) for days in (3 * number, 3 * number + 3))
        flight = {"airline": "JL", "flightNumber": str(number), "from": "HND", "to": "LHR"}
        times = {"departure": f"{starts}T10:00", "arrival": f"{starts}T16:00"}
        place = {"title": TOWNS[number % 6], "destination": TOWNS[number % 6], "timezone": "Asia/Tokyo"}
        stay = {"name": f"Hotel {number}", "address": "1-2 Example-cho"}
        leg = {"_id": f"leg_{number}", "order": number, "startDate": starts, "endDate": ends, "accommodation": stay}
        legs.append(leg | place | {"flights": [flight | times]})
    plans = [
        {
            "_id": f"com_{number}",
            "title": f"Plan {number}",
            "startDate": str(first + timedelta(number % 150)),
            "startTime": f"{8 + number % 12:02}:00",
            "timezone": "Asia/Tokyo",
            "category": "activity",
        }
        for number in range(items // 2)
    ]
    pins = [
        {"_id": f"pin_{number}", "name": f"Place {number}", "lat": 35 + number / 100, "lng": 139.0, "category": "sight"}
        for number in range(items // 5)
    ]
    whole = {"_id": "trip_1", "title": "All of it", "startDate": "2027-03-01", "endDate": "2027-07-29"}
    return SharedExport.model_validate({"trip": whole, "legs": legs, "commitments": plans, "mapPins": pins})


def main() -> int:
    shared = trip()
    late = False
    print("A share link's files of a trip of 500 items, from the export to bytes")
    for file, bound in BOUNDS.items():
        size = len(rendered(file, shared, datetime.now(UTC)))  # imports
        taken: list[float] = []
        for _ in range(RUNS):
            began = perf_counter()
            rendered(file, shared, datetime.now(UTC))
            taken.append((perf_counter() - began) * 1000)
        middle = statistics.median(taken)
        late |= middle > bound
        print(f"  {file or 'page':15} {middle:6.0f} ms, median of {RUNS} (at most {bound}); {size:,} bytes")
    return 1 if late and "--check" in sys.argv[1:] else 0


if __name__ == "__main__":
    sys.exit(main())
