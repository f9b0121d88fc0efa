"""Which fields of a result hold other people's words: marked where the field is declared, acted on by the tools."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Others:
    """Marks a field whose text was written by other people, as `Annotated[str | None, OTHERS]`.

    All text in the field is meant, however deep: of lists and objects too.
    """

    members_only: bool = False
    """Whether the trip's members alone can write it: others have only where the trip has more members than one."""


OTHERS: Final = Others()
BY_MEMBERS: Final = Others(members_only=True)
