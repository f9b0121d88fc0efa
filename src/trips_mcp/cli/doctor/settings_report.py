"""The doctor's report of each setting and its source, with secrets shortened."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from trips_mcp.cli.doctor.finding import Diagnosis
from trips_mcp.redaction import bare_url, shortened, without_secrets
from trips_mcp.setting_values import has_reference
from trips_mcp.settings import Settings
from trips_mcp.settings_table import SETTINGS, TRANSPORT, Given, Setting

Source = Literal["variable", "flag", "default"]


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
    given = Given(env, flags)
    found: list[Found] = []
    for setting in SETTINGS:
        source, text = given.chosen(setting)
        if text:
            found.append(Found(source, _shown(setting, text), "variable" if source == setting.name else "flag"))
        elif not setting.http or setting is TRANSPORT:
            found.append(Found(setting.name, setting.default or _default_place(setting, settings), "default"))
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


def _default_place(setting: Setting[object], settings: Settings | None) -> str | None:
    if settings is None or setting.kind not in ("database", "file"):
        return None
    return getattr(settings, setting.field.removeprefix("chosen_"))


def _shown(setting: Setting[object], text: str) -> str:
    if has_reference(text):
        return without_secrets(text) if setting.kind != "key" else "a variable that was not expanded"
    if setting.kind == "key":
        return shortened(text)
    if setting.kind == "url":
        return bare_url(text)
    return _database(text) if setting.kind == "database" else without_secrets(text)


def _database(text: str) -> str:
    from trips_mcp.backend.database_errors import DatabaseError
    from trips_mcp.backend.store.location import locate, shown

    try:
        return shown(locate(text))
    except DatabaseError:
        return "…"
