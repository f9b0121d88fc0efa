"""Parsers of settings' texts. Each takes the name of the flag or variable, for its error, and the text.

Every start imports this module, so it imports only the standard library. All parsers raise SettingsError.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Final, Literal, TypeGuard, get_args

from trips_mcp.scopes import Scope

if TYPE_CHECKING:
    from trips_mcp.addresses import TrustedProxies


Log = Literal["debug", "info", "warning", "error"]
Transport = Literal["http", "sse"]
Auth = Literal["key", "none"]

_ON: Final = ("1", "true", "yes", "on")
_OFF: Final = ("0", "false", "no", "off")
SWITCH_WORDS: Final = (*_ON, *_OFF)
_LARGEST_NUMBER: Final = 2**53 - 1
# These patterns are compiled on use, as most starts need none of them.
_NAME: Final = r"[A-Za-z_]\w*"
_REFERENCE: Final = (
    r"\$\{[^{}]*\}|\$?\{\{[^{}]*\}\}|\{(?:env[:.]|file:)[^{}]*\}|\$\([^()]*\)|op://\S+"
    rf"|\$(?:env:)?{_NAME}|%{_NAME}%"
)
"""A value that is only a variable reference, in the forms of MCP clients, shells and CI systems."""
_HAS_REFERENCE: Final = rf"\$\{{|\{{\{{|\{{(?:env[:.]|file:)|^(?:\$\({_NAME}\)|\$(?:env:)?{_NAME}(?:[/\\]|$)|%{_NAME}%)"
"""A reference inside a value. `$NAME` and `%NAME%` count only at the start: a URL may contain `$` and `%41%`."""
_HOST_NAME: Final = r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?"
_HOST: Final = _HOST_NAME
_ORIGIN: Final = rf"https?://{_HOST_NAME}|(?!https?:)[A-Za-z][A-Za-z0-9+.-]*://[A-Za-z0-9_.:\[\]-]+"
"""Origins of web pages, and of programs with their own scheme, such as `vscode-file://vscode-app`."""


_LEFT_EMPTY: Final = r"\s*\$\{user_config\.\w+\}\s*"
"""The placeholder that a bundle's host may pass for a field that its user left empty."""
_SERVICE_LINK: Final = (
    r"TRIPS_MCP_(?:SERVICE_(?:HOST|PORT(?:_[A-Z0-9_]+)?)|PORT_[0-9]+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)"
)
"""Variables that Kubernetes sets in each container for a Service named trips-mcp."""
_SERVICE_ADDRESS: Final = r"(?:tcp|udp|sctp)://\S+"
"""What Kubernetes sets as TRIPS_MCP_PORT, the name of our own setting."""


class SettingsError(ValueError):
    """Invalid setting; the message is one sentence and never contains a key."""


def variable(env: Mapping[str, str], name: str, *, is_key: bool = False) -> str:
    """The text of a variable, empty if it is not set, or if Kubernetes set it for a Service named trips-mcp.

    The placeholder of an empty field counts as not set, but an unexpanded key counts as set, so we never fall back to
    the local file.
    """
    text = env.get(name, "").strip()
    if not text:
        return ""
    return "" if is_service_link(name, text) or (not is_key and re.fullmatch(_LEFT_EMPTY, text)) else text


def is_service_link(name: str, text: str) -> bool:
    """Whether Kubernetes injected this variable. No valid setting has such a name or value."""
    is_address = name == "TRIPS_MCP_PORT" and re.fullmatch(_SERVICE_ADDRESS, text) is not None
    return is_address or re.fullmatch(_SERVICE_LINK, name) is not None


def is_reference(text: str) -> bool:
    """Whether the text is only an unexpanded variable."""
    return bool(text) and re.fullmatch(_REFERENCE, text) is not None


def has_reference(text: str) -> bool:
    """Whether the text contains an unexpanded variable."""
    return re.search(_HAS_REFERENCE, text) is not None


def text(source: str, text: str) -> str:
    if has_reference(text):
        raise SettingsError(
            f"{source} still has a variable in it that was not expanded, such as ${{NAME}}; write out its value."
        )
    return text


def key(source: str, text: str) -> str:
    if has_reference(text) or not (text.isascii() and text.isprintable() and " " not in text):
        raise SettingsError(f"{source} holds characters that no key has; copy the key again, alone.")
    return text


def host(source: str, given: str) -> str:
    """An address without the brackets of IPv6."""
    return text(source, given).removeprefix("[").removesuffix("]")


def scopes(source: str, given: str) -> tuple[str, ...]:
    listed = tuple(_words(source, given))
    if not listed or not all(map(_is_scope, listed)):
        raise SettingsError(
            f"{source} must list the key's scopes, each trips:read, trips:write, messages:read or "
            "messages:write, with :<tripId> behind it where the key is limited to a trip."
        )
    return listed


