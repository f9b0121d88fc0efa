"""A backup of all trips for a cron job: one JSON file each; only changed ones are written again.

    uv run examples/nightly_backup.py ~/trips-backup

The files hold door codes and booking numbers, so only their owner may read them. A file stays when its trip is gone,
and restore_backup.py brings it back. Messages are not in them. Exit code 1 where a trip could not be saved.
"""

import argparse
import json
import os
import sys
import tempfile
from collections import Counter
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

import anyio
from whole_trip import exit_code, read_whole

from trips_mcp.client import TripsClient, TripsError
from trips_mcp.connect import connect
from trips_mcp.contract.trips import Trip
from trips_mcp.settings import Settings

PATIENCE = 90.0
"""Seconds for each call; with many trips, a call may wait a minute for the rate limit."""


async def back_up(settings: Settings, folder: Path) -> int:
    done = Counter[str]()
    async with connect(settings, deadline=PATIENCE) as client:
        async for trip in client.iterate_trips():
            try:
                text = await saved(client, settings, trip)
                changed = write(folder / f"{quote(trip.id, safe='')}.json", text)
                done["written" if changed else "unchanged"] += 1
            except (TripsError, OSError) as error:
                done["failed"] += 1
                why = error.strerror if isinstance(error, OSError) else error
                sys.stderr.write(f"The trip {trip.id} was not saved: {why}\n")
    print(f"{done.total()} trips: {done['written']} written, {done['unchanged']} unchanged, {done['failed']} failed")
    return 1 if done["failed"] else 0


async def saved(client: TripsClient, settings: Settings, trip: Trip) -> str:
    export, events = await read_whole(client, settings, trip)
    whole = export.model_dump(mode="json", exclude_none=True)
    whole["events"] = [event.model_dump(mode="json", exclude_none=True) for event in events]
    return json.dumps(whole, ensure_ascii=False, indent=2, sort_keys=True) + "\n"


def write(file: Path, text: str) -> bool:
    """Whether it was written. Writes are atomic, so an interrupted run leaves yesterday's file."""
    with suppress(FileNotFoundError, UnicodeDecodeError):
        if file.read_text(encoding="utf-8") == text:
            file.chmod(0o600)
            return False
    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=".new-")  # for its owner alone, from the start
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as new:
            new.write(text)
            new.flush()
            os.fsync(new.fileno())
        Path(name).replace(file)
    finally:
        Path(name).unlink(missing_ok=True)
    return True


def main() -> int:
    parser = argparse.ArgumentParser(description="Save all trips, a file each.")
    parser.add_argument("folder", type=Path, help="made if it is not there")
    folder: Path = parser.parse_args().folder

    async def work(settings: Settings) -> int:
        await anyio.Path(folder).mkdir(mode=0o700, parents=True, exist_ok=True)
        return await back_up(settings, folder)

    return exit_code(work)


if __name__ == "__main__":
    sys.exit(main())
