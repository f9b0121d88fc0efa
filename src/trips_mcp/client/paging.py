"""The iterator over a paged list, which reads each page when its first item is needed."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any, TypeVar

from pydantic import ValidationError

from trips_mcp.client.errors import BadAnswerError
from trips_mcp.contract.models import Page, Params, Result
from trips_mcp.contract.operation import Operation

P = TypeVar("P", bound=Params)
T = TypeVar("T", bound=Result)


async def each(operation: Operation[P, Any], first: P, read: Callable[[P], Awaitable[Page[T]]]) -> AsyncGenerator[T]:
    """Raises: TripsError; BadAnswerError if a cursor repeats or cannot be used."""
    followed: set[str] = set()
    params = first
    while True:
        page = await read(params)
        for item in page.items:
            yield item
        cursor = page.next_cursor
        if not cursor:
            return
        if cursor in followed:
            raise BadAnswerError(operation, "with a cursor that it had given before")
        followed.add(cursor)
        params = _after(operation, first, cursor)


def _after(operation: Operation[P, Any], first: P, cursor: str) -> P:
    try:
        return operation.params.model_validate({**first.model_dump(), "cursor": cursor})
    except ValidationError:  # the list takes no cursor, or the cursor is not valid
        raise BadAnswerError(operation, "with a cursor that cannot be followed") from None
