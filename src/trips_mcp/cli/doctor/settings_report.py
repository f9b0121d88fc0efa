"""The doctor's report of each setting and its source, with secrets shortened."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from trips_mcp.cli.doctor.finding import Diagnosis
from trips_mcp.cli.doctor.redaction import bare_url, shortened, without_secrets
from trips_mcp.settings import EVENTS_URL, OF_HTTP, OURS, TRIPS_URL, Settings, has_reference, variable

Source = Literal["variable", "flag", "default"]

_KEYS: Final = ("OSOTO_API_KEY", "TRAVELMODE_TOKEN")
_URLS: Final = ("OSOTO_BASE_URL", "TRAVELMODE_BASE_URL")
_PREFIX: Final = "TRIPS_MCP_"
_ALL: Final = ("OSOTO_API_KEY", "OSOTO_BASE_URL", "TRAVELMODE_TOKEN", "TRAVELMODE_BASE_URL", *OURS)
_DEFAULTS: Final = {
    "OSOTO_BASE_URL": TRIPS_URL,
    "TRAVELMODE_BASE_URL": EVENTS_URL,
    "TRIPS_MCP_LOG": "warning",
    "TRIPS_MCP_READ_ONLY": "off",
    "TRIPS_MCP_NO_OUTBOUND": "off",
    "TRIPS_MCP_MASK_SECRETS": "off",
    "TRIPS_MCP_TRANSPORT": "stdio",
}


@dataclass(frozen=True, slots=True)
class Found:
    name: str
    value: str | None
    """Redacted; None if there is no value."""
    source: Source

    def as_json(self) -> dict[str, str | None]:
        return {"name": self.name, "value": self.value, "source": self.source}


def settings_found(env: Mapping[str, str], flags: Mapping[str, str], settings: Settings | None) -> list[Found]:
    """All settings. `settings`: None if one of them is invalid."""
    places: dict[str, str | None] = {}
    if settings is not None:
        places = {
            "TRIPS_MCP_DATABASE": settings.database,
            "TRIPS_MCP_JOURNAL": settings.journal,
            "TRIPS_MCP_HISTORY": settings.history,
        }
    found: list[Found] = []
    for name in _ALL:
        flag = "--" + name.removeprefix(_PREFIX).lower().replace("_", "-")
        if name.startswith(_PREFIX) and flag in flags:
            found.append(Found(flag, _shown(name, flags[flag].strip()), "flag"))
        elif text := variable(env, name):
            found.append(Found(name, _shown(name, text), "variable"))
        elif name not in OF_HTTP or name in _DEFAULTS:
            found.append(Found(name, _DEFAULTS.get(name, places.get(name)), "default"))
    return found


def as_findings(found: list[Found]) -> Iterator[Diagnosis]:
    """Findings for settings that are set. Other checks report the defaults that matter."""
    for one in found:
        if one.source != "default":
            said = f"{one.name} is {one.value} ({one.source})"
            yield Diagnosis("setting", "ok", said, facts=one.as_json())


def notices(settings: Settings) -> Iterator[Diagnosis]:
    """Keys that are references which were not expanded."""
    for sentence in settings.notices:
        yield Diagnosis("settings", "fail", without_secrets(sentence))


def _shown(name: str, text: str) -> str:
    if has_reference(text):
        return without_secrets(text) if name not in _KEYS else "a variable that was not expanded"
    if name in _KEYS:
        return shortened(text)
    if name in _URLS:
        return bare_url(text)
    return _database(text) if name == "TRIPS_MCP_DATABASE" else without_secrets(text)


def _database(text: str) -> str:
    from trips_mcp.backend.database_errors import DatabaseError
    from trips_mcp.backend.store.location import locate, shown

    try:
        return shown(locate(text))
    except DatabaseError:
        return "…"
