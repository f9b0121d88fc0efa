"""Marks for result fields that hold text written by other people; the tools act on them."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Others:
    """Marks a field whose text was written by other people: `Annotated[str | None, OTHERS]`.

    The mark covers all text in the field, also inside lists and objects.
    """

    members_only: bool = False
    """Whether only the trip's members write it; if there is one member, it is not other people's text."""


OTHERS: Final = Others()
BY_MEMBERS: Final = Others(members_only=True)
