"""Builds the page of a trip from views/ into the package: `python scripts/views.py`.

With `--check` it also checks the types, and only says whether the built page is out of date (exit 1). The exit code is
75 where npm's registry cannot be reached.
"""

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from clients.npm import NotInstalledError, NotReachedError, expect_success
from registries import NOT_RUN, node, npm_ci

ROOT: Final = Path(__file__).parent.parent
VIEWS: Final = ROOT / "views"
PAGE: Final = ROOT / "src/trips_mcp/formats/data/trip.html"
_SECONDS: Final = 300


def main() -> int:
    try:
        install()
    except (NotReachedError, subprocess.TimeoutExpired):
        print("npm's registry cannot be reached, so the page was not built.")
        return NOT_RUN
    except NotInstalledError as error:
        print(f"The page was not built: {error}.")
        return 1
    if "--check" not in sys.argv[1:]:
        return _run("build.mjs")
    with TemporaryDirectory(prefix="trips-mcp-views-") as folder:
        built = Path(folder) / "trip.html"
        if _run("node_modules/typescript/bin/tsc", "--noEmit", "-p", ".") or _run("build.mjs", built):
            return 1
        if built.read_bytes() == PAGE.read_bytes():
            return 0
    print(f"{PAGE.relative_to(ROOT)} is out of date: run `make views`", file=sys.stderr)
    return 1


def install() -> None:
    """Into views/node_modules, unless it holds what the lock file names.

    Raises: NotReachedError, NotInstalledError, subprocess.TimeoutExpired.
    """
    installed = VIEWS / "node_modules/.package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < (VIEWS / "package-lock.json").stat().st_mtime:
        expect_success(npm_ci(VIEWS, seconds=_SECONDS), "the packages of views/")


def _run(program: str, *words: str | Path) -> int:
    ended = node(VIEWS / program, *words, seconds=_SECONDS, cwd=VIEWS)
    print((ended.stdout + ended.stderr).strip())
    return ended.returncode


if __name__ == "__main__":
    sys.exit(main())
