"""The doctor's checks of this computer: versions, time zones, uvx, proxies and certificates."""

import os
import platform
import sqlite3
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from trips_mcp.cli.command import CommandError
from trips_mcp.cli.doctor import Diagnosis
from trips_mcp.cli.install.machine import Machine
from trips_mcp.redaction import bare_url, without_secrets

_PACKAGES: Final = ("trips-mcp", "mcp", "pydantic", "httpx")
_ZONES: Final = ("Europe/Paris", "Asia/Tokyo", "US/Pacific", "Asia/Calcutta")
"""Two zones that every table has, and two former names that some tables lack."""
_PROXIES: Final = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
_CERTIFICATES: Final = ("SSL_CERT_FILE", "SSL_CERT_DIR")


def versions() -> Diagnosis:
    packages = {name: _version(name) for name in _PACKAGES}
    others = {"python": platform.python_version(), "sqlite": sqlite3.sqlite_version}
    system = f"{platform.system()} {platform.release()} on {platform.machine()}"
    said = ", ".join(f"{name} {number}" for name, number in packages.items())
    said += f"; Python {others['python']}, SQLite {others['sqlite']}, {system}"
    return Diagnosis("versions", "ok", said, facts={**packages, **others, "platform": system})


def time_zones() -> Diagnosis:
    """Checks the system's zones and the package tzdata together, as zoneinfo does."""
    missing = [name for name in _ZONES if not _is_known(name)]
    facts = {"tzdata": _version("tzdata"), "missing": missing}
    if not missing:
        return Diagnosis(
            "time-zones", "ok", f"known, also by their former names (tzdata {facts['tzdata']})", facts=facts
        )
    to_do = "Install the package tzdata where trips-mcp is installed; times in these zones are refused until then."
    return Diagnosis("time-zones", "warn", f"not known: {', '.join(missing)}", to_do, facts)


def _is_known(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def uvx() -> Diagnosis:
    """The program that clients use to start the server."""
    try:
        found = Machine.this().find_uvx()
    except CommandError as error:
        return Diagnosis("uvx", "warn", str(error), "Clients find their settings in it.", {"path": None})
    if found is None:
        return Diagnosis(
            "uvx",
            "warn",
            "not found, and clients start this server with it",
            "Install uv (https://docs.astral.sh/uv), or have them start trips-mcp by its own path.",
            {"path": None},
        )
    return Diagnosis("uvx", "ok", found, facts={"path": found})


def network_settings(env: Mapping[str, str] = os.environ) -> Iterator[Diagnosis]:
    """Reports only variables that are set; most people have no proxy."""
    for name in _PROXIES:
        for spelled in (name, name.lower()):
            if value := env.get(spelled, "").strip():
                shown = without_secrets(value) if name == "NO_PROXY" else bare_url(value)
                facts = {"variable": spelled, "value": shown}
                yield Diagnosis("proxy", "ok", f"{spelled} is {shown}", facts=facts)
    for name in _CERTIFICATES:
        if value := env.get(name, "").strip():
            facts = {"variable": name, "value": value}
            if Path(value).exists():
                yield Diagnosis("certificates", "ok", f"{name} is {value}", facts=facts)
            else:
                yield Diagnosis(
                    "certificates", "fail", f"{name} is {value}, which does not exist", f"Fix or unset {name}.", facts
                )


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"
