"""Numbers of flights and trains in one form: `LH2724`, `ICE 517`."""

import re
from typing import Final

FLIGHT_NUMBER: Final = re.compile(
    r"(?<![A-Z0-9])([A-Z][A-Z0-9]|[0-9][A-Z]|[A-Z]{3})[ \u00a0-]{0,4}0{0,3}([1-9][0-9]{0,3})([A-Z]?)(?![A-Z0-9])"
)
_DIGITS: Final = re.compile(r"0*([1-9][0-9]{0,4})([A-Z]?)")
_TRAIN_NAME: Final = re.compile(r"[A-Z][A-Za-z]{0,3}[0-9]?")
_CARRIER: Final = re.compile(r"[A-Z0-9]{2,3}")


def flight_number(carrier: str, number: str) -> str:
    """`UA` and `110`, `UA 0110` or nothing: the number with its carrier's code, without spaces and leading zeros."""
    carrier, number = carrier.strip().upper(), " ".join(number.split()).upper()
    whole = FLIGHT_NUMBER.fullmatch(number)
    if whole is not None:
        return f"{whole[1]}{whole[2]}{whole[3]}"
    digits = _DIGITS.fullmatch(number)
    if digits is None:
        return number.replace(" ", "")
    known = carrier if _CARRIER.fullmatch(carrier) else ""
    return f"{known}{digits[1]}{digits[2]}"


def ride_number(name: str, number: str) -> str:
    """A train's or bus's: its number, after the short name of its kind if it has none of its own."""
    name, number = " ".join(name.split()), " ".join(number.split())
    if not number:
        return name if any(mark.isdecimal() for mark in name) else ""
    return f"{name} {number}" if number.isdecimal() and _TRAIN_NAME.fullmatch(name) else number
