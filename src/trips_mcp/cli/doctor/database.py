"""The embedded backend's database: where it is and what is there now."""

from trips_mcp.backend.store.location import file_of, locate, shown
from trips_mcp.cli.doctor.finding import Finding


def database(setting: str) -> Finding:
    """Raises: DatabaseError."""
    url = locate(setting)
    file = file_of(url)
    if file is None:
        return Finding("ok", "database", shown(url))
    if file.is_file():
        state = f"{file.stat().st_size / 1024:,.0f} KiB"
    else:  # what is in its place, if anything is, opening it will tell
        state = "will be looked at" if file.exists() else "not there yet, made at the first use"
    return Finding("ok", "database", f"{shown(url)}, {state}")
