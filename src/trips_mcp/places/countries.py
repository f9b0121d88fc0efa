"""Countries by two-letter code and by their names in many languages."""

from dataclasses import dataclass
from functools import cache

from trips_mcp.places.names import fold
from trips_mcp.places.tables import values


@dataclass(frozen=True, slots=True)
class Country:
    code: str
    """ISO 3166-1, two letters."""
    name: str
    """In English."""
    names: frozenset[str]
    """In every language the tables have, folded."""


def country(code: str) -> Country | None:
    return _by_code().get(code.upper())


@cache
def country_named(name: str) -> Country | None:
    """Look up a name in any language or a common short form (`UK`, `Holland`), but not a code."""
    return _by_name().get(fold(name))


@cache
def _by_code() -> dict[str, Country]:
    found: dict[str, Country] = {}
    for line in values("countries", "countries"):
        title, *names = line.removesuffix("|").split("|")
        code, name = title.split(" ", 1)
        found[code] = Country(code, name, frozenset(names))
    return found


@cache
def _by_name() -> dict[str, Country]:
    return {name: one for one in _by_code().values() for name in one.names}
