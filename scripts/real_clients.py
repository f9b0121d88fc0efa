"""Runs popular clients against this server, to check what README and the docs say about them.

    python scripts/real_clients.py [NAME ...]

Each has a home folder of its own, and `uvx trips-mcp` there runs what is installed here, as there is no published
package. The clients come from npm's registry, in the versions of clients/pins.py, and are kept in the user's cache
folder. The exit code is 1 where a claim did not hold, and 75 where none failed but not all could be tried.
"""

import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Final

from clients import claude_code, codex, gemini_cli, inspector, mcp_remote, opencode, typescript_sdk
from clients.npm import NotInstalledError, NotReachedError, install
from clients.our_server import Served, served
from clients.pins import (
    CLAUDE_CODE,
    CODEX,
    GEMINI_CLI,
    INSPECTOR,
    MCP_REMOTE,
    OPENCODE,
    PINS,
    TYPESCRIPT_1,
    TYPESCRIPT_2,
    Pin,
)
from clients.tally import Tally
from platformdirs import user_cache_path
from registries import NOT_RUN

_AT_ONCE: Final = 2

Check = Callable[[Path, Served, Tally], None]

CHECKS: Final[dict[Pin, Check]] = {
    CLAUDE_CODE: claude_code.check,
    GEMINI_CLI: gemini_cli.check,
    CODEX: codex.check,
    OPENCODE: opencode.check,
    INSPECTOR: inspector.check,
    MCP_REMOTE: mcp_remote.check,
    TYPESCRIPT_1: typescript_sdk.check_version_1,
    TYPESCRIPT_2: typescript_sdk.check_version_2,
}


def main() -> int:
    names = sys.argv[1:] or [pin.name for pin in PINS]
    if unknown := set(names) - {pin.name for pin in PINS}:
        print(f"There is no client {', '.join(unknown)}; there are {', '.join(pin.name for pin in PINS)}.")
        return 2
    print("`uvx trips-mcp` stands for what is installed here, and the model's API for a script.\n", flush=True)
    chosen = [pin for pin in PINS if pin.name in names]
    began = monotonic()
    with ThreadPoolExecutor(_AT_ONCE) as pool, TemporaryDirectory(prefix="trips-mcp-clients-") as folder:
        try:
            places = list(pool.map(_installed, chosen))
        except NotReachedError:
            print("npm's registry cannot be reached, so the clients were not run.")
            return NOT_RUN
        with served(Path(folder)) as server:
            tallies: list[Tally] = []
            for tally in pool.map(_check, chosen, places, repeat(server)):
                print("\n".join(tally.lines), end="\n\n", flush=True)
                tallies.append(tally)
    print(f"All in {monotonic() - began:.0f} seconds")
    passed, failed, skipped = (sum(counts) for counts in zip(*(tally.counts for tally in tallies), strict=True))
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else NOT_RUN if skipped else 0


def _installed(pin: Pin) -> Path | NotInstalledError:
    """Raises: NotReachedError."""
    try:
        return install(pin, user_cache_path("trips-mcp-clients"))
    except NotInstalledError as error:
        return error


def _check(pin: Pin, modules: Path | NotInstalledError, server: Served) -> Tally:
    tally = Tally(server.secrets, [f"{pin.title} {pin.version}"])
    if isinstance(modules, NotInstalledError):
        tally.skip(modules)
        return tally
    began = monotonic()
    try:
        CHECKS[pin](modules, server, tally)
    except Exception as error:  # noqa: BLE001 - whatever becomes of one client, the others are run
        tally.fail("it went another way than the checks know", f"{type(error).__name__}: {error}")
    tally.lines.append(f"  {monotonic() - began:.0f} seconds")
    return tally


if __name__ == "__main__":
    sys.exit(main())
