"""Clients from npm's registry, installed into a folder that later runs reuse."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Final

from registries import npm_install

from clients.pins import Pin

_SECONDS: Final = 240
_NO_WAY_THERE: Final = (
    "EAI_AGAIN|ECONNREFUSED|ECONNRESET|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|ERR_SOCKET_TIMEOUT|ETIMEDOUT|EIDLETIMEOUT"
)


class NotReachedError(Exception):
    """npm's registry gives no answer."""


class NotInstalledError(Exception):
    """The registry has no such client for this machine; the text is a phrase."""


def install(pin: Pin, cache: Path) -> Path:
    """The node_modules that has it. Its install scripts are not run.

    Raises: NotReachedError, NotInstalledError.
    """
    folder = cache / f"{pin.name}-{pin.version}"
    whole = folder / "is-whole"
    if not whole.exists():
        shutil.rmtree(folder, ignore_errors=True)
        _fetch(f"{pin.package}@{pin.version}", folder)
        whole.touch()
    return folder / "node_modules"


def _fetch(package: str, folder: Path) -> None:
    flags = ("--ignore-scripts", "--fetch-retries=1", "--fetch-timeout=60000")
    try:
        ended = npm_install(package, folder, *flags, seconds=_SECONDS)
    except subprocess.TimeoutExpired:
        raise NotReachedError from None
    expect_success(ended, package)


def expect_success(ended: "subprocess.CompletedProcess[str]", package: str) -> None:
    """Raises: NotReachedError, NotInstalledError."""
    if ended.returncode == 0:
        return
    code = re.search(r"npm error code (\S+)", ended.stderr)
    if code and re.fullmatch(_NO_WAY_THERE, code[1]):
        raise NotReachedError
    raise NotInstalledError(f"npm could not install {package} ({code[1] if code else f'exit {ended.returncode}'})")
