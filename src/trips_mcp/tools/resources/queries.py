"""The `query` argument of lists, which matches as search_trip does."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from trips_mcp.contract.exports import TripExport
from trips_mcp.itinerary.journey import Journey
from trips_mcp.itinerary.search import NO_WORDS, Hit, matching
from trips_mcp.itinerary.text_match import words_of
from trips_mcp.tools.error_text import ToolRefusedError

Query = Annotated[str, Field(min_length=1, max_length=200, description="Words")]


def hits_for(query: str, parts: TripExport) -> Iterator[Hit]:
    """The hits in these parts of a trip. Raises: ToolRefusedError for a query without words."""
    if not words_of(query):
        raise ToolRefusedError(f"query: {NO_WORDS}")
    return matching(Journey.of(parts), query)
