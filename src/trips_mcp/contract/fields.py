"""Field types (docs/contract.md#validation), and what fields hold: other people's words, secrets.

Values stay strings as on the wire, so reading and writing back changes nothing.
"""

import re
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Annotated, Final
from urllib.parse import unquote
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer
from pydantic_core import PydanticCustomError

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]")
_ZONE = re.compile(r"(?!posix/|right/|localtime$|posixrules$|Factory$)[A-Za-z][A-Za-z0-9_+-]*(?:/[A-Za-z0-9_+-]+)*")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def _real_date(text: str) -> str:
    try:
        if _DATE.fullmatch(text):
            date.fromisoformat(text)
            return text
    except ValueError:
        pass
    raise PydanticCustomError("date", "not a real date, expected YYYY-MM-DD")


def _clock_time(text: str) -> str:
    if not _TIME.fullmatch(text):
        raise PydanticCustomError("time", "not a time of day, expected HH:mm (24-hour)")
    return text


def _local_datetime(text: str) -> str:
    day, _, time = text.partition("T")
    try:
        _real_date(day)
        _clock_time(time)
    except PydanticCustomError:
        raise PydanticCustomError(
            "local_datetime", "not a local date and time, expected YYYY-MM-DDTHH:mm without an offset"
        ) from None
    return text


def _iana_zone(name: str) -> str:
    try:
        if _ZONE.fullmatch(name):
            ZoneInfo(name)
            return name
    except (ZoneInfoNotFoundError, ValueError, OSError):
        pass
    raise PydanticCustomError("zone", "not an IANA time zone, expected a name like Europe/London")


def _path_segment(text: str) -> str:
    """An id is one path segment, even if a proxy decodes it: no slash, and not only dots."""
    if _CONTROL.search(text) or "/" in text or "\\" in text or unquote(text).strip(".") == "" or "/" in unquote(text):
        raise PydanticCustomError("id", "not an id; copy it exactly as another tool returned it")
    return text


def _no_nul(text: str) -> str:
    if "\0" in text:  # PostgreSQL cannot store it
        raise PydanticCustomError("nul", "must not contain the NUL character")
    return text


def _seen(text: str) -> str:
    if is_blank(text):
        raise PydanticCustomError("blank", "only blanks or invisible characters; write some text")
    return text


def _whole(value: object) -> object:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _shortest(value: float) -> int | float:
    return int(value) if value.is_integer() else value


def _storable(number: int) -> int:
    if number >= 2**53:
        raise PydanticCustomError("id", "not an id; copy it exactly as another tool returned it")
    return number


def not_before(start: object, end: str, start_name: str) -> str:
    """`end`, if it is not before `start` (which may be missing or already invalid)."""
    if isinstance(start, str) and end < start:
        raise PydanticCustomError("order", "is before {start}", {"start": start_name})
    return end


Id = Annotated[str, Field(min_length=1, max_length=256), AfterValidator(_path_segment)]
Title = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_no_nul), AfterValidator(_seen)]
Text = Annotated[str, Field(max_length=10_000), AfterValidator(_no_nul)]
SaidText = Annotated[str, Field(min_length=1, max_length=10_000), AfterValidator(_no_nul), AfterValidator(_seen)]
ClientRef = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_no_nul)]
Cursor = Annotated[str, Field(min_length=1, max_length=1024), AfterValidator(_no_nul)]
LocalDate = Annotated[str, Field(description="YYYY-MM-DD"), AfterValidator(_real_date)]
LocalTime = Annotated[str, Field(description="HH:mm"), AfterValidator(_clock_time)]
LocalDateTime = Annotated[str, AfterValidator(_local_datetime)]
Zone = Annotated[str, Field(description="IANA, e.g. Asia/Tokyo"), AfterValidator(_iana_zone)]
WHOLE: Final = BeforeValidator(_whole)
"""Accepts 50.0 as a whole number: `Annotated[int, Field(ge=1), WHOLE]`, bounds first."""
Integer = Annotated[int, Field(ge=1), WHOLE, AfterValidator(_storable)]
"""An id of the Events API."""
Order = Annotated[float, Field(allow_inf_nan=False), PlainSerializer(_shortest)]
Latitude = Annotated[
    float, Field(ge=-90, le=90, allow_inf_nan=False, description="-90 to 90"), PlainSerializer(_shortest)
]
Longitude = Annotated[
    float, Field(ge=-180, le=180, allow_inf_nan=False, description="-180 to 180"), PlainSerializer(_shortest)
]


@dataclass(frozen=True, slots=True)
class Others:
    """Marks a field whose text was written by other people: `Annotated[str | None, OTHERS]`.

    The mark covers all text in the field, also inside lists and objects.
    """

    members_only: bool = False
    """Whether only the trip's members write it; if there is one member, it is not other people's text."""


OTHERS: Final = Others()
BY_MEMBERS: Final = Others(members_only=True)

SECRETS: Final = frozenset({"wifiPassword", "doorCode", "hostPhone", "confirmationNumber", "checkInInstructions"})
"""Wire names of the fields with door codes, booking numbers and the like."""

MASK: Final = "•••• (hidden)"
"""Shown instead of a secret; a write that sends it back keeps the stored value."""


# Characters that are invisible or change how text is displayed


def characters(ranges: str) -> str:
    """Ranges in the format of `unicode_tables` → the inside of a regex character class."""
    return "".join("-".join(rf"\U{int(code, 16):08X}" for code in part.split("-")) for part in ranges.split())


@cache
def hidden() -> re.Pattern[str]:
    from trips_mcp.contract.unicode_tables import HIDDEN

    return re.compile(f"[{characters(HIDDEN)}]")


def without_hidden(text: str) -> str:
    return text if text.isascii() and text.isprintable() else hidden().sub("", text)


def is_blank(text: str) -> bool:
    """Whether the text shows nothing."""
    return not without_hidden(text).strip()
