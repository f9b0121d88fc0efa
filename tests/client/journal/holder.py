"""A process with a write in progress: `holder.py FILE DIGEST [fork]`, until it is killed.

It prints the key it noted; with `fork`, a child that goes on living prints its id too.
"""

import os
import signal
import sys
from pathlib import Path

import anyio

from trips_mcp.client.journal import SqliteJournal


async def hold(file: Path, digest: str, *words: str) -> None:
    journal = SqliteJournal(file)
    intent = await journal.begin(digest, "send_message")
    print(intent.key, flush=True)  # noqa: T201 - what the test reads
    if "fork" in words and not os.fork():
        print(os.getpid(), flush=True)  # noqa: T201
        signal.pause()
    await anyio.sleep_forever()


if __name__ == "__main__":
    anyio.run(hold, Path(sys.argv[1]), *sys.argv[2:])
