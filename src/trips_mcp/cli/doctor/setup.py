"""What can be told without asking anyone: versions and settings."""

import platform
from collections.abc import Iterator
from importlib.metadata import version
from urllib.parse import urlsplit

from trips_mcp.cli.doctor.finding import Finding
from trips_mcp.cli.environment import choice_of
from trips_mcp.settings import Api, Settings


def versions() -> Finding:
    packages = ", ".join(f"{name} {version(name)}" for name in ("trips-mcp", "mcp", "pydantic", "httpx"))
    return Finding("ok", "versions", f"{packages}; Python {platform.python_version()} on {platform.system()}")


def settings_in_words(settings: Settings) -> Iterator[Finding]:
    for notice in settings.notices:
        yield Finding("warn", "settings", notice)
    if settings.embedded:
        yield Finding("ok", "settings", "no account is set, so trips are kept on this computer (embedded backend)")
        return
    yield _api(settings, "trips", settings.trips_url, settings.trips_key, "OSOTO_API_KEY")
    yield _api(settings, "events", settings.events_url, settings.events_token, "TRAVELMODE_TOKEN")


def offered(settings: Settings) -> Finding:
    """Raises: CommandError where nothing can be offered."""
    choice = choice_of(settings)
    known = len(choice.entries) + len(choice.hidden)
    said = f"{len(choice.entries)} of {known} tools are offered{_limits(settings)}"
    if not choice.entries:
        return Finding("warn", "tools", f"{said}; mend the settings above.")
    secrets = "masked" if settings.masks_secrets(by_default=False) else "shown"
    return Finding("ok", "tools", f"{said}; secrets are {secrets}; `trips-mcp tools` lists them")


def _limits(settings: Settings) -> str:
    said = [
        *(["read-only"] if settings.read_only else []),
        *(["without outbound ones"] if settings.no_outbound else []),
        *([f"bound to the trip {settings.trip}"] if settings.trip else []),
        *([f"{len(settings.event_trips)} linked to events"] if settings.event_trips else []),
    ]
    return f" ({', '.join(said)})" if said else ""


def shortened(secret: str) -> str:
    """Enough to tell two keys apart, too little to use one."""
    if len(secret) < 16:
        return "…"
    prefix, _, _ = secret.partition("_")
    return f"{prefix}_…{secret[-4:]}" if len(prefix) < 5 else f"…{secret[-4:]}"


def _api(settings: Settings, api: Api, url: str, key: str | None, variable: str) -> Finding:
    if key is not None:
        return Finding("ok", "settings", f"{api} API at {_without_secrets(url)} with key {shortened(key)}")
    if api in settings.switched_off:
        return Finding("fail", "settings", f"{api} API is off, as {variable} holds no key but a reference to one.")
    return Finding("warn", "settings", f"{api} API is not set up, so its tools are not offered; {variable} would.")


def _without_secrets(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        return "what is no URL"
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
