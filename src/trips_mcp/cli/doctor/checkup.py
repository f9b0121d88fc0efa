"""The doctor's sequence of checks, from local facts to network requests. It changes nothing."""

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, get_args

import anyio

from trips_mcp.cli.doctor import Diagnosis
from trips_mcp.cli.doctor.apis import examine_api, not_set_up, trips_endpoint
from trips_mcp.cli.doctor.computer import network_settings, time_zones, uvx, versions
from trips_mcp.cli.doctor.key import offered
from trips_mcp.cli.doctor.settings import Found, HttpMode, as_findings, bound_trip, http_mode, notices, settings_found
from trips_mcp.cli.doctor.storage import HISTORY, JOURNAL, database, is_on_a_server
from trips_mcp.settings import Api, Settings, SettingsError

_SECONDS_FOR_A_DATABASE: Final = 5.0

Tell = Callable[[Diagnosis], None]


@dataclass(slots=True)
class Report:
    settings: list[Found] = field(default_factory=list[Found])
    findings: list[Diagnosis] = field(default_factory=list[Diagnosis])

    @property
    def wrong(self) -> int:
        return sum(finding.level == "fail" for finding in self.findings)

    @property
    def hints(self) -> int:
        return sum(finding.level == "warn" for finding in self.findings)


async def examine(flags: Mapping[str, str], tell: Tell) -> Report:
    """Calls `tell` with each finding as soon as it is known."""
    report = Report()

    def note(finding: Diagnosis) -> None:
        report.findings.append(finding)
        tell(finding)

    http = http_mode(os.environ, flags)
    settings, mistake = _settings(flags, http)
    report.settings = settings_found(os.environ, flags, settings)
    for finding in _at_hand(report.settings, http, settings, mistake):
        note(finding)
    if settings is not None:
        for finding in await _looked_at(settings, of_callers=http is not None and http.of_callers):
            note(finding)
    return report


def _settings(flags: Mapping[str, str], http: HttpMode | None) -> tuple[Settings | None, str]:
    try:
        if http is None or not http.of_callers:
            return Settings.from_env(os.environ, flags), ""
        from trips_mcp.server.http.settings import settings_of_callers

        return settings_of_callers(os.environ, flags), ""
    except SettingsError as error:
        return None, str(error)


def _at_hand(found: list[Found], http: HttpMode | None, settings: Settings | None, mistake: str) -> Iterator[Diagnosis]:
    yield versions()
    yield time_zones()
    yield uvx()
    yield from network_settings()
    yield from as_findings(found)
    if http is not None:
        yield http.finding
    if settings is None:
        yield Diagnosis("settings", "fail", mistake, "Fix that first; the rest is checked then.")
        return
    yield from notices(settings)
    yield offered(settings)


async def _looked_at(settings: Settings, *, of_callers: bool) -> list[Diagnosis]:
    """Runs the slow checks concurrently, and returns their findings in a fixed order."""
    parts: list[list[Diagnosis]] = []

    async def look(part: list[Diagnosis], api: Api) -> None:
        part += await examine_api(api, settings, of_callers=of_callers)

    async def look_for_trip(part: list[Diagnosis]) -> None:
        key = None if of_callers else settings.trips_key
        endpoint = trips_endpoint(settings.trips_url, key) if key else None
        if (found := await bound_trip(settings, endpoint, _SECONDS_FOR_A_DATABASE)) is not None:
            part.append(found)

    async with anyio.create_task_group() as tasks:
        if settings.one_store:
            parts.append([_embedded(settings)])
            parts.append(await database(settings.database, _SECONDS_FOR_A_DATABASE))
        else:
            for api in get_args(Api):
                parts.append(part := [])
                if api in settings.apis:
                    tasks.start_soon(look, part, api)
                else:
                    part.append(not_set_up(api, settings))
        parts.append(trip := [])
        tasks.start_soon(look_for_trip, trip)
        parts.append(JOURNAL.examine(settings.journal))
        parts.append(HISTORY.examine(settings.history))
    return [finding for part in parts for finding in part]


def _embedded(settings: Settings) -> Diagnosis:
    place, on = ("there", " on PostgreSQL") if is_on_a_server(settings.database) else ("on this computer", "")
    who = "for everybody with one of its keys" if settings.team else f"no account is set, so trips are kept {place}"
    return Diagnosis("api", "ok", f"the embedded backend{on}, {who}", facts={"embedded": True})
