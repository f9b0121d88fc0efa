"""The doctor's check of the tools that a server with these settings offers."""

from trips_mcp.cli.command import CommandError
from trips_mcp.cli.doctor.finding import Diagnosis
from trips_mcp.cli.environment import choice_of
from trips_mcp.settings import Settings


def offered(settings: Settings) -> Diagnosis:
    try:
        choice = choice_of(settings)
    except CommandError as error:
        return Diagnosis("tools", "fail", "none is offered", str(error), {"offered": 0})
    known = len(choice.entries) + len(choice.hidden)
    facts = {"offered": len(choice.entries), "known": known}
    said = f"{len(choice.entries)} of {known} tools are offered{_limits(settings)}"
    if not choice.entries:
        return Diagnosis("tools", "warn", said, "Fix the settings above.", facts)
    secrets = "masked" if settings.masks_secrets(by_default=False) else "shown"
    return Diagnosis("tools", "ok", f"{said}; secrets are {secrets}; `trips-mcp tools` lists them", facts=facts)


def scopes_needed(settings: Settings) -> dict[str, list[str]]:
    """The offered tools, by required scope."""
    needed: dict[str, list[str]] = {}
    for entry in choice_of(settings).entries:
        if entry["api"] == "trips" and ":" in entry["scope"]:
            needed.setdefault(entry["scope"], []).append(entry["listing"]["name"])
    return needed


def _limits(settings: Settings) -> str:
    said = [
        *(["read-only"] if settings.read_only else []),
        *(["without outbound ones"] if settings.no_outbound else []),
        *([f"bound to the trip {settings.trip}"] if settings.trip else []),
        *([f"{len(settings.event_trips)} linked to events"] if settings.event_trips else []),
    ]
    return f" ({', '.join(said)})" if said else ""
