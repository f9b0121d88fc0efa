"""Runs the tests of the page in Chromium: `python scripts/browser.py [TEST ...]`, such as `chat`.

They start servers of their own, and drive the page as a file, in a host with the reference library, and in MCP
Inspector. SCREENSHOTS names a folder for pictures of what they saw, CHROMIUM the browser. The exit code is 75 where
there is no Chromium or npm's registry cannot be reached.
"""

import os
import shutil
import subprocess
import sys
from typing import Final

from clients.npm import NotInstalledError, NotReachedError, install
from clients.pins import INSPECTOR
from platformdirs import user_cache_path
from registries import NODE, NOT_RUN

from views import VIEWS
from views import install as install_views

_SECONDS: Final = 600
_A_TEST_MS: Final = 300_000
_BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome")


def main() -> int:
    chromium = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, _BROWSERS)), None)
    if chromium is None:
        print("There is no Chromium, so the page was not tried in it.")
        return NOT_RUN
    tests = [VIEWS / f"tests/{name}.test.mjs" for name in sys.argv[1:]] or sorted(VIEWS.glob("tests/*.test.mjs"))
    try:
        install_views()
        inspector = install(INSPECTOR, user_cache_path("trips-mcp-clients"))
    except (NotReachedError, subprocess.TimeoutExpired):
        print("npm's registry cannot be reached, so the page was not tried in a browser.")
        return NOT_RUN
    except NotInstalledError as error:
        print(f"The page was not tried in a browser: {error}.")
        return 1
    # One file at a time: each starts a server and a browser.
    flags = ("--test", "--test-concurrency=1", f"--test-timeout={_A_TEST_MS}", "--test-reporter=spec")
    found = {"CHROMIUM": chromium, "INSPECTOR": str(inspector), "VIEWS_PYTHON": sys.executable}
    command = [NODE / "node", *flags, *tests]
    try:
        return subprocess.run(command, cwd=VIEWS, env={**os.environ, **found}, timeout=_SECONDS, check=False).returncode
    except subprocess.TimeoutExpired:
        print(f"The tests took longer than {_SECONDS} seconds.")
        return 1


if __name__ == "__main__":
    sys.exit(main())