def log(source: str, given: str) -> Log:
    level = text(source, given).lower()
    if not _is_log(level):
        raise SettingsError(f"{source} must be one of {', '.join(get_args(Log))}.")
    return level


def names(source: str, given: str) -> tuple[str, ...]:
    listed = tuple(_words(source, given))
    if not listed:
        raise SettingsError(f"{source} names nothing; list names with commas between them, or leave it out.")
    return listed


def switch(source: str, given: str) -> bool:
    word = text(source, given).lower()
    if word not in SWITCH_WORDS:
        raise SettingsError(f"{source} must be one of {', '.join(_ON)}, or of {', '.join(_OFF)}.")
    return word in _ON


def trip(source: str, given: str) -> str:
    if not _is_trip_id(text(source, given)):
        raise SettingsError(f"{source} must be the id of one trip, exactly as list_trips gives it.")
    return given


def event_trips(source: str, given: str) -> dict[str, int]:
    links: dict[str, int] = {}
    for link in _words(source, given):
        trip, _, number = link.partition("=")
        if not _is_trip_id(trip) or not _is_number(number) or links.setdefault(trip, int(number)) != int(number):
            raise SettingsError(
                f"{source} must give trips their number in the Events API, as <tripId>=42, with commas between them."
            )
    if not links:
        raise SettingsError(f"{source} names nothing; list <tripId>=42 with commas between them, or leave it out.")
    return links


def transport(source: str, given: str) -> Transport:
    word = text(source, given)
    if not _is_transport(word):
        raise SettingsError(f"{source} must be stdio, http or sse.")
    return word


def auth(source: str, given: str) -> Auth:
    word = text(source, given)
    if not _is_auth(word):
        raise SettingsError(f"{source} must be key or none.")
    return word


def number_in(within: range) -> Callable[[str, str], int]:
    def number(source: str, given: str) -> int:
        digits = text(source, given)
        if not (digits.isascii() and digits.isdigit() and len(digits) < 9 and int(digits) in within):
            raise SettingsError(f"{source} must be a number from {within[0]} to {within[-1]}.")
        return int(digits)

    return number


def rate_limit(source: str, given: str) -> int | None:
    """None for no limit."""
    limit = text(source, given)
    if limit == "off":
        return None
    if limit.isascii() and limit.isdigit() and len(limit) < 10 and int(limit) > 0:
        return int(limit)
    raise SettingsError(f"{source} must be how many requests a minute each key may make, or off.")


def allowed_hosts(source: str, given: str) -> tuple[str, ...]:
    return _matching(source, given, _HOST, "names of hosts, as trips.example.com")


def allowed_origins(source: str, given: str) -> tuple[str, ...]:
    return _matching(source, given, _ORIGIN, "origins, as https://app.example.com")


def trusted_proxies(source: str, given: str) -> "TrustedProxies":
    from trips_mcp.addresses import TrustedProxies  # a start over stdio does not need it

    try:
        return TrustedProxies(_words(source, given))
    except ValueError:
        raise SettingsError(
            f"{source} must list addresses of proxies, as 10.0.0.5 or 10.0.0.0/24, with commas between them."
        ) from None


def _words(source: str, given: str) -> list[str]:
    return text(source, given).replace(",", " ").split()


def _matching(source: str, given: str, pattern: str, what: str) -> tuple[str, ...]:
    listed = _words(source, given)
    if not all(re.fullmatch(pattern, word) for word in listed):
        raise SettingsError(f"{source} must list {what}, with commas between them.")
    return tuple(word.lower() for word in listed)


def _is_trip_id(text: str) -> bool:
    """Whether the text can be one segment of a URL's path and one word of a list."""
    return len(text) <= 256 and text.isprintable() and text.strip(".") != "" and not set(text) & set(" ,=/\\%")


def _is_scope(word: str) -> bool:
    try:
        return ":" not in (Scope.parse(word).trip_id or "")
    except ValueError:
        return False


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 16 and 1 <= int(text) <= _LARGEST_NUMBER


def _is_log(word: str) -> TypeGuard[Log]:
    return word in get_args(Log)


def _is_transport(word: str) -> TypeGuard[Transport]:
    return word in get_args(Transport)


def _is_auth(word: str) -> TypeGuard[Auth]:
    return word in get_args(Auth)


_LEAST: Final = 0.65
"""Of difflib's ratio. At its default of 0.6 short words have strange neighbours: `--format`, `--port`."""


def nearest(name: str, known: Iterable[str], most: int = 1) -> list[str]:
    """The known names nearest to a misspelled one. Ignores case and the form of dashes. Empty if none is near."""
    from difflib import get_close_matches  # only for an error

    names = {_folded(one): one for one in known}
    return [names[found] for found in get_close_matches(_folded(name), names, n=most, cutoff=_LEAST)]


def _folded(name: str) -> str:
    return name.lower().lstrip("-").replace("-", "_")
