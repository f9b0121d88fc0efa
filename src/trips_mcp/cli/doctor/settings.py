"""The doctor's report of each setting and its source, with secrets shortened.

It also checks the settings of a server over HTTP, and that the trip of `--trip` exists.
"""

import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import anyio
from sqlalchemy import select

from trips_mcp.addresses import is_loopback
from trips_mcp.backend.store import DatabaseError
from trips_mcp.backend.store.database import file_of, in_memory, locate, open_database
from trips_mcp.cli.doctor import Diagnosis
from trips_mcp.cli.doctor.apis import Obstacle, ask
from trips_mcp.cli.doctor.storage import LeftOpenError, read_only
from trips_mcp.client.endpoint import Endpoint
from trips_mcp.client.errors import NotFoundError, TripsError
from trips_mcp.client.responses import read
from trips_mcp.contract.trips import GET_TRIP, GetTrip
from trips_mcp.redaction import bare_url, shortened, without_secrets
from trips_mcp.setting_values import SettingsError, has_reference
from trips_mcp.settings import Settings
from trips_mcp.settings_table import SETTINGS, TRANSPORT, Given, Setting

if TYPE_CHECKING:
    from trips_mcp.server.http.settings import HttpSettings


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
    from trips_mcp.backend.store import DatabaseError
    from trips_mcp.backend.store.database import locate, shown

    try:
        return shown(locate(text))
    except DatabaseError:
        return "…"


@dataclass(frozen=True, slots=True)
class HttpMode:
    finding: Diagnosis
    of_callers: bool
    """Whether each call brings its own key."""


def http_mode(env: Mapping[str, str], flags: Mapping[str, str]) -> HttpMode | None:
    """None if no flag or variable of HTTP is set, or the transport is stdio."""
    given = Given(env, flags)
    if (
        not any(given.chosen(setting)[1] for setting in SETTINGS if setting.http)
        or given.chosen(TRANSPORT)[1] == TRANSPORT.default
    ):
        return None
    from trips_mcp.server.http.settings import HttpSettings

    try:
        return _looked_at(HttpSettings.from_env(env, flags))
    except SettingsError as error:
        return HttpMode(Diagnosis("http", "fail", "a server over HTTP would not start", str(error)), of_callers=False)


def _looked_at(http: "HttpSettings") -> HttpMode:
    from trips_mcp.server.http.settings import UnsafeAuthError, auth_of

    here = is_loopback(http.host)
    facts: dict[str, object] = {"host": http.host, "port": http.port, "allowedHosts": list(http.allowed_hosts)}
    try:
        auth = auth_of(http, http.host)
    except UnsafeAuthError as error:
        found = f"TRIPS_MCP_AUTH is none, and {error.why}"
        to_do = f"The server does not start like this; {error.to_do}, or set TRIPS_MCP_AUTH to key."
        return HttpMode(Diagnosis("http", "fail", found, to_do, {**facts, "auth": http.auth}), of_callers=False)
    facts["auth"] = auth
    who = "each call needs its caller's key" if auth == "key" else "anybody on this computer may call"
    found = f"{http.host} port {http.port}, {who}"
    if not here and not http.allowed_hosts:
        to_do = "Only calls to localhost are answered; set TRIPS_MCP_ALLOWED_HOST to the name that others call."
        return HttpMode(Diagnosis("http", "warn", found, to_do, facts), auth == "key")
    if not here:
        to_do = "Keys and trips travel unencrypted; put a TLS proxy in front."
        return HttpMode(Diagnosis("http", "warn", found, to_do, facts), auth == "key")
    return HttpMode(Diagnosis("http", "ok", found, facts=facts), auth == "key")


_TO_DO: Final = "Set --trip (TRIPS_MCP_TRIP) to an id that `trips-mcp call list_trips` shows without it."


async def bound_trip(settings: Settings, endpoint: Endpoint | None, seconds: float) -> Diagnosis | None:
    """`endpoint`: of the Trips API; None without a key. Returns None if the answer is unknown."""
    if settings.trip is None:
        return None
    try:
        with anyio.fail_after(seconds):
            if settings.one_store:
                exists = await _in_database(settings.database, settings.trip)
            else:
                exists = None if endpoint is None else await _in_api(endpoint, settings.trip)
    except (TimeoutError, DatabaseError, LeftOpenError, sqlite3.Error, OSError):
        return None  # the checks of the database and the API report the problem
    if exists is None:
        return None
    facts = {"tripId": settings.trip, "exists": exists}
    if exists:
        return Diagnosis("trip", "ok", f"the server is bound to the trip {settings.trip}, which exists", facts=facts)
    return Diagnosis("trip", "fail", f"there is no trip {settings.trip}, to which the server is bound", _TO_DO, facts)


async def _in_database(setting: str, trip: str) -> bool | None:
    url = locate(setting)
    if in_memory(url):
        return None
    file = file_of(url)
    return await _on_a_server(setting, trip) if file is None else _in_file(file, trip)


def _in_file(file: Path, trip: str) -> bool:
    """Does not create the file or its tables."""
    if not file.exists():
        return False
    with read_only(file) as db:
        tables = db.execute("SELECT 1 FROM sqlite_master WHERE name = 'trips'").fetchall()
        return bool(tables and db.execute("SELECT 1 FROM trips WHERE id = ?", (trip,)).fetchall())


async def _on_a_server(setting: str, trip: str) -> bool:
    from trips_mcp.backend.store.tables import trips

    async with open_database(setting) as database, database.reading() as db:
        return (await db.execute(select(trips.c.id).where(trips.c.id == trip))).one_or_none() is not None


async def _in_api(endpoint: Endpoint, trip: str) -> bool | None:
    asked = GetTrip(trip_id=trip)
    came = await ask(endpoint, GET_TRIP, asked, "OSOTO_BASE_URL")
    if isinstance(came, Obstacle):
        return None
    try:
        read(GET_TRIP, asked, came.answer, endpoint.key)
    except NotFoundError:
        return False
    except TripsError:
        return None
    return True
