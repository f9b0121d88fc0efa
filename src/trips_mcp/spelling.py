"""The known names nearest to a misspelled one. Imports only the standard library."""

from collections.abc import Iterable


def nearest(name: str, known: Iterable[str], most: int = 1) -> list[str]:
    """Ignores case, and treats - as _. Empty if no name is near."""
    from difflib import get_close_matches  # only for an error

    names = {_folded(one): one for one in known}
    return [names[found] for found in get_close_matches(_folded(name), names, n=most)]


def _folded(name: str) -> str:
    return name.lower().replace("-", "_")
